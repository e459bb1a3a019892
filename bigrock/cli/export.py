"""``bigrock export``: a volume becomes a file of another format, or one slice a picture."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json

__all__ = ["export"]


@command(
    "bigrock export pores.zarr pores.tif",
    "bigrock export core.zarr core.mhd",
    "bigrock export core.zarr middle.png --axis z",
)
def export(
    volume: o.VolumePath,
    path: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Its ending decides: .tif .mhd (raw + header) .nrrd .npy, or .png for a slice.",
        ),
    ],
    level: Annotated[int, typer.Option(metavar="N", help="Pyramid level; 0 is the full resolution.")] = 0,
    axis: Annotated[str, typer.Option(metavar="z|y|x", help="Across which axis a slice is cut.")] = "z",
    index: Annotated[
        int | None, typer.Option(metavar="N", help="Which slice (default: the middle one).")
    ] = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Write a volume to a TIFF, raw + MHD, NRRD or NPY file, slab by slab; or a slice to a PNG."""
    import bigrock
    from bigrock.transfer import export_slice, export_volume

    source = bigrock.open_volume(volume)
    if path.lower().endswith(".png"):
        written = export_slice(
            source, path, axis=cast("Any", axis), index=index, level=level, overwrite=overwrite
        )
    else:
        written = export_volume(source, path, level=level, overwrite=overwrite, progress=o.progress_of(quiet))
    if json:
        show_json({"volume": source.path, "path": str(written), "level": level})
    else:
        say(str(written))
