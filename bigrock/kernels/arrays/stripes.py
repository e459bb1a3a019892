"""Subtract stripes and rings: one body for every array module."""

from __future__ import annotations

from typing import Any

from bigrock.kernels.backend import dtype_of, namespace

__all__ = ["ring_corrections", "subtracted"]

Array = Any

_NARROW = ("bool", "uint8", "int8", "uint16", "int16", "float32")


def subtracted(core: Array, corrections: list[Array]) -> Array:
    """Return slices less their corrections (float32), in the type of the slices; integers are rounded.

    Examples
    --------
    >>> import numpy as np
    >>> subtracted(np.array([[[10, 250]]], np.uint8), [np.array([[1.6, -9.0]], np.float32)]).tolist()
    [[[8, 255]]]
    """
    xp, dtype = namespace(core), dtype_of(core)
    kind = xp.float32 if str(dtype) in _NARROW else xp.float64
    slices = []
    for z, correction in enumerate(corrections):
        grey = xp.astype(core[z, ...], kind) - xp.astype(correction, kind)
        if dtype.kind in "iu":
            limits = xp.iinfo(core.dtype)
            grey = xp.clip(xp.round(grey), limits.min, limits.max)
        slices.append(xp.astype(grey, core.dtype))
    return xp.stack(slices)


def ring_corrections(profiles: Array, inner: Array, part: Array) -> list[Array]:
    """Return for every slice its radial profile, interpolated at the radii ``inner + part``.

    Examples
    --------
    >>> import numpy as np
    >>> ring_corrections(np.array([[0.0, 10.0]], np.float32), np.array([[0]]), np.array([[0.5]], np.float32))
    [array([[5.]], dtype=float32)]
    """
    xp = namespace(profiles)
    places = xp.reshape(inner, (-1,))
    corrections = []
    for z in range(profiles.shape[0]):
        near = xp.reshape(xp.take(profiles[z, ...], places, axis=0), inner.shape)
        far = xp.reshape(xp.take(profiles[z, ...], places + 1, axis=0), inner.shape)
        corrections.append(near + (far - near) * part)
    return corrections
