"""Scans in the file formats of scanners and image tools, read region by region and written slab by slab.

Every reader is a `Source`: a small frozen value that says where the voxels lie and reads only what
is asked for. Every writer takes z slabs, writes beside the destination and renames at the end, so
that nothing half-written is ever found there.

Files about one thing each: `opening` decides which reader; `raw`, `inflate`, `tiff`, `stack`, `hdf5`,
`matlab`, `nrrd`, `metaimage`, `npy`, `zarr_array` read; `views` and `finite` wrap a source to crop,
convert or check it; `write_tiff`, `write_plain` and `write_png` write, on what `writing` gives them.
"""

from __future__ import annotations

from bigrock.volumes.formats.finite import FiniteSource
from bigrock.volumes.formats.opening import SUPPORTED_FORMATS, open_source
from bigrock.volumes.formats.views import Converted, Cropped
from bigrock.volumes.formats.write_plain import write_npy, write_nrrd, write_raw_mhd
from bigrock.volumes.formats.write_png import write_png_slice
from bigrock.volumes.formats.write_tiff import write_tiff
from bigrock.volumes.formats.writing import slabs_of

__all__ = [
    "SUPPORTED_FORMATS",
    "Converted",
    "Cropped",
    "FiniteSource",
    "open_source",
    "slabs_of",
    "write_npy",
    "write_nrrd",
    "write_png_slice",
    "write_raw_mhd",
    "write_tiff",
]
