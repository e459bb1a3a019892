"""Lacunarity by the array standard, on its strictest implementation, against the compiled one."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.kernels import lacunarity


@pytest.mark.parametrize("shape", [(8, 8, 8), (7, 5, 9), (6, 13), (1, 9, 5)])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "uint32"])
def test_lacunarity_is_the_compiled_one(shape, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 2 if dtype == "bool" else np.iinfo(dtype).max, shape).astype(dtype)
    for sizes in ((1, 2, 3), (5,)):
        found = lacunarity(strict.asarray(image), sizes=sizes)
        assert found.tolist() == lacunarity(image, sizes=sizes).tolist()
