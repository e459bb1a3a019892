"""The array operations that a GPU runs find what the compiled loops find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigrock.errors import BackendError
from bigrock.flow import permeability
from bigrock.flow.domain import Boundary, stokes_domain
from bigrock.flow.stokes import flow_through
from bigrock.kernels import backend


def rock(seed: int, porosity: float) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((13, 12, 14)), 1.2)
    return field < np.quantile(field, porosity)


@pytest.mark.parametrize("boundary", ["sealed", "periodic", "mirrored"])
@pytest.mark.parametrize("porosity", [0.3, 0.6])
def test_array_operations_find_the_permeability_of_the_compiled_loops(
    boundary: Boundary, porosity: float
) -> None:
    domain = stokes_domain(rock(4, porosity), boundary)
    assert domain is not None
    loops, arrays = (flow_through(domain, 1e-4, 500, xp) for xp in (None, np))
    assert arrays.converged
    assert arrays.permeability == pytest.approx(loops.permeability, rel=1e-5)


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_probe_gpu", lambda: backend._Probe(False, "", "none is there"))
    with pytest.raises(BackendError, match="none is there"):
        permeability(rock(0, 0.5), voxel_size="1 um", backend="gpu")
    assert permeability(rock(0, 0.5), voxel_size="1 um", axis="z", backend="auto")["z"].percolates
