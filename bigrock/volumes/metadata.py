"""OME-Zarr 0.5 attributes: written so that every OME reader understands them, read tolerantly.

One image per volume: ``multiscales`` with the axes z, y, x, a voxel size with a unit, where the
first voxel lies, and a dataset per pyramid level. What OME has no place for (kind, class table, history) stands in the
``bigrock`` attribute beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bigrock.errors import NotAVolumeError
from bigrock.units import parse_length
from bigrock.volumes.source import Voxel

__all__ = ["level_paths", "ome_attributes", "translation_of", "voxel_size_of"]

_UNITS = (("micrometer", -6), ("nanometer", -9), ("picometer", -12))


def ome_attributes(
    name: str, voxel_m: Voxel | None, levels: int, method: str, translation_m: Voxel = (0.0, 0.0, 0.0)
) -> dict[str, Any]:
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
    translation_m : tuple of float
        Metres z, y, x of the centre of the first voxel; only with `voxel_m`.
    """
    axes: list[dict[str, str]] = [{"name": axis, "type": "space"} for axis in "zyx"]
    scale, first = [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]
    if voxel_m is not None:
        unit, exponent = next((u for u in _UNITS if min(voxel_m) >= 10.0 ** u[1] * 0.9999), _UNITS[-1])
        axes = [axis | {"unit": unit} for axis in axes]
        # repr of a float is its shortest decimal; shifting the point in decimal keeps it short.
        scale, first = ([_shift(v, -exponent) for v in lengths] for lengths in (voxel_m, translation_m))
    datasets = []
    for level in range(levels):
        factor = 1 << level
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": [s * factor for s in scale]}]
        if level or any(first):
            # The first voxel of a level covers `factor` voxels: its centre lies further in.
            place = [f + s * (factor - 1) / 2 for f, s in zip(first, scale, strict=True)]
            transforms.append({"type": "translation", "translation": place})
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
    placed = _placed(attributes, where)
    if placed is None:
        return None
    z, y, x = (parse_length(f"{scale!r} {unit}") for scale, _, unit in placed)
    return z, y, x


def translation_of(attributes: dict[str, Any], where: str) -> Voxel:
    """Return where the centre of the first voxel lies, metres z, y, x; zeros where there is no unit of length."""
    placed = _placed(attributes, where)
    if placed is None:
        return 0.0, 0.0, 0.0
    z, y, x = (_signed_length(first, unit) for _, first, unit in placed)
    return z, y, x


def _placed(attributes: dict[str, Any], where: str) -> list[tuple[float, float, str]] | None:
    """Return scale, translation and unit along z, y, x; None where one of these axes or units is missing."""
    image = _image(attributes, where)
    axes = [axis if isinstance(axis, dict) else {"name": str(axis)} for axis in image.get("axes", [])]
    names = [axis["name"] for axis in axes]
    if not {"z", "y", "x"} <= set(names):
        return None
    scale, first = [1.0] * len(axes), [0.0] * len(axes)
    for step in (*image["datasets"][0].get("coordinateTransformations", ()), *_of_image(image)):
        if step.get("type") == "scale":
            scale, first = (
                [a * float(b) for a, b in zip(so_far, step["scale"], strict=True)]
                for so_far in (scale, first)
            )
        elif step.get("type") == "translation":
            first = [a + float(b) for a, b in zip(first, step["translation"], strict=True)]
    places = [names.index(axis) for axis in "zyx"]
    placed = [
        (scale[i], first[i], str(axes[i]["unit"])) for i in places if axes[i].get("unit") and scale[i] > 0
    ]
    if len(placed) < 3:
        return None
    return placed


def _signed_length(value: float, unit: str) -> float:
    return math.copysign(parse_length(f"{abs(value)!r} {unit}"), value) if value else 0.0


def _of_image(image: dict[str, Any]) -> Sequence[dict[str, Any]]:
    transforms: Sequence[dict[str, Any]] = image.get("coordinateTransformations", ())
    return transforms
