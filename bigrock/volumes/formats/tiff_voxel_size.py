"""The voxel size that a TIFF file states: ImageJ's header or OME-XML.

The resolution tags alone say nothing of z and are often a printer's 72 dpi, so they are not used.
"""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

from bigrock.volumes.formats.voxels import voxel_from
from bigrock.volumes.source import Voxel

__all__ = ["tiff_voxel_size"]


def tiff_voxel_size(file: Any, index: int) -> Voxel | None:
    """Return metres along z, y, x that an open TIFF file states for an image, or None.

    ImageJ writes the slice distance and the unit ("micron", "µm", its escaped form, "nm", "inch") in
    the description, and pixels per unit in the resolution tags. OME-XML has a length and a unit per
    axis. A length that is missing for any axis that has more than one voxel means None.

    Parameters
    ----------
    file : tifffile.TiffFile
        Open.
    index : int
        Which image of the file.
    """
    if file.is_ome and file.ome_metadata:
        return _from_ome(file.ome_metadata, index)
    if file.is_imagej and file.imagej_metadata:
        return _from_imagej(file.imagej_metadata, file.pages[0])
    return None


def _from_imagej(metadata: dict[str, Any], page: Any) -> Voxel | None:
    unit = str(metadata.get("unit", ""))
    pitch = [_pitch(page, name) for name in ("YResolution", "XResolution")]
    if pitch[0] is None or pitch[1] is None:
        return None
    slices = int(metadata.get("slices", metadata.get("images", 1)))
    spacing = metadata.get("spacing", pitch[0] if slices == 1 else None)
    if spacing is None:
        return None
    return voxel_from((float(spacing), pitch[0], pitch[1]), unit)


def _pitch(page: Any, tag: str) -> float | None:
    """Return the length of a pixel from a resolution tag (pixels per unit as a fraction)."""
    found = page.tags.get(tag)
    if found is None:
        return None
    value = found.value
    if isinstance(value, tuple):
        over, under = value
        return under / over if over and under else None
    return 1 / value if value and math.isfinite(value) else None


def _from_ome(text: str, index: int) -> Voxel | None:
    try:
        images = [one for one in ElementTree.fromstring(text).iter() if one.tag.endswith("}Pixels")]
    except ElementTree.ParseError:
        return None
    if index >= len(images):
        return None
    pixels = images[index].attrib
    metres: list[float] = []
    for axis in "ZYX":
        length, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if length is None and axis == "Z" and pixels.get("SizeZ") == "1":
            length, unit = pixels.get("PhysicalSizeY"), pixels.get("PhysicalSizeYUnit", "µm")
        one = voxel_from((float(length),) * 3, unit) if length else None
        if one is None:
            return None
        metres.append(one[0])
    return metres[0], metres[1], metres[2]
