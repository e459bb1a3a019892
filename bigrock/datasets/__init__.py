"""Rocks whose answer is known, made on the spot at any size, and sets of rocks to train networks on.

No file is downloaded or shipped.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bigrock.datasets.rocks import ROCK_FAMILIES, rock
from bigrock.datasets.sandstone import Sandstone, SandstoneTruth
from bigrock.datasets.shale import Shale, ShaleTruth

if TYPE_CHECKING:
    from bigrock.datasets.deepore import DeePore
    from bigrock.datasets.rock_set import RockSet, open_rocks
    from bigrock.datasets.rock_set_split import RockSplit
    from bigrock.datasets.rocks_making import make_rocks

_HOME = {
    "DeePore": "deepore",
    "RockSet": "rock_set",
    "RockSplit": "rock_set_split",
    "make_rocks": "rocks_making",
    "open_rocks": "rock_set",
}

__all__ = [
    "DeePore",
    "ROCK_FAMILIES",
    "RockSet",
    "RockSplit",
    "Sandstone",
    "SandstoneTruth",
    "Shale",
    "ShaleTruth",
    "make_rocks",
    "open_rocks",
    "rock",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
