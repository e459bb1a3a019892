"""Which samples of a set are asked for: numbers in any order, or a mask of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["Indices", "asked_indices", "whole_numbers"]

Indices = Sequence[int] | range | npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]


def asked_indices(asked: Indices, count: int, what: str, where: str) -> npt.NDArray[np.int64]:
    """Return the numbers of the samples that are asked for, in that order.

    Parameters
    ----------
    asked : sequence of int, or of bool (n,)
        Numbers from 0 on, repeats allowed; or which of all samples.
    count : int
        How many there are, n.
    what, where : str
        A sample and what holds them, for people.

    Raises
    ------
    ParameterError
        If they are no numbers of samples, or a mask of another length.

    Examples
    --------
    >>> asked_indices([2, 0], 3, "rock", "the set").tolist()
    [2, 0]
    >>> asked_indices([False, True, True], 3, "rock", "the set").tolist()
    [1, 2]
    """
    given = np.asarray(asked)
    if given.dtype == bool:
        if given.shape != (count,):
            raise ParameterError(
                f"a mask of shape {given.shape} does not tell which of the {count} samples of {where} are meant. "
                "Give one entry each, or numbers."
            )
        return np.flatnonzero(given)
    numbers = whole_numbers(given, f"numbers of a {what}").reshape(-1)
    outside = numbers[(numbers < 0) | (numbers >= count)]
    if outside.size:
        raise ParameterError(f"{what} {outside[0]} is not in {where}, which holds {count}, numbered from 0.")
    return numbers


def whole_numbers(given: npt.ArrayLike, what: str) -> npt.NDArray[np.int64]:
    """Return an array of whole numbers; nothing is rounded, and no text is read as one.

    Raises
    ------
    ParameterError
        If the array has another type.

    Examples
    --------
    >>> whole_numbers([3, 1], "parents").tolist()
    [3, 1]
    """
    values = np.asarray(given)
    if values.size and values.dtype.kind not in "iu":
        raise ParameterError(f"{what} are whole numbers, and these are {values.dtype}. Give integers.")
    return values.astype(np.int64)
