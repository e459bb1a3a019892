"""``bigrock permeability solve``: the permeability of a mask, by solving for the flow through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show, show_json

if TYPE_CHECKING:
    from bigrock.flow import Permeability

__all__ = ["solve"]


@command(
    "bigrock permeability solve mask.zarr",
    "bigrock permeability solve mask.zarr --axis z --bc periodic --json",
    "bigrock permeability solve segmented.zarr --pore pore --threads 3",
)
def solve(
    volume: Annotated[str, typer.Argument(metavar="MASK", help="A mask, or a label volume with pores.")],
    axis: Annotated[str, typer.Option(metavar="z|y|x|all", help="Direction of the flow.")] = "all",
    bc: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="sealed: no-slip walls along the flow, fluid before and behind. periodic: the sample again on "
            "each side. mirrored: its mirror image behind it, planes of symmetry along the flow.",
        ),
    ] = "sealed",
    pore: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Name or value of the pore class; repeat it for several."),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(metavar="FRACTION", help="How far fluxes through planes across the flow may differ."),
    ] = 1e-2,
    max_iterations: Annotated[
        int | None, typer.Option(metavar="N", help="Stop there, not converged (default: 2000).")
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", help="Axes solved at the same time.")] = 1,
    ram: o.Ram = None,
    backend: o.Backend = "cpu",
    json: o.Json = False,
) -> None:
    """Solve for the flow through the pores, and print the permeability along each axis.

    Beside it stands what Kozeny-Carman's formula makes of porosity and surface. Where no pores join
    inlet and outlet the permeability is 0. The volume is read into memory as a whole.
    """
    from bigrock.cli.measure import pore_phase
    from bigrock.workflows.permeability import solve_permeability

    found = solve_permeability(
        volume,
        pore=pore_phase(pore),
        axis=axis,
        boundary=bc,
        tolerance=tolerance,
        max_iterations=max_iterations,
        threads=threads,
        ram=ram,
        backend=backend,
    )
    if json:
        show_json(found.to_dict())
    else:
        _show(found)


def _show(found: Permeability) -> None:
    from rich.table import Table

    from bigrock.units import DARCY_M2, format_length

    table = Table("axis", "k, m²", "D", "mD", "Kozeny-Carman, mD", "flux spread", "s", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for axis, k in found.items():
        formula = None if k.kozeny_carman_m2 is None else 1000 * k.kozeny_carman_m2 / DARCY_M2
        state = "does not percolate" if not k.percolates else f"{k.flux_spread:.1g}"
        state += "" if k.converged else " (not converged)"
        numbers = (f"{value:.4g}" for value in (k.k_m2, k.k_darcy, k.k_md))
        told = "not defined" if formula is None else f"{formula:.4g}"
        table.add_row(axis, *numbers, told, state, f"{k.seconds:.1f}")
    show(table)
    porosity = next(iter(found.values())).porosity
    say(f"{found.boundary} borders, porosity {100 * porosity:.2f} %, voxel {format_length(found.voxel_m)}")
