"""``bigrock info``: what a volume, or a scan that is no volume yet, holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import show_json, show_rows

if TYPE_CHECKING:
    from bigrock.volumes import Source, Volume

__all__ = ["info", "show_volume"]


@command(
    "bigrock info core.zarr",
    "bigrock info core.tif --json",
)
def info(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A volume, or a scan that describes itself.")],
    json: o.Json = False,
) -> None:
    """Print shape, type, voxel size, classes, pyramid levels, storage and history."""
    from bigrock.errors import NotAVolumeError
    from bigrock.volumes import open_volume

    try:
        volume = open_volume(path, partial=True)
    except NotAVolumeError:
        _show_scan(path, json=json)
        return
    show_volume(volume, json=json)


def show_volume(volume: Volume, *, json: bool, more: Mapping[str, Any] | None = None) -> None:
    """Write what a volume holds to stdout.

    Parameters
    ----------
    volume : Volume
        Nothing but its metadata is read.
    json : bool
        As JSON.
    more : mapping, optional
        What else is known of it.
    """
    facts = _facts(volume) | dict(more or {})
    if json:
        show_json(facts)
        return
    rows = [*_rows(volume), ("classes", _table(volume.classes) or None)]
    rows += [
        ("levels", ", ".join(_times(level["shape"]) for level in facts["levels"])),
        ("storage", f"chunks {_times(volume.read_unit)} in shards {_times(volume.write_unit)}"),
        ("complete", "yes" if volume.complete else "no: the run or import that makes it was interrupted"),
    ]
    rows += [(name, f"{value:,}") for name, value in (more or {}).items()]
    rows += [(f"step {i}", _step(step)) for i, step in enumerate(volume.history, start=1)]
    show_rows(rows, title=volume.path)


def _facts(volume: Volume) -> dict[str, Any]:
    return {
        "path": volume.path,
        "shape": list(volume.shape),
        "dtype": str(volume.dtype),
        "kind": volume.kind,
        "voxel_size_m": volume.voxel_size and list(volume.voxel_size),
        "classes": volume.classes,
        "levels": [{"shape": list(level.shape)} for level in volume.levels],
        "chunk": list(volume.read_unit),
        "shard": list(volume.write_unit),
        "complete": volume.complete,
        "history": list(volume.history),
    }


def _show_scan(path: str, *, json: bool) -> None:
    from bigrock.volumes.formats import open_source

    scan = open_source(path)
    if json:
        show_json(
            {
                "path": path,
                "shape": list(scan.shape),
                "dtype": str(scan.dtype),
                "voxel_size_m": scan.voxel_size and list(scan.voxel_size),
                "volume": False,
            }
        )
        return
    show_rows([*_rows(scan), ("volume", "no; import it with bigrock import")], title=path)


def _rows(source: Source) -> list[tuple[str, Any]]:
    from math import prod

    from bigrock.engine.memory import format_bytes
    from bigrock.units import format_voxel_size

    voxels = prod(source.shape)
    size = format_bytes(voxels * source.dtype.itemsize)
    return [
        ("shape", f"{_times(source.shape)} (z, y, x) = {voxels:,} voxels"),
        ("type", f"{source.dtype}, {getattr(source, 'kind', 'grey')}; {size} without compression"),
        ("voxel size", format_voxel_size(source.voxel_size)),
    ]


def _times(numbers: Any) -> str:
    return " × ".join(map(str, numbers))


def _table(classes: dict[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in classes.items())


def _step(step: dict[str, Any]) -> str:
    kernel = step.get("kernel", {})
    names = [k.get("name") for k in kernel.get("stages", [kernel])]
    told = " | ".join(str(n) for n in names if n and n != "Copy")
    source = f" of {step['source']}" if step.get("source") else ""
    made = f" ({told})" if told else ""
    return f"{step.get('step', 'step')}{made}{source}, {step.get('time', 'time not known')}"
