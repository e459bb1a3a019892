"""``bigrock permeability map``: the permeability of a core, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import complain, say, show_json, show_rows
from bigrock.units import format_length, format_permeability

if TYPE_CHECKING:
    from bigrock.workflows.permeability import PermeabilityMap

__all__ = ["map_core"]

_HOW = "What is solved"


@command(
    "bigrock permeability map core.zarr --out map --super-resolution sr --surrogate surrogate",
    "bigrock permeability map core.zarr --out map --super-resolution sr --method physics",
    "bigrock permeability map mask.zarr --out map --window 96 --axes z",
)
def map_core(
    core: Annotated[
        str,
        typer.Argument(metavar="CORE", help="Pore fractions from 0 to 1, or a mask: a .zarr folder or URL."),
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")],
    super_resolution: Annotated[
        str | None,
        typer.Option(metavar="BUNDLE", help="A network that super-resolves; without it CORE is a mask."),
    ] = None,
    surrogate: Annotated[
        list[str] | None,
        typer.Option(metavar="BUNDLE", help="A network that predicts permeability; several are an ensemble."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="surrogate (default where there is one), or physics: Stokes flow."),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            metavar="VOXELS", help="Edge of a window on the fine grid (default: the surrogate's, or 64)."
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(metavar="VOXELS", help="From one window to the next (default: side by side)."),
    ] = None,
    axes: Annotated[str, typer.Option(metavar="AXES", help="Along which k is asked for: zyx, or z.")] = "zyx",
    physics_sample: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=_HOW, help="Windows that Stokes flow solves as well.")
    ] = 8,
    rev_sample: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=_HOW, help="Windows of each other size, for the REV.")
    ] = 4,
    sees: Annotated[
        str,
        typer.Option(
            metavar="WHAT", rich_help_panel=_HOW, help="The surrogate sees grey pore fractions, or the mask."
        ),
    ] = "grey",
    threshold: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=_HOW,
            help="Pore fraction above which a voxel is pore; or fraction: each voxel of the core keeps its own.",
        ),
    ] = "0.5",
    bc: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=_HOW, help="Sides of a window: sealed, mirrored, periodic."
        ),
    ] = "sealed",
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="SHARE", rich_help_panel=_HOW, help="Spread of the flux at which Stokes flow stops."
        ),
    ] = 1e-2,
    value_range: Annotated[
        str | None,
        typer.Option(
            metavar="SOLID,PORE",
            rich_help_panel=_HOW,
            help="Grey levels of solid and pore, where not 0 and 1.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", rich_help_panel=_HOW, help="Of the samples.")] = 0,
    backend: o.Backend = "cpu",
    executor: o.ExecutorText = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Map the permeability of a core window by window, with profile, REV, upscaled k, and the map's own error.

    The super-resolved core is never written. Writes volumes (m²), map.json, windows.csv and .parquet,
    and report.html. The same command goes on where it stopped.
    """
    from bigrock.workflows.execution import executing
    from bigrock.workflows.permeability import map_permeability

    with executing(executor) as where:
        found = map_permeability(
            core,
            out,
            super_resolution=super_resolution,
            surrogate=surrogate or None,
            method=method,  # type: ignore[arg-type]
            window=window,
            step=step,
            axes=o.axes_of(axes),
            physics_sample=physics_sample,
            rev_sample=rev_sample,
            sees=sees,  # type: ignore[arg-type]
            threshold=o.threshold_of(threshold),  # type: ignore[arg-type]
            boundary=bc,
            tolerance=tolerance,
            value_range=o.numbers("--value-range", value_range),
            backend=backend,  # type: ignore[arg-type]
            seed=seed,
            resume=not no_resume,
            overwrite=overwrite,
            executor=where,
            progress=o.progress_of(quiet),
        )
    if json:
        show_json(found.to_dict())
        return
    show_map(found)


def show_map(found: PermeabilityMap) -> None:
    """Write what a map says to stdout."""
    told = found.figures
    rows: list[tuple[str, Any]] = [
        ("windows", f"{' × '.join(map(str, told['counts']))} of {told['window']} voxels"),
        ("share of the core in windows", f"{100 * told['covered_share']:.3g} %"),
        ("porosity", f"{100 * told['porosity']['mean']:.2f} %"),
    ]
    for axis, k in told["permeability"].items():
        darcy = k["darcy_m2"]
        rows.append(
            (f"k along {axis}, upscaled", "not known" if darcy is None else format_permeability(darcy))
        )
        if k["zero_share"]:
            rows.append((f"windows that no pore crosses along {axis}", f"{100 * k['zero_share']:.3g} %"))
    error = told["agreement"]
    if error is not None:
        rows.append(
            (
                "error of log10 k",
                f"bias {error['bias']:+.3f}, rms {error['rmse']:.3f} ({error['windows']} windows by Stokes flow)",
            )
        )
    edge, reason = told["rev"]["edge_m"], told["rev"]["reason"]
    rows.append(("REV", f"not reached: {reason}" if edge is None else format_length(edge, 4)))
    show_rows([*rows, ("time", f"{told['seconds']:.1f} s"), ("folder", str(found.folder))])
    if told["outside_share"]:
        complain(
            f"{100 * told['outside_share']:.3g} % of the windows are unlike what the surrogate has learnt; see "
            "outside.zarr. Stokes flow does not mind: --method physics.",
            "warning",
        )
    say(str(found.folder / "report.html"))
