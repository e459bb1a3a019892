"""Small cores to be mapped."""

from __future__ import annotations

import numpy as np

import bigrock
from bigrock.datasets import rock
from bigrock.kernels import low_resolution

VOXEL = (2e-6,) * 3

QUIET = {"progress": False, "report": False}


def mask(edge=(32, 16, 32), seed=0, porosity=0.4) -> np.ndarray:
    return rock(seed, edge=edge, family="blobs", porosity=porosity, scale=0.5)


def core(image: np.ndarray, voxel=VOXEL) -> bigrock.ArraySource:
    return bigrock.ArraySource(image, voxel)


def coarse() -> bigrock.ArraySource:
    return core(low_resolution(mask((64, 32, 32)), factor=2), (4e-6,) * 3)
