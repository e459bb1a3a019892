"""Scans in the file formats of scanners and image tools, read region by region and written slab by slab.

Every reader is a `Source`: a small frozen value that says where the voxels lie and reads only what
is asked for. Every writer takes z slabs, writes beside the destination and renames at the end, so
that nothing half-written is ever found there.

Files about one thing each: `opening` decides which reader; `raw`, `inflate`, `tiff`, `stack`, `hdf5`,
`matlab`, `nrrd`, `metaimage`, `npy`, `zarr_array` read; `views` and `finite` wrap a
source to crop, convert or check it; `write_*` write.
"""

from __future__ import annotations

from bigrock.volumes.formats.finite import FiniteSource
from bigrock.volumes.formats.opening import SUPPORTED_FORMATS, open_source
from bigrock.volumes.formats.views import Converted, Cropped

__all__ = ["SUPPORTED_FORMATS", "Converted", "Cropped", "FiniteSource", "open_source"]
