"""Connected components by the `ndimage.label` of an array's own module: cupyx on a GPU, scipy elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigrock.kernels.backend import dtype_of, namespace, to_host

__all__ = ["label_array", "without_holes", "without_small"]

Array = Any

_STEPS = {6: 1, 18: 2, 26: 3}


def label_array(image: Array, connectivity: int) -> tuple[Array, int]:
    """Return the connected components of an image, numbered by their first voxels, and how many there are.

    The same numbers as the compiled loops of `bigrock.kernels.label`. A mask is labelled at once,
    labels value by value, so many values take long.

    Parameters
    ----------
    image : array of bool or integers, 2-D or 3-D
        Of cupy, or of any module of the array standard.
    connectivity : {6, 18, 26}
        Which voxels touch; a 2-D image is one slice.

    Examples
    --------
    >>> labels, count = label_array(np.array([[0, 7, 0, 7]]), 26)
    >>> labels.tolist(), count
    ([[0, 1, 0, 2]], 2)
    """
    xp = namespace(image)
    volume = xp.reshape(image, (1, *image.shape)[-3:])
    labels = xp.zeros(volume.shape, dtype=xp.int64)
    count = 0
    is_mask = dtype_of(image).kind == "b"
    values = [True] if is_mask else [int(v) for v in to_host(xp.unique_all(volume)[0]) if v]
    for value in values:
        inside = volume if is_mask else volume == value
        found, more = _labelled(inside, connectivity)
        labels = xp.where(inside, found + count, labels)
        count += more
    dtype = xp.uint32 if count < 2**32 else xp.uint64
    return xp.reshape(xp.astype(_in_order(labels, count), dtype), image.shape), count


def _labelled(mask: Array, connectivity: int) -> tuple[Array, int]:
    """Return the labels of a mask as int64, in any order."""
    xp = namespace(mask)
    structure = np.indices((3, 3, 3)) - 1
    touching = np.abs(structure).sum(axis=0) <= _STEPS[connectivity]
    if xp.__name__ == "cupy":
        from cupyx.scipy import ndimage as on_device

        found, count = on_device.label(mask, structure=touching)
        return xp.astype(found, xp.int64), int(count)
    from scipy import ndimage

    found, count = ndimage.label(to_host(mask), structure=touching)
    return xp.asarray(found.astype(np.int64)), int(count)


def _in_order(labels: Array, count: int) -> Array:
    """Return labels renumbered by the first voxel of each."""
    xp = namespace(labels)
    flat = xp.reshape(labels, (-1,))
    values, first, _, _ = xp.unique_all(flat)
    first = first[values > 0]
    order = xp.argsort(first)
    rank = xp.argsort(order)
    table = xp.concat([xp.zeros((1,), dtype=xp.int64), xp.astype(rank, xp.int64) + 1])
    return xp.reshape(xp.take(table, flat), labels.shape) if count else labels


def without_small(mask: Array, min_voxels: int, connectivity: int) -> Array:
    """Return a mask without its components of less than `min_voxels` voxels.

    Examples
    --------
    >>> without_small(np.array([[True, False, True, True]]), 2, 26).tolist()
    [[False, False, True, True]]
    """
    labels, sizes = _sizes(mask, connectivity)
    return mask & _chosen(labels, sizes >= min_voxels)


def without_holes(mask: Array, max_voxels: int | None, connectivity: int) -> Array:
    """Return a mask without holes of up to `max_voxels` voxels; `connectivity` is that of the holes.

    Examples
    --------
    >>> without_holes(np.array([[True, True, True], [True, False, True], [True, True, True]]), None, 6).all()
    np.True_
    """
    xp = namespace(mask)
    labels, sizes = _sizes(~mask, connectivity)
    filled = sizes <= (labels.size if max_voxels is None else max_voxels)
    everywhere: list[Any] = [slice(None)] * labels.ndim
    for axis in (a for a in range(labels.ndim) if labels.shape[a] > 1):
        for end in (0, labels.shape[axis] - 1):
            at = (*everywhere[:axis], end, *everywhere[axis + 1 :])
            outside = xp.unique_all(labels[at])[0]
            filled = filled & ~_among(outside, filled.shape[0], xp)
    return mask | (~mask & _chosen(labels, filled))


def _sizes(mask: Array, connectivity: int) -> tuple[Array, Array]:
    """Return the labels of a mask as int64, and the size of each; that of the background as 0 counts none."""
    xp = namespace(mask)
    labels = xp.astype(label_array(mask, connectivity)[0], xp.int64)
    # One background voxel more, so that 0 is always among the values.
    flat = xp.concat([xp.zeros((1,), dtype=xp.int64), xp.reshape(labels, (-1,))])
    return labels, xp.astype(xp.unique_all(flat)[3], xp.int64)


def _chosen(labels: Array, wanted: Array) -> Array:
    """Return where ``wanted[label]`` holds."""
    xp = namespace(labels)
    return xp.reshape(xp.take(wanted, xp.reshape(labels, (-1,))), labels.shape)


def _among(values: Array, count: int, xp: Any) -> Array:
    """Return for 0, 1… `count` whether each is one of `values`."""
    both = xp.concat([xp.arange(count, dtype=xp.int64), values])
    return xp.unique_all(both)[3] > 1
