"""Rocks whose answer is known, made on the spot at any size; no file is downloaded or shipped."""

from bigrock.datasets.rocks import ROCK_FAMILIES, rock
from bigrock.datasets.sandstone import Sandstone, SandstoneTruth
from bigrock.datasets.shale import Shale, ShaleTruth

__all__ = ["ROCK_FAMILIES", "Sandstone", "SandstoneTruth", "Shale", "ShaleTruth", "rock"]
