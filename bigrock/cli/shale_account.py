"""``bigrock shale account``: organic and inorganic pores, organic matter and organic porosity of stacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show, show_json
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.workflows.shale.accounting import ShaleAccount

__all__ = ["account"]

_CLASSES = "Which class is what"


@command(
    "bigrock shale account labels.zarr --folder account",
    "bigrock shale account upper.zarr lower.zarr --depth '2500 m' --depth '2900 m' --folder maturity",
)
def account(
    labels: Annotated[
        list[str], typer.Argument(metavar="LABELS...", help="Label volumes, one for each stack.")
    ],
    folder: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write JSON, CSV, Parquet and a page of each, and maturity.csv."),
    ] = None,
    depth: Annotated[
        list[str] | None,
        typer.Option(metavar="LENGTH", help="Where a stack comes from: '2900 m'; one for each, in order."),
    ] = None,
    organic_porosity: Annotated[
        str, typer.Option(metavar="NAME", help="The definition that counts: hosted, bulk, or notes.")
    ] = "hosted",
    pores_count_as_om: Annotated[
        bool, typer.Option("--pores-count-as-om", help="Organic matter takes in its pores.")
    ] = False,
    min_pore_voxels: Annotated[
        int, typer.Option(metavar="N", help="Aspect ratios are those of pores of at least N voxels.")
    ] = 20,
    organic_matter: Annotated[
        str, typer.Option(metavar="CLASS", rich_help_panel=_CLASSES, help="Organic matter.")
    ] = "organic matter",
    organic_pore: Annotated[
        str, typer.Option(metavar="CLASS", rich_help_panel=_CLASSES, help="Organic pores.")
    ] = "organic pore",
    inorganic_pore: Annotated[
        str, typer.Option(metavar="CLASS", rich_help_panel=_CLASSES, help="Inorganic pores.")
    ] = "inorganic pore",
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Account for the pores of segmented shales: how much, in what, of which shape, how connected.

    Organic porosity is told by all three definitions beside the volumes. Reads each stack four times.
    """
    import bigrock
    from bigrock.workflows.execution import executing
    from bigrock.workflows.shale.accounting import account as account_of

    depths = _depths(depth, len(labels))
    sources = [bigrock.open_volume(path) for path in labels]
    samples = _names(labels)
    with executing(executor) as where:
        found = [
            account_of(
                source,
                sample=sample,
                depth=down,
                organic_matter=organic_matter,
                organic_pore=organic_pore,
                inorganic_pore=inorganic_pore,
                organic_porosity=organic_porosity,  # type: ignore[arg-type]
                pores_count_as_om=pores_count_as_om,
                min_pore_voxels=min_pore_voxels,
                executor=where,
                block=o.whole_numbers("--block", block),
                ram=ram,
                progress=o.progress_of(quiet),
            )
            for source, sample, down in zip(sources, samples, depths, strict=True)
        ]
    written = [] if folder is None else _written(found, sources, Path(folder))
    if json:
        told = [one.to_dict() for one in found]
        show_json(told[0] if len(told) == 1 else {"stacks": told})
        return
    for one in found:
        show(one)
    for path in written:
        say(str(path))


def _depths(given: list[str] | None, stacks: int) -> list[str | None]:
    if given and len(given) != stacks:
        raise ParameterError(
            f"--depth is given {len(given)} times for {stacks} stacks: which depth is whose would be guessed. Give "
            "one for each stack, in their order."
        )
    return [None] * stacks if not given else [*given]


def _names(labels: list[str]) -> list[str]:
    """Return a name for each stack; of stacks in folders of their own the folder's."""
    names = [Path(path.rstrip("/")).stem for path in labels]
    if len(set(names)) < len(names):
        names = [Path(path.rstrip("/")).parent.name or name for path, name in zip(labels, names, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{name}-{number}" for number, name in enumerate(names, start=1)]
    return names


def _written(found: list[ShaleAccount], sources: list[Any], folder: Path) -> list[Path]:
    """Write all files of all stacks; return the pages and the table of all."""
    from bigrock.workflows.shale.account_report import write_account_report
    from bigrock.workflows.shale.maturity import maturity_table

    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for one, source in zip(found, sources, strict=True):
        one.to_json(folder / f"{one.sample}.json")
        one.to_csv(folder / f"{one.sample}.csv")
        one.to_parquet(folder / f"{one.sample}-tables")
        pages.append(write_account_report(one, source, folder / f"{one.sample}.html"))
    maturity_table(found, folder / "maturity.csv")
    return [*pages, folder / "maturity.csv"]
