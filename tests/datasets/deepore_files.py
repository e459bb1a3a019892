"""Files in the exact layout of DeePore."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from bigrock.datasets.deepore_columns import DEEPORE_PROPERTIES

COUNT, EDGE = 8, 16


def plausible_outputs(count: int = COUNT) -> np.ndarray:
    """Outputs that nothing is wrong with, and that tell samples and columns apart."""
    rng = np.random.default_rng(0)
    y = np.empty((count, 1515))
    for item in DEEPORE_PROPERTIES:
        low = max(item.low, 0.01)
        values = np.sort(rng.uniform(low, min(item.high, low + 0.6), (count, item.size)), 1)
        y[:, item.first : item.first + item.size] = values
    return y


def write(path: Path, x: np.ndarray, y: np.ndarray) -> Path:
    """Write as DeePore does: appended sample by sample, one per chunk, gzip 5."""
    with h5py.File(path, "w") as file:
        for key, values in (("X", x), ("Y", y)):
            data = file.create_dataset(
                key,
                (0, *values.shape[1:]),
                values.dtype,
                maxshape=(None, *values.shape[1:]),
                chunks=(1, *values.shape[1:]),
                compression="gzip",
                compression_opts=5,
            )
            for i, sample in enumerate(values):
                data.resize(i + 1, axis=0)
                data[i] = sample
    return path
