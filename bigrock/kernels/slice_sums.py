"""Number, sum and sum of squares of the voxels of every slice, as exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Block
from bigrock.kernels.arrays import standardize as arrays
from bigrock.kernels.backend import dtype_of, namespace, to_host
from bigrock.kernels.exact_sums import nonfinite_error, shift_of_exponent, single_precision

__all__ = ["SMALL", "Sums", "numbers", "slice_sums"]

Array = npt.NDArray[Any]
Sums = tuple[int, int, int]

SMALL = ("bool", "uint8", "int8", "uint16", "int16")
"""Types that are summed as they are; wider ones as float32."""


def numbers(core: Array) -> Array:
    """Return the voxels in a type that the compiled loops take.

    Examples
    --------
    >>> numbers(np.array([1, 2])).dtype
    dtype('float32')
    """
    if str(core.dtype) not in SMALL:
        return single_precision(core)
    return core.view(np.uint8) if core.dtype.kind == "b" else core


def slice_sums(core: Array, block: Block) -> list[Sums]:
    """Return number, sum and sum of squares of every slice of a block; floats in units of 2**-149.

    Raises
    ------
    NonFiniteError
        If a voxel is NaN, infinite or beyond the range of float32.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> slice_sums(np.array([[[1, 3]]], np.uint8), BlockGrid((1, 1, 2), (1, 1, 2))[0])
    [(2, 4, 10)]
    """
    if namespace(core) is not np:
        return _array_sums(core, block)
    return _integer_sums(core) if str(core.dtype) in SMALL else _float_sums(core, block)


def _integer_sums(core: Array) -> list[Sums]:
    from bigrock.kernels.compiled import sum_values

    totals, squares = np.zeros(core.shape[0], np.int64), np.zeros(core.shape[0], np.uint64)
    sum_values(numbers(core), totals, squares)
    voxels = core.shape[1] * core.shape[2]
    return [(voxels, int(s), int(q)) for s, q in zip(totals, squares, strict=True)]


def _float_sums(core: Array, block: Block) -> list[Sums]:
    from bigrock.kernels.compiled import sum_floats

    result: list[Sums] = []
    sums = np.zeros((256, 3), np.int64)
    for z in range(core.shape[0]):
        plane = core[z : z + 1]
        sums[:] = 0
        if bad := sum_floats(single_precision(plane).view(np.uint32), sums):
            y, x = block.core.start[1:]
            raise nonfinite_error(plane, (block.core.start[0] + z, y, x), bad)
        total = squares = 0
        for exponent in np.flatnonzero(sums.any(axis=1)):
            shift = shift_of_exponent(int(exponent))
            significands, low, high = (int(v) for v in sums[exponent])
            total += significands << shift
            squares += (low + (high << 24)) << 2 * shift
        result.append((plane.size, total, squares))
    return result


def _array_sums(core: Any, block: Block) -> list[Sums]:
    """Return the sums of an array that is not numpy's."""
    if str(dtype_of(core)) in SMALL:
        return arrays.sum_integers(core)
    sums, bad = arrays.sum_floats(core)
    if bad:
        raise nonfinite_error(to_host(core), block.core.start, bad)
    return sums
