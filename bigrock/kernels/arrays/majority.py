"""The majority along z by array operations: one body for every array module."""

from __future__ import annotations

from typing import Any

from bigrock.kernels.backend import namespace

__all__ = ["majority"]

Array = Any


def majority(labels: Array, first: int, stop: int, radius: int) -> Array:
    """Return the slices ``first`` to ``stop`` of labels set to the majorities of their columns.

    Examples
    --------
    >>> import numpy as np
    >>> majority(np.array([1, 0, 1]).reshape(3, 1, 1), 0, 3, 1).ravel().tolist()
    [1, 1, 1]
    """
    xp = namespace(labels)
    own = labels[first:stop, ...]
    places = xp.reshape(xp.arange(first, stop), (stop - first, 1, 1))
    last = labels.shape[0] - 1
    steps = range(-radius, radius + 1)
    votes = [xp.take(labels, xp.clip(xp.arange(first, stop) + k, 0, last), axis=0) for k in steps]
    counted = [(places + k >= 0) & (places + k <= last) for k in steps]
    most = xp.zeros(own.shape, dtype=xp.int32)
    winner, tied = own, xp.zeros(own.shape, dtype=xp.bool)
    for vote, here in zip(votes, counted, strict=True):
        count = xp.zeros(own.shape, dtype=xp.int32)
        for other, there in zip(votes, counted, strict=True):
            count = count + xp.astype((other == vote) & there, xp.int32)
        count = xp.where(here, count, xp.zeros_like(count))
        tied = (tied & (count <= most)) | ((count == most) & (vote != winner))
        winner = xp.where(count > most, vote, winner)
        most = xp.maximum(most, count)
    return xp.where(tied, own, winner)
