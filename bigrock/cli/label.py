"""``bigrock label``: the connected components of a mask or a label volume."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume

__all__ = ["label"]


@command(
    "bigrock label pores.zarr labels.zarr",
    "bigrock label pores.zarr labels.zarr --connectivity 6 --table components.parquet",
    "bigrock label segmented.zarr labels.zarr --pore pore",
)
def label(
    volume: Annotated[str, typer.Argument(metavar="MASK", help="A mask, or a label volume.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The label volume to make.")],
    connectivity: Annotated[
        int, typer.Option("--connectivity", metavar="6|18|26", help="Which voxels touch.")
    ] = 26,
    pore: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Label this class alone; repeat it for several."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the component table to a Parquet file as well."),
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
    """Number the connected components of a volume, and store a table of them with the labels.

    Out of core, and resumable: the same command continues an interrupted run. The table, as
    components.parquet in DEST, holds size, place, shape, faces touched and surface of each.
    """
    import bigrock
    from bigrock.cli.measure import pore_phase
    from bigrock.measures import read_component_table
    from bigrock.workflows.execution import executing

    source = bigrock.open_volume(volume)
    with executing(executor) as where:
        labels = bigrock.label(
            source,
            dest,
            connectivity=connectivity,
            pore=pore_phase(pore),
            resume=not no_resume,
            overwrite=overwrite,
            block=o.whole_numbers("--block", block),
            executor=where,
            ram=ram,
            pyramid=pyramid,
            progress=o.progress_of(quiet),
        )
    found = read_component_table(labels)
    if table is not None:
        import pyarrow.parquet as pq

        pq.write_table(found, table)
    show_volume(labels, json=json, more={"components": found.num_rows})
