"""Voxels that tests write as raw files."""

from __future__ import annotations

import numpy as np

SHAPE = (7, 11, 13)


def some_voxels(dtype: str, shape: tuple[int, int, int] = SHAPE, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.integers(0, 2 if dtype == "?" else 200, shape)).astype(dtype)
