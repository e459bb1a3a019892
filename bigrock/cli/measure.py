"""``bigrock measure``: numbers of a volume."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import show, show_json

__all__ = ["measure"]


@command(
    "bigrock measure pores.zarr",
    "bigrock measure pores.zarr porosity profiles --csv pores.csv --json",
    "bigrock measure core.zarr porosity --through 'local-otsu radius=31'",
    "bigrock measure labels.zarr porosity --pore clay",
)
def measure(
    volume: o.VolumePath,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MEASURE...", help="histogram, porosity, profiles (default: what the volume allows)."
        ),
    ] = None,
    pore: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Name or value of the pore class; repeat it for several."),
    ] = None,
    through: Annotated[
        str | None, typer.Option(metavar="KERNEL", help="Measure what this kernel makes of it, unstored.")
    ] = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write a CSV file as well.")] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write a JSON file as well.")] = None,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Measure a volume: any number of measures in one read.

    Pore is True of a mask, or the class "pore" of a label volume; else say which with --pore.
    """
    import bigrock
    from bigrock.workflows.execution import executing
    from bigrock.workflows.kernel_text import parse_kernel

    source = bigrock.open_volume(volume)
    kernel = None if through is None else parse_kernel(through)
    kind = source.kind if kernel is None else kernel.output_kind(source.kind)
    default = ["histogram"] if kind == "grey" and not pore else ["porosity", "profiles"]
    with executing(executor) as where:
        found = bigrock.measure(
            source,
            what or default,
            pore=_classes(pore),
            through=kernel,
            executor=where,
            block=o.whole_numbers("--block", block),
            ram=ram,
            progress=o.progress_of(quiet),
        )
    if csv is not None:
        found.to_csv(csv)
    if out is not None:
        found.to_json(out)
    if json:
        show_json(found.to_dict())
    else:
        show(found)


def _classes(texts: list[str] | None) -> Any:
    values = [int(text) if text.lstrip("-").isdecimal() else text for text in texts or []]
    return values[0] if len(values) == 1 else values or None
