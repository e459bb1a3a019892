"""Formation factors of images against exact and published ones."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import ndimage

from bigrock.errors import ParameterError
from bigrock.flow import ConvergenceWarning, formation_factor

BOUNDARIES = ("sealed", "mirrored", "periodic")


def rock(shape: tuple[int, int, int] = (14, 16, 18), seed: int = 0, porosity: float = 0.45):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.0, mode="wrap")
    return field < np.quantile(field, porosity)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("length", [1, 2, 7])
def test_straight_tubes_conduct_as_their_porosity(boundary: str, length: int) -> None:
    tubes = np.zeros((length, 9, 11), bool)
    tubes[:, 1:4, 2:9] = tubes[:, 6, 3] = True
    found = formation_factor(tubes, axis="z", boundary=boundary)["z"]
    assert found.formation_factor == pytest.approx(1 / tubes.mean(), rel=1e-5)
    assert found.tortuosity_factor == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_layers_conduct_along_and_not_across(boundary: str) -> None:
    layers = np.zeros((8, 6, 5), bool)
    layers[::2] = True
    found = formation_factor(layers, boundary=boundary)
    assert (found["z"].percolates, found["z"].formation_factor) == (False, math.inf)
    assert [found[a].conductivity for a in "yx"] == pytest.approx([0.5, 0.5], rel=1e-5)
    assert json.loads(json.dumps(found.to_dict()))["z"]["formation_factor"] is None


def test_a_staircase_has_the_resistance_of_its_path() -> None:
    """One voxel wide: 1/2 + 5 + 1/2 voxels long between the ends of a sample 4 voxels long."""
    stair = np.zeros((4, 3, 1), bool)
    stair[:3, 0, 0] = stair[2, :, 0] = stair[2:, 2, 0] = True
    found = formation_factor(stair, axis="z", tolerance=1e-5)["z"]
    assert found.conductivity == pytest.approx(1 / 6 * 4 / 3, rel=1e-5)


def test_the_grid_gives_what_a_direct_solver_gives() -> None:
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    from bigrock.flow.domain import percolating

    mask = percolating(rock(), "sealed")
    number = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1, -1)
    n, pairs = int(mask.sum()), []
    for axis in range(3):
        a, b = (np.moveaxis(number, axis, 0)[s].ravel() for s in (slice(None, -1), slice(1, None)))
        pairs.append(np.stack([a, b])[:, (a >= 0) & (b >= 0)])
    i, j = np.concatenate(pairs, 1)
    graph = coo_matrix((np.ones(i.size), (i, j)), (n, n))
    graph = (graph + graph.T).tocsr()
    inlet, outlet = (np.bincount(number[end][mask[end]], minlength=n) for end in (0, -1))
    diagonal = np.asarray(graph.sum(1)).ravel() + 2.0 * (inlet + outlet)
    potential = spsolve((coo_matrix((diagonal, (range(n), range(n)))) - graph).tocsc(), 2.0 * inlet)
    expected = (2 * potential * outlet).sum() * mask.shape[0] / mask[0].size
    found = formation_factor(rock(), axis="z", tolerance=1e-5)["z"]
    assert found.conductivity == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("solid", [0.05, 0.2])
def test_spheres_conduct_as_maxwell_says(solid: float) -> None:
    """Insulating spheres: 2 (1 − c) / (2 + c); Rayleigh's correction for the lattice is below 0.2 % here."""
    edge = 40
    radius = (3 * solid / 4 / np.pi) ** (1 / 3) * edge
    outside = sum((np.mgrid[:edge, :edge, :edge] - (edge - 1) / 2) ** 2) >= radius**2
    exact = 2 * outside.mean() / (2 + 1 - outside.mean())
    found = formation_factor(outside, axis="z", boundary="periodic")["z"]
    assert found.conductivity == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_turning_the_sample_turns_the_factors(boundary: str) -> None:
    found = formation_factor(rock(), boundary=boundary)
    turned = formation_factor(rock().transpose(2, 0, 1), boundary=boundary, threads=2)
    for axis, other in zip("zyx", "yxz", strict=True):
        assert turned[other].conductivity == pytest.approx(found[axis].conductivity, rel=1e-5)


def test_sealed_is_the_periodic_answer_for_all_mirror_images() -> None:
    mask = rock((8, 9, 10))
    images = np.pad(mask, [(0, n) for n in mask.shape], mode="symmetric")
    sealed = formation_factor(mask, tolerance=1e-4)
    periodic = formation_factor(images, boundary="periodic", tolerance=1e-4)
    for axis in "zyx":
        assert sealed[axis].conductivity == pytest.approx(periodic[axis].conductivity, rel=1e-4)


def test_a_solver_that_is_stopped_early_says_so() -> None:
    with pytest.warns(ConvergenceWarning, match="current along y"):
        found = formation_factor(rock(), axis="y", max_iterations=1)
    assert not found["y"].converged


def test_numbers_that_are_none_are_named():
    for name, value in (("max_iterations", 0), ("threads", 1.5), ("tolerance", "fine")):
        with pytest.raises(ParameterError, match=f"^{name}={value!r} is no"):
            formation_factor(rock(), **{name: value})


def test_the_exponent_is_that_of_archie() -> None:
    found = formation_factor(rock(), axis="x")["x"]
    assert found.porosity**-found.cementation_exponent == pytest.approx(found.formation_factor)
