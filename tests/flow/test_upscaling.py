"""Upscaled permeabilities of grids of cells."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bigrock.errors import ParameterError
from bigrock.flow import ConvergenceWarning, upscale, upscaling


def test_layers_conduct_in_series_across_and_in_parallel_along() -> None:
    layers = np.repeat([1e-15, 4e-13, 2e-14, 3e-12], 2)[:, None, None] * np.ones((8, 3, 4))
    found = upscale(layers)
    assert found["z"].darcy == pytest.approx(found["z"].harmonic, rel=1e-6)
    assert found["y"].darcy == pytest.approx(found["y"].arithmetic, rel=1e-6)
    assert found["x"].darcy == pytest.approx(layers.mean(), rel=1e-6)
    assert found["z"].geometric == pytest.approx((1e-15 * 4e-13 * 2e-14 * 3e-12) ** 0.25)


def test_a_checkerboard_conducts_as_its_geometric_mean() -> None:
    """Dykhne 1970: exact in two dimensions. Harmonic means at the corners make the grid a little too tight."""
    squares = np.indices((4, 4)).sum(0) % 2
    board = np.where(np.kron(squares, np.ones((24, 24))) > 0, 4.0, 1.0)[None]
    found = upscale(board)
    assert found["y"].darcy == pytest.approx(2.0, rel=0.03)
    assert found["x"].darcy == pytest.approx(2.0, rel=0.03)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (3, 4, 2), elements=st.floats(1e-3, 1e3)))
def test_the_flow_lies_between_the_harmonic_and_the_arithmetic_mean(k: np.ndarray) -> None:
    for axis in upscale(k).values():
        assert axis.harmonic * (1 - 1e-6) <= axis.darcy <= axis.arithmetic * (1 + 1e-6)
        assert axis.harmonic * (1 - 1e-6) <= axis.geometric <= axis.arithmetic * (1 + 1e-6)


def test_a_direct_solver_finds_the_same() -> None:
    k = np.random.default_rng(0).lognormal(0, 2, (4, 5, 3))
    n = np.arange(k.size).reshape(k.shape)
    matrix, right = np.zeros((k.size, k.size)), np.zeros(k.size)
    for place in np.ndindex(k.shape):
        for axis in range(3):
            other = tuple(p + (a == axis) for a, p in enumerate(place))
            if other[axis] < k.shape[axis]:
                c = 2 / (1 / k[place] + 1 / k[other])
                i, j = n[place], n[other]
                matrix[[i, j], [i, j]] += c
                matrix[[i, j], [j, i]] -= c
        if place[1] in (0, k.shape[1] - 1):
            matrix[n[place], n[place]] += 2 * k[place]
            right[n[place]] += 2 * k[place] * (place[1] == 0)
    flux = 2 * k[:, -1].ravel() @ np.linalg.solve(matrix, right)[n[:, -1].ravel()]
    assert upscale(k)["y"].darcy == pytest.approx(flux * 5 / 12, rel=1e-6)


def test_tight_cells_are_gone_around_and_a_tight_layer_stops_the_flow() -> None:
    k = np.ones((5, 5, 5))
    k[2, 2, 2] = 0
    around = upscale(k)["z"]
    assert 0.95 < around.darcy < 1
    assert (around.harmonic, around.geometric) == (0.0, 0.0)
    k[2] = 0
    found = upscale(k)
    assert found["z"].darcy == pytest.approx(0, abs=1e-9)
    assert found["y"].darcy == pytest.approx(0.8)
    assert upscale(np.zeros((2, 2, 2)))["x"].darcy == 0


def test_each_axis_has_its_own_permeabilities_and_cells_their_own_shape() -> None:
    k = np.random.default_rng(1).lognormal(0, 1, (3, 3, 4, 5))
    found = upscale(k, cell_size=(2, 1, 1))
    assert found["x"].arithmetic == pytest.approx(k[2].mean())
    turned = upscale(k[[2, 0, 1]].transpose(0, 3, 1, 2), cell_size=(1, 2, 1))
    assert turned["z"].darcy == pytest.approx(found["x"].darcy, rel=1e-6)
    assert json.loads(json.dumps(found.to_dict()))["y"]["darcy"] == found["y"].darcy


@pytest.mark.parametrize(
    ("k", "options", "message"),
    [
        (np.ones((2, 2)), {}, "no grid of cells"),
        (np.full((2, 2, 2), np.nan), {}, "8|24"),
        (-np.ones((2, 2, 2)), {}, "negative"),
        (np.ones((2, 2, 2)), {"cell_size": (1, 0, 1)}, "cell_size"),
    ],
)
def test_what_is_not_allowed_is_refused(k: np.ndarray, options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        upscale(k, **options)  # type: ignore[arg-type]


def test_a_solver_that_is_stopped_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upscaling, "_MOST", 1)
    with pytest.warns(ConvergenceWarning, match="Darcy"):
        assert not upscale(np.random.default_rng(0).random((4, 4, 4)))["z"].converged
