"""Box counts by the array standard, on its strictest implementation, against the compiled ones."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.kernels import box_count, differential_box_count

SHAPES = [(8, 8, 8), (7, 5, 9), (6, 13), (1, 9, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["phase", "interface"])
def test_box_counts_are_the_compiled_ones(shape, kind):
    mask = np.random.default_rng(0).random(shape) < 0.2
    for sizes in (None, (1, 2, 3, 5, 20)):
        found = box_count(strict.asarray(mask), sizes=sizes, kind=kind)
        assert found.to_dict() == box_count(mask, sizes=sizes, kind=kind).to_dict()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_differential_box_counts_are_the_compiled_ones(shape, dtype):
    info = np.iinfo(dtype)
    image = np.random.default_rng(0).integers(info.min, info.max, shape, dtype, endpoint=True)
    for sizes in (None, (1, 2, 3, 5, 20)):
        found = differential_box_count(strict.asarray(image), sizes=sizes, levels=200)
        assert found.to_dict() == differential_box_count(image, sizes=sizes, levels=200).to_dict()
