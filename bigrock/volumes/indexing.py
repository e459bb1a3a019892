"""Numpy's basic indexing of a volume, as a region to read and what to pick of it."""

from __future__ import annotations

from typing import Any

from bigrock.errors import ParameterError
from bigrock.geometry import Region, Shape

__all__ = ["region_of"]


def region_of(key: Any, shape: Shape) -> tuple[Region, tuple[int | slice, ...]]:
    """Return the region that holds ``array[key]``, and the index that picks it from that region.

    Parameters
    ----------
    key : int, slice, Ellipsis or a tuple of them
        As numpy takes it; negative numbers count from the end.
    shape : Shape
        The volume.

    Raises
    ------
    IndexError
        If a number is outside, or there are too many.
    ParameterError
        If something else is given, or a step is negative.

    Examples
    --------
    >>> region_of((-1, slice(2, 9, 3)), (4, 20, 30))[0]
    Region(start=(3, 2, 0), stop=(4, 9, 30))
    """
    items = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in items:
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (len(shape) + 1 - len(items))
    if len(items) > len(shape):
        raise IndexError(f"{len(items)} indices for a volume, which has three axes z, y, x")
    items += [slice(None)] * (len(shape) - len(items))
    axes = [_axis(item, n, axis) for item, n, axis in zip(items, shape, "zyx", strict=True)]
    z, y, x = (span for span, _ in axes)
    region = Region((z[0], y[0], x[0]), (z[1], y[1], x[1]))
    return region, tuple(pick for _, pick in axes)


def _axis(item: Any, n: int, axis: str) -> tuple[tuple[int, int], int | slice]:
    if isinstance(item, slice):
        start, stop, step = item.indices(n)
        if step < 0:
            raise ParameterError(
                f"step {step} along {axis} is negative. Read forwards, and reverse the array."
            )
        return (start, max(start, stop)), slice(None, None, step)
    if not hasattr(item, "__index__") or isinstance(item, bool):
        raise ParameterError(
            f"index {item!r} along {axis} is no number or slice. Read a part, and index the array."
        )
    at = item.__index__()
    if not -n <= at < n:
        raise IndexError(f"index {at} along {axis} is outside a volume of {n} voxels along it")
    return (at % n, at % n + 1), 0
