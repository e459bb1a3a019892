"""``bigrock import``: a scan becomes a volume."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume
from bigrock.cli.printing import complain
from bigrock.errors import ParameterError

__all__ = ["import_scan"]


@command(
    "bigrock import core.tif core.zarr --voxel-size '2.25 um'",
    "bigrock import core.raw core.zarr --shape 1000,1000,1000 --dtype '>u2' --voxel-size '2.25 um'",
    "bigrock import 'slices/*.png' core.zarr --crop '0:500, 100:900, 100:900'",
    "bigrock import labels.tif labels.zarr --class pore=0 --class quartz=1",
)
def import_scan(
    source: Annotated[str, typer.Argument(metavar="SCAN", help="File, folder or glob of slices, or URL.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The volume to make, such as core.zarr.")],
    voxel_size: o.VoxelSize = None,
    pore: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="Value (or class name) of the pores of a segmented image."),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME=VALUE", help="A class of a segmented image; repeat it."),
    ] = None,
    crop: o.Crop = None,
    convert: o.Convert = None,
    scale: o.Scale = None,
    shape: o.ShapeText = None,
    dtype: o.Dtype = None,
    offset: o.Offset = 0,
    order: o.Order = "C",
    dataset: o.Dataset = None,
    channel: o.Channel = None,
    axes: o.Axes = None,
    no_pyramid: Annotated[bool, typer.Option("--no-pyramid", help="Store no coarser levels.")] = False,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Make a volume of a scan: raw, TIFF, slices, HDF5, MATLAB, NRRD, MHD, NetCDF, NPY or zarr.

    Streams block by block, so it takes little memory at any size; the same command continues an
    import that was interrupted.
    """
    from bigrock.transfer import import_volume
    from bigrock.workflows.execution import executing

    with executing(executor) as where:
        volume = import_volume(
            source,
            dest,
            voxel_size=voxel_size,
            pore=int(pore) if pore is not None and pore.lstrip("-").isdecimal() else pore,
            classes=_class_table(classes or []),
            crop=crop,
            convert=convert,
            scale=o.numbers("--scale", scale),
            shape=o.whole_numbers("--shape", shape),
            dtype=dtype,
            offset=offset,
            order=order,
            dataset=dataset,
            channel=channel,
            axes=axes,
            pyramid=not no_pyramid,
            resume=not no_resume,
            overwrite=overwrite,
            executor=where,
            block=o.whole_numbers("--block", block),
            ram=ram,
            progress=o.progress_of(quiet),
        )
    show_volume(volume, json=json)
    if volume.voxel_size is None:
        complain(
            "no voxel size is known, so nothing can be given in metres. Give --voxel-size '2.25 um'.",
            "warning",
        )


def _class_table(texts: list[str]) -> dict[str, int] | None:
    table: dict[str, int] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (name and equals and value.lstrip("-").isdecimal()):
            raise ParameterError(f"--class {text!r} is not NAME=VALUE. Write it like --class quartz=1.")
        if name in table:
            raise ParameterError(
                f"--class {name} is given twice, as {table[name]} and {value}. Give it once."
            )
        table[name] = int(value)
    return table or None
