"""A set of rocks and DeePore files, made once for all tests of a module."""

from __future__ import annotations

import numpy as np
import pytest
from deepore_files import COUNT, EDGE, plausible_outputs, write
from small_sets import QUICK

from bigrock.datasets import DeePore, RockSet, make_rocks, rock


@pytest.fixture(scope="module")
def rocks(tmp_path_factory) -> RockSet:
    folder = tmp_path_factory.mktemp("rocks")
    return make_rocks(folder / "rocks.zarr", count=27, seed=4, axes=("x", "z"), **QUICK)


@pytest.fixture(scope="module")
def pores() -> np.ndarray:
    return np.stack([rock((9, i), edge=EDGE) for i in range(COUNT)])


@pytest.fixture(scope="module", params=["bool with a trailing 1", "uint8 without"])
def complete(request, tmp_path_factory, pores) -> DeePore:
    x = (~pores).astype(bool if request.param.startswith("bool") else np.uint8)
    y = plausible_outputs()[..., None]
    if request.param.startswith("bool"):
        x = x[..., None]
    return DeePore(write(tmp_path_factory.mktemp("deepore") / "DeePore_Dataset.h5", x, y))
