"""Pure integers, and what counts as one: regions, block grids, halos, the order of blocks. No I/O, no voxels."""

from bigrock.geometry.grid import Block, BlockGrid, Region, Shape, check_alignment
from bigrock.geometry.seams import Seam, Seams, seams_of
from bigrock.geometry.whole import is_whole
from bigrock.geometry.zorder import z_order

__all__ = [
    "Block",
    "BlockGrid",
    "Region",
    "Seam",
    "Seams",
    "Shape",
    "check_alignment",
    "is_whole",
    "seams_of",
    "z_order",
]
