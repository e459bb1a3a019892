"""``bigrock permeability demo``: the whole loop on synthetic rocks whose permeability is known."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json, show_rows
from bigrock.errors import ParameterError

__all__ = ["demo"]


@command(
    "bigrock permeability demo --seed 0 --out permeability-demo",
    "bigrock permeability demo --quick --out permeability-demo --json",
    "bigrock permeability demo --rocks rocks.zarr --out permeability-demo",
    continues=True,
)
def demo(
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")
    ] = "permeability-demo",
    seed: Annotated[int, typer.Option(metavar="N", help="Of rocks, weights and samples.")] = 0,
    rocks: Annotated[
        str | None,
        typer.Option(metavar="N|PATH", help="How many rocks to make; or a labelled set to take instead."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Tiny rocks and hardly any training: to see the files.")
    ] = False,
    executor: o.ExecutorText = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Make rocks, train all networks, judge them by physics, and map a core; about an hour on two cores.

    Writes permeability.json (r² by surrogate, hold-out and Stokes flow, with and without tuning) and
    report.html. The same command goes on where it stopped.
    """
    from bigrock.workflows.execution import executing
    from bigrock.workflows.permeability import permeability_demo

    if seed < 0:
        raise ParameterError(f"--seed {seed} is negative. Give 0 or more.")
    wanted = int(rocks) if rocks is not None and rocks.isdecimal() else rocks
    with executing(executor) as where:
        found = permeability_demo(
            out, seed=seed, rocks=wanted, quick=quick, executor=where, progress=o.progress_of(quiet)
        )
    if json:
        show_json(found.figures)
        return
    told = found.figures
    show_rows(
        (name.replace("_", " "), value)
        for name, value in told.items()
        if isinstance(value, int | float) or name.endswith("ci95")
    )
    say(str(found.file))
    say(str(found.report))
