"""``bigrock measure``: numbers of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import show, show_json
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.measures import Measurements

__all__ = ["measure", "pore_phase"]

_FILES = "Files as well"


@command(
    "bigrock measure pores.zarr",
    "bigrock measure pores.zarr porosity profiles --csv pores.csv --json",
    "bigrock measure core.zarr porosity --through 'local-otsu radius=31'",
    "bigrock measure labels.zarr porosity --pore clay",
    "bigrock measure labels.zarr porosity --classes all --report classes.html",
    "bigrock measure core.zarr porosity --through global-otsu --field-of-view auto",
)
def measure(
    volume: o.VolumePath,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MEASURE...",
            help="Names as listed below, with settings in quotes: 'lacunarity sizes=3,5,9' "
            "(default: what the volume allows).",
        ),
    ] = None,
    pore: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Name or value of the pore class; repeat it for several."),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(metavar="all|CLASS", help="Measure classes one by one; repeat it for several."),
    ] = None,
    through: Annotated[
        str | None, typer.Option(metavar="KERNEL", help="Measure what this kernel makes of it, unstored.")
    ] = None,
    field_of_view: Annotated[
        str | None,
        typer.Option(
            metavar="auto|Y,X,RADIUS|MASK",
            help="Leave out what is outside of a round core, or of a mask volume.",
        ),
    ] = None,
    csv: Annotated[
        str | None, typer.Option(metavar="FILE", rich_help_panel=_FILES, help="Numbers as CSV.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", rich_help_panel=_FILES, help="Numbers as JSON.")
    ] = None,
    parquet: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", rich_help_panel=_FILES, help="Numbers and tables as Parquet."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE.html", rich_help_panel=_FILES, help="A page with slices and figures."),
    ] = None,
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
    from bigrock.workflows.measure_text import parse_measures

    if report is not None and not report.lower().endswith((".html", ".htm")):
        raise ParameterError(f"--report {report!r} is not named like a page. Give a name that ends in .html.")
    kernel = None if through is None else parse_kernel(through)
    wanted = parse_measures(what) if what else None
    source = bigrock.open_volume(volume)
    kind = source.kind if kernel is None else kernel.output_kind(source.kind)
    default = ["histogram"] if kind == "grey" and not (pore or classes) else ["porosity", "profiles"]
    with executing(executor) as where:
        found = bigrock.measure(
            source,
            wanted or default,
            pore=pore_phase(pore),
            classes="all" if classes == ["all"] else _values(classes) or None,
            field_of_view=_field(field_of_view),
            through=kernel,
            executor=where,
            block=o.whole_numbers("--block", block),
            ram=ram,
            progress=o.progress_of(quiet),
        )
    _write(found, source, csv, out, parquet, report)
    if json:
        show_json(found.to_dict())
    else:
        show(found)


class _MeasureCommand(TyperCommand):
    """Lists the measures at the end of its help; asked for only then, because numpy is slow to load."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from bigrock.measures.registry import summaries
        from bigrock.workflows.measure_text import measure_vocabulary

        settings = measure_vocabulary()
        lines = []
        for name, told in summaries().items():
            keys = f" ({', '.join(settings[name])})" if settings[name] else ""
            lines.append(f"{name:20} {told}{keys}")
        examples = self.epilog or ""
        self.epilog = "Measures (and their settings):\n\n\b\n" + "\n".join(lines) + "\n\n" + examples
        super().format_help(ctx, formatter)
        self.epilog = examples


measure.cls = _MeasureCommand


def _write(
    found: Measurements,
    source: Any,
    csv: str | None,
    out: str | None,
    parquet: str | None,
    report: str | None,
) -> None:
    """Write the files that were asked for."""
    if csv is not None:
        found.to_csv(csv)
    if out is not None:
        found.to_json(out)
    if parquet is not None:
        found.to_parquet(parquet)
    if report is not None:
        from bigrock.report import write_report

        write_report(source, report, measurements=found)


def _field(text: str | None) -> Any:
    """Return the field of view that a text names: found, a circle in voxels, or a stored mask."""
    import bigrock

    if text is None or text == "auto":
        return text
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return bigrock.kernels.MaskField(bigrock.open_volume(text))
    if len(numbers) != 3:
        raise ParameterError(
            f"--field-of-view {text!r} is {len(numbers)} numbers. Give three, in voxels: the centre and the radius "
            "as Y,X,RADIUS; or auto, or the path of a mask."
        )
    return bigrock.kernels.Cylinder(*numbers)


def pore_phase(texts: list[str] | None) -> Any:
    """Return what --pore names, as `bigrock.measure` takes it."""
    values = _values(texts)
    return values[0] if len(values) == 1 else values or None


def _values(texts: list[str] | None) -> list[Any]:
    """Return names as they are and numbers as numbers; commas may separate them."""
    words = [word.strip() for text in texts or [] for word in text.split(",")]
    return [int(word) if word.lstrip("-").isdecimal() else word for word in words]
