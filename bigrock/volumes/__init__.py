"""A rock volume on disk: chunked, compressed, with its units, classes and history.

`Volume` is one OME-Zarr 0.5 image on zarr v3. `Source` is what passes read: a volume, an array in
memory, or a scan in another file format (`bigrock.volumes.formats`). Nothing here runs a pass.
"""

from bigrock.geometry import Region
from bigrock.volumes.arrays import ArraySource
from bigrock.volumes.create import create_volume, exists, pyramid_levels
from bigrock.volumes.opening import open_volume, source_of
from bigrock.volumes.source import Facts, Kind, Source, Voxel, facts_of, required_voxel_size
from bigrock.volumes.volume import Volume

__all__ = [
    "ArraySource",
    "Facts",
    "Kind",
    "Region",
    "Source",
    "Volume",
    "Voxel",
    "create_volume",
    "exists",
    "facts_of",
    "open_volume",
    "pyramid_levels",
    "required_voxel_size",
    "source_of",
]
