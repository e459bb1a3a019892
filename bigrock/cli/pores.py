"""``bigrock pores``: the pore space cut into pores and throats."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume

__all__ = ["pores"]


@command(
    "bigrock pores mask.zarr pores.zarr",
    "bigrock pores mask.zarr pores.zarr --min-depth 1 --tables pores",
)
def pores(
    volume: Annotated[str, typer.Argument(metavar="MASK", help="A mask, or a label volume with pores.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The label volume to make.")],
    pore: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Name or value of the pore class; repeat it for several."),
    ] = None,
    min_depth: Annotated[
        float,
        typer.Option(metavar="VOXELS", help="How far the distance falls between two pores, at least."),
    ] = 0.5,
    max_throat: Annotated[
        float, typer.Option(metavar="RATIO", help="How wide a throat is at most, of the smaller pore.")
    ] = 0.9,
    tables: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Write the tables to NAME-pores.parquet and NAME-throats.parquet too."
        ),
    ] = None,
    pyramid: Annotated[bool, typer.Option("--pyramid", help="Store coarser levels as well.")] = False,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Cut the pore space where it is narrow, and store pores as labels with tables of pores and throats.

    Out of core, and resumable: the same command continues an interrupted run. The tables lie in
    DEST as pores.parquet (size, place, shape, diameters, coordination) and throats.parquet.
    """
    import bigrock
    from bigrock.cli.measure import pore_phase
    from bigrock.measures import read_pore_tables
    from bigrock.workflows.execution import executing

    source = bigrock.open_volume(volume)
    with executing(executor) as where:
        labels = bigrock.pores(
            source,
            dest,
            pore=pore_phase(pore),
            min_depth=min_depth,
            max_throat=max_throat,
            resume=not no_resume,
            overwrite=overwrite,
            block=o.whole_numbers("--block", block),
            executor=where,
            ram=ram,
            pyramid=pyramid,
            progress=o.progress_of(quiet),
        )
    found = dict(zip(("pores", "throats"), read_pore_tables(labels), strict=True))
    if tables is not None:
        import pyarrow.parquet as pq

        for name, table in found.items():
            pq.write_table(table, f"{tables}-{name}.parquet")
    show_volume(labels, json=json, more={name: table.num_rows for name, table in found.items()})
