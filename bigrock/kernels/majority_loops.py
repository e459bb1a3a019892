"""Compiled loops of the majority along z.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["majority_in_columns"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def _winner(votes: Array, own: Any) -> Any:
    """Return the label with the most votes, and `own` where several have them."""
    most, winner, tied = 0, own, False
    for i in range(votes.size):
        count = 0
        seen = False
        for j in range(votes.size):
            if votes[j] == votes[i]:
                seen = seen or j < i
                count += 1
        if not seen:
            if count > most:
                most, winner, tied = count, votes[i], False
            elif count == most:
                tied = True
    return own if tied else winner


@njit(nogil=True, cache=True)
def majority_in_columns(labels: Array, first: int, radius: int, out: Array) -> None:
    """Set `out`, the slices of `labels` from `first` on, to the majorities of their columns."""
    depth = labels.shape[0]
    votes = np.empty(2 * radius + 1, labels.dtype)
    for z in range(out.shape[0]):
        low, high = max(0, first + z - radius), min(depth, first + z + radius + 1)
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                own = labels[first + z, y, x]
                agree = True
                for k in range(low, high):
                    votes[k - low] = labels[k, y, x]
                    agree &= votes[k - low] == own
                out[z, y, x] = own if agree else _winner(votes[: high - low], own)
