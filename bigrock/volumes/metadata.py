"""OME-Zarr 0.5 attributes: written so that every OME reader understands them, read tolerantly.

One image per volume: ``multiscales`` with the axes z, y, x, a voxel size with a unit, and a
dataset per pyramid level. What OME has no place for (kind, class table, history) stands in the
``bigrock`` attribute beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigrock.errors import NotAVolumeError
from bigrock.units import parse_length
from bigrock.volumes.source import Voxel

__all__ = ["level_paths", "ome_attributes", "voxel_size_of"]

_UNITS = (("micrometer", -6), ("nanometer", -9), ("picometer", -12))


def ome_attributes(name: str, voxel_m: Voxel | None, levels: int, method: str) -> dict[str, Any]:
    """Return the ``ome`` attribute of a group that holds levels ``"0"``, ``"1"``, …

    Parameters
    ----------
    name : str
        Name of the image.
    voxel_m : tuple of float or None
        Metres z, y, x. None leaves the axes without a unit and the scale at 1, as OME asks.
    levels : int
        Number of arrays, the full resolution included.
    method : str
        How levels are made: "mean" or "mode".
    """
    axes: list[dict[str, str]] = [{"name": axis, "type": "space"} for axis in "zyx"]
    scale = [1.0, 1.0, 1.0]
    if voxel_m is not None:
        unit, exponent = next((u for u in _UNITS if min(voxel_m) >= 10.0 ** u[1] * 0.9999), _UNITS[-1])
        axes = [axis | {"unit": unit} for axis in axes]
        # repr of a float is its shortest decimal; shifting the point in decimal keeps it short.
        scale = [_shift(v, -exponent) for v in voxel_m]
    datasets = []
    for level in range(levels):
        factor = 1 << level
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": [s * factor for s in scale]}]
        if level:
            # The first voxel of a level covers `factor` voxels: its centre lies further in.
            transforms.append({"type": "translation", "translation": [s * (factor - 1) / 2 for s in scale]})
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    image = {"name": name, "axes": axes, "datasets": datasets, "type": method}
    return {"version": "0.5", "multiscales": [image]}


def _shift(value: float, exponent: int) -> float:
    return float(f"{value!r}e{exponent}") if "e" not in repr(value) else _shift_scientific(value, exponent)


def _shift_scientific(value: float, exponent: int) -> float:
    mantissa, _, power = repr(value).partition("e")
    return float(f"{mantissa}e{int(power) + exponent}")


def _image(attributes: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the first multiscale image, from OME-Zarr 0.5 or 0.4 attributes."""
    ome = attributes.get("ome", attributes)
    images = ome.get("multiscales") if isinstance(ome, dict) else None
    if not images:
        raise NotAVolumeError(
            f"{where} is a zarr group without OME multiscales: it cannot be opened as a volume. "
            f"Import it with bigrock.import_volume(source, dest)."
        )
    return dict(images[0])


def level_paths(attributes: dict[str, Any], where: str) -> list[str]:
    """Return the paths of the arrays of an image, full resolution first."""
    return [str(dataset["path"]) for dataset in _image(attributes, where)["datasets"]]


def voxel_size_of(attributes: dict[str, Any], where: str) -> Voxel | None:
    """Return the voxel size z, y, x in metres, or None where the axes state no unit of length.

    Takes the scale of the image and of its first dataset, for the axes named z, y, x (or the last
    three). An axis missing (2-D images) takes no part, so the answer is None.
    """
    image = _image(attributes, where)
    axes = [axis if isinstance(axis, dict) else {"name": str(axis)} for axis in image.get("axes", [])]
    names = [axis["name"] for axis in axes]
    if not {"z", "y", "x"} <= set(names):
        return None
    scale = [1.0] * len(axes)
    for step in (*image["datasets"][0].get("coordinateTransformations", ()), *_of_image(image)):
        if step.get("type") == "scale":
            scale = [a * float(b) for a, b in zip(scale, step["scale"], strict=True)]
    sizes: list[float] = []
    for axis in "zyx":
        i = names.index(axis)
        unit = axes[i].get("unit")
        if unit is None or scale[i] <= 0:
            return None
        sizes.append(parse_length(f"{scale[i]!r} {unit}"))
    return sizes[0], sizes[1], sizes[2]


def _of_image(image: dict[str, Any]) -> Sequence[dict[str, Any]]:
    transforms: Sequence[dict[str, Any]] = image.get("coordinateTransformations", ())
    return transforms
