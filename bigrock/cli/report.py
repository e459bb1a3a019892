"""``bigrock report``: one self-contained page about volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json
from bigrock.errors import ParameterError, VolumeExistsError

__all__ = ["report"]


@command(
    "bigrock report core.zarr pores.zarr --out report.html --measure porosity",
)
def report(
    volumes: Annotated[
        list[str], typer.Argument(metavar="VOLUME...", help="From before to after: a scan, then its mask.")
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="The page.")] = "report.html",
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="TEXT",
            help="Measure the last volume ('histogram': the first); repeat it. As for bigrock measure.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Heading of the page.")] = None,
    figures: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write every figure as a PNG file as well.")
    ] = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Write one HTML page: slices, histogram, profiles, results with units, and what made them.

    Reads three slices of each volume, and each volume once for what is measured.
    """
    import bigrock
    from bigrock.report import write_figures
    from bigrock.workflows.measure_text import parse_measures

    page = Path(out)
    if page.exists() and not overwrite:
        raise VolumeExistsError(
            f"{page} exists already: it would be lost. Give another --out, or --overwrite."
        )
    if page.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"--out {out!r} is not named like a page. Give a name that ends in .html.")
    opened = [bigrock.open_volume(path) for path in volumes]
    chosen = dict.fromkeys(measures or [])
    told = []
    for volume, names in (
        (opened[-1], [name for name in chosen if name != "histogram"]),
        (opened[0], [name for name in chosen if name == "histogram"]),
    ):
        if names:
            told.append(bigrock.measure(volume, parse_measures(names), progress=o.progress_of(quiet)))
    written = bigrock.write_report(opened, page, measurements=told or None, title=title)
    drawn = write_figures(opened, figures, measurements=told or None) if figures else []
    if json:
        show_json({"report": str(written), "figures": [str(path) for path in drawn]})
    else:
        say(str(written))
