"""Rocks whose answer is known, made on the spot at any size; no file is downloaded or shipped."""

from bigrock.datasets.sandstone import Sandstone, SandstoneTruth
from bigrock.datasets.shale import Shale, ShaleTruth

__all__ = ["Sandstone", "SandstoneTruth", "Shale", "ShaleTruth"]
