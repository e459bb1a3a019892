"""``bigrock permeability evaluate``: networks judged on test rocks, by networks and by physics."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.permeability_train import RocksArgument, SettingsFile, rocks_and_settings
from bigrock.cli.printing import say, show, show_json

__all__ = ["evaluate"]

_ALSO = "Tuned from it"
_BY = "Who tells permeability, beside Stokes flow"


@command(
    "bigrock permeability evaluate rocks.zarr --super-resolution sr --tuned tuned --surrogate surrogate --out judged",
    "bigrock permeability evaluate rocks.zarr --super-resolution sr --tuned tuned --control voxels-only --out judged",
)
def evaluate(
    rocks: RocksArgument = None,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")
    ] = "evaluation",
    super_resolution: Annotated[
        str, typer.Option("--super-resolution", metavar="BUNDLE", help="As it was trained on voxels.")
    ] = "sr",
    tuned: Annotated[
        str | None, typer.Option(metavar="BUNDLE", rich_help_panel=_ALSO, help="Fine-tuned.")
    ] = None,
    paper: Annotated[
        str | None,
        typer.Option(metavar="BUNDLE", rich_help_panel=_ALSO, help="In the paper's mode: grey, fidelity 0."),
    ] = None,
    control: Annotated[
        str | None,
        typer.Option(metavar="BUNDLE", rich_help_panel=_ALSO, help="The same epochs on voxels alone."),
    ] = None,
    surrogate: Annotated[
        str | None, typer.Option(metavar="BUNDLE", rich_help_panel=_BY, help="What guided the tuning.")
    ] = None,
    holdout: Annotated[
        str | None, typer.Option(metavar="BUNDLE", rich_help_panel=_BY, help="One that had no part in it.")
    ] = None,
    direct: Annotated[
        str | None, typer.Option(metavar="BUNDLE", rich_help_panel=_BY, help="One of coarse images.")
    ] = None,
    config: SettingsFile = None,
    executor: o.ExecutorText = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Judge networks on the test rocks of a set: permeability by networks and by Stokes flow, and image quality.

    Answers whether tuning has made the flow better, with 95 % intervals. Writes evaluation.json, .csv, .parquet
    and report.html. The same command goes on where it stopped.
    """
    from bigrock.datasets import open_rocks
    from bigrock.workflows.execution import executing
    from bigrock.workflows.permeability import judge_networks, verdict

    path, settings = rocks_and_settings(rocks, config)
    with executing(executor) as where:
        found = judge_networks(
            open_rocks(path),
            out,
            settings,
            super_resolution=super_resolution,
            tuned=tuned,
            paper=paper,
            control=control,
            surrogate=surrogate,
            holdout=holdout,
            direct=direct,
            executor=where,
            resume=not no_resume,
            overwrite=overwrite,
            progress=o.progress_of(quiet),
        )
    told = verdict(found)
    if json:
        show_json({**found.to_dict(), "verdict": told})
        return
    from rich.table import Table

    table = Table(
        "images", "r2 by Stokes flow (mask)", "(threshold)", "by the surrogate", "PSNR, dB", box=None
    )
    for variant in found.variants:
        scores = (found.scores(variant, by) for by in ("physics", "physics_threshold", "surrogate"))
        psnr = found.image(variant).get("psnr")
        cells = ["–" if one is None else f"{one['r2']:.3f}" for one in scores]
        table.add_row(variant, *cells, "–" if psnr is None else f"{psnr:.2f}")
    show(table)
    for question, answer in told.items():
        say(f"{question} {answer}")
    say(f"{out}/report.html")
