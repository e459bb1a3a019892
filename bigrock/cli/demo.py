"""``bigrock demo``: the main job on a sandstone made on the spot, or on a scan of the user's."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.outcome import show_outcome
from bigrock.errors import ParameterError, ResumeError, VolumeExistsError

__all__ = ["demo"]

_SCAN_ONLY = ("voxel_size", "crop", "convert", "scale", "dtype", "dataset", "channel", "axes")


@command(
    "bigrock demo",
    "bigrock demo --input core.tif --voxel-size '2.25 um' --out core-demo",
    "bigrock demo --json --quiet",
)
def demo(
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FOLDER", help="Where everything goes.")
    ] = "bigrock-demo",
    source: Annotated[
        str | None, typer.Option("--input", "-i", metavar="SCAN", help="Run on this scan instead.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Which sandstone.")] = 0,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="Z,Y,X", help="Of the sandstone (default: 192,256,256); with --input, of a raw file."
        ),
    ] = None,
    voxel_size: o.VoxelSize = None,
    crop: o.Crop = None,
    convert: o.Convert = None,
    scale: o.Scale = None,
    dtype: o.Dtype = None,
    offset: o.Offset = 0,
    order: o.Order = "C",
    dataset: o.Dataset = None,
    channel: o.Channel = None,
    axes: o.Axes = None,
    radius: Annotated[int, typer.Option(metavar="VOXELS", help="Half width of the threshold's window.")] = 31,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run the main job: import, standardise, local Otsu, measure, report.

    On a made-up sandstone with the faults of a real scan, whose true porosity is known, in under two
    minutes on two cores; or on your own scan. Prints the path of the report page last.
    """
    from bigrock.workflows import SegmentSettings
    from bigrock.workflows import demo as run_demo

    numbers = o.whole_numbers("--shape", shape)
    scan = {
        "voxel_size": voxel_size,
        "crop": crop,
        "convert": convert,
        "scale": o.numbers("--scale", scale),
        "dtype": dtype,
        "offset": offset,
        "order": order,
        "dataset": dataset,
        "channel": channel,
        "axes": axes,
        "shape": numbers if source is not None else None,
    }
    made: dict[str, Any] = {"source": source}
    if source is None:
        _refuse_without_scan(scan)
        made |= {"seed": seed} | ({"shape": numbers} if numbers else {})
    sections: dict[str, Any] = {
        "scan": scan,
        "local_otsu": {"radius": radius},
        "run": {"executor": executor, "ram": ram},
    }
    settings = SegmentSettings(**sections)
    try:
        result = run_demo(out, settings=settings, overwrite=overwrite, progress=o.progress_of(quiet), **made)
    except (VolumeExistsError, ResumeError) as error:
        raise VolumeExistsError(f"{error} Another folder is chosen with --out.") from error
    show_outcome(result, json=json)


def _refuse_without_scan(scan: dict[str, Any]) -> None:
    given = [name for name in _SCAN_ONLY if scan[name] is not None]
    if given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise ParameterError(f"{options} describes a scan, and none is given. Give --input SCAN as well.")
