"""Permeability of stored images by surrogates: a volume, or a set of rocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigrock.errors import NotAVolumeError, ParameterError, VolumeNotFoundError
from bigrock.models import Bundle, load_bundle, predict_permeability
from bigrock.models.predicting import refuse_misfits
from bigrock.volumes.polarity import warn_of_polarity
from bigrock.volumes.source import required_voxel_size

__all__ = ["predict_stored"]


def predict_stored(path: str, models: Sequence[str | Bundle], *, axis: str = "all") -> dict[str, Any]:
    """Return what surrogates tell of a stored volume, or of every rock of a set.

    Parameters
    ----------
    path : str
        A mask or pore fractions, in memory as a whole; or a set of rocks.
    models : sequence of str or Bundle
        Surrogates.
    axis : {"z", "y", "x", "all"}
        Along which.

    Returns
    -------
    dict
        JSON: ``models``, and under ``predictions`` for each rock and axis ``k_m2``, ``k_voxel2``, ``log10_std``
        (None where k is 0), ``out_of_distribution``, ``percolates``.

    Raises
    ------
    BigrockError
        If it is no such image, has no voxel size, or another extent than the surrogates were trained on.

    Examples
    --------
    >>> predict_stored("nowhere.zarr", ["model"])
    Traceback (most recent call last):
    bigrock.errors.BundleError: model is no model bundle: ...
    """
    bundles = [load_bundle(model) for model in models]
    images, voxel_size = _read(path, bundles)
    found = predict_permeability(bundles, images, voxel_size=voxel_size, axis=axis)  # type: ignore[arg-type]
    warn_of_polarity(float(images.mean()), "mask value True, or pore fraction 1,", "Then exchange the two.")
    axes = "zyx" if axis == "all" else axis
    columns = {
        name: np.reshape(getattr(found, name), (len(images), len(axes)))
        for name in ("k_m2", "k_voxel2", "log10_std", "out_of_distribution", "percolates")
    }
    rows = [
        {"rock": rock, "axis": name, **{key: _json(column[rock, i]) for key, column in columns.items()}}
        for rock in range(len(images))
        for i, name in enumerate(axes)
    ]
    return {"models": [bundle.folder for bundle in bundles], "predictions": rows}


def _json(value: Any) -> Any:
    return None if np.isnan(value) else value.item()


def _read(path: str, bundles: Sequence[Bundle]) -> tuple[Any, Any]:
    """Return images (n, z, y, x) and their voxel size."""
    from bigrock.datasets import open_rocks
    from bigrock.volumes import open_volume

    try:
        rocks = open_rocks(path)
    except (NotAVolumeError, VolumeNotFoundError):
        volume = open_volume(path)
    else:
        refuse_misfits(bundles, rocks.images.shape[1:])
        return rocks.take(range(len(rocks))), rocks.voxel_size
    if volume.kind == "labels":
        raise ParameterError(f"{path} is a label volume. Give a mask, or take its pores with SelectClass.")
    refuse_misfits(bundles, volume.shape)
    return volume[:][None], required_voxel_size(volume, "its permeability")
