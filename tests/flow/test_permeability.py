"""Permeability of images: what percolates, boundaries, units, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from bigrock.errors import ParameterError, UnitError, VoxelSizeError
from bigrock.flow import ConvergenceWarning, permeability

BOUNDARIES = ("sealed", "periodic", "mirrored")


def rock(shape: tuple[int, int, int] = (20, 22, 24), seed: int = 0, porosity: float = 0.4):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.0, mode="wrap")
    return field < np.quantile(field, porosity)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_turning_the_sample_turns_the_permeabilities(boundary: str) -> None:
    mask = rock()
    found = permeability(mask, voxel_size="1 um", boundary=boundary, tolerance=1e-4)
    turned = permeability(
        mask.transpose(2, 0, 1), voxel_size="1 um", boundary=boundary, tolerance=1e-4, threads=3
    )
    for axis, other in zip("zyx", "yxz", strict=True):
        assert turned[other].k_m2 == pytest.approx(found[axis].k_m2, rel=1e-5)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_flow_is_the_same_in_both_directions(boundary: str) -> None:
    mask = rock(seed=3)
    there, back = (
        permeability(m, voxel_size="1 um", axis="z", boundary=boundary, tolerance=1e-4)["z"].k_m2
        for m in (mask, mask[::-1])
    )
    assert there == pytest.approx(back, rel=1e-5)


def test_a_periodic_sample_twice_has_the_same_permeability() -> None:
    mask = rock((16, 16, 16))
    one, two = (
        permeability(m, voxel_size="1 um", axis="z", boundary="periodic", tolerance=1e-4)["z"].k_m2
        for m in (mask, np.concatenate([mask, mask], 1))
    )
    assert one == pytest.approx(two, rel=1e-5)


def test_a_mirrored_sample_is_the_periodic_one_of_all_its_mirror_images() -> None:
    mask = rock((10, 12, 11), seed=1)
    images = np.pad(mask, [(0, n) for n in mask.shape], mode="symmetric")
    mirrored = permeability(mask, voxel_size="1 um", boundary="mirrored", tolerance=1e-4)
    periodic = permeability(images, voxel_size="1 um", boundary="periodic", tolerance=1e-4)
    for axis in "zyx":
        assert mirrored[axis].k_m2 == pytest.approx(periodic[axis].k_m2, rel=1e-4)


def test_the_loose_default_is_close_to_the_tight_answer() -> None:
    mask = rock((32, 32, 32), porosity=0.25)
    loose = permeability(mask, voxel_size="1 um")
    tight = permeability(mask, voxel_size="1 um", tolerance=1e-5)
    for axis in "zyx":
        assert loose[axis].k_m2 == pytest.approx(tight[axis].k_m2, rel=2e-3)
        assert loose[axis].converged
        assert loose[axis].flux_spread <= 1e-2


def test_a_sample_that_does_not_percolate_has_no_permeability_and_is_not_solved() -> None:
    wall = np.ones((8, 8, 8), bool)
    wall[4] = False
    for boundary in BOUNDARIES:
        found = permeability(wall, voxel_size="1 um", boundary=boundary, axis="z")["z"]
        assert (found.k_m2, found.percolates, found.converged, found.iterations) == (0.0, False, True, 0)
    assert permeability(wall, voxel_size="1 um", axis="y")["y"].percolates


def test_voxels_that_touch_by_an_edge_do_not_percolate() -> None:
    stairs = np.zeros((4, 6, 6), bool)
    for z in range(4):
        stairs[z, z, z] = True
    assert not permeability(stairs, voxel_size="1 um", axis="z")["z"].percolates


def test_pores_that_do_not_meet_around_the_border_percolate_only_where_it_is_not_periodic() -> None:
    bent = np.zeros((8, 9, 5), bool)
    bent[:5, 1:3, 1:4] = bent[4:, 6:8, 1:4] = bent[4, 1:8, 1:4] = True
    found = {b: permeability(bent, voxel_size="1 um", axis="z", boundary=b)["z"] for b in BOUNDARIES}
    assert [found[b].percolates for b in BOUNDARIES] == [True, False, True]


def test_dead_ends_and_closed_pores_change_nothing() -> None:
    tube = np.zeros((8, 12, 12), bool)
    tube[:, 1:5, 1:5] = True
    more = tube.copy()
    more[2:5, 8:11, 8:11] = True
    more[:3, 8:11, 1:3] = True
    clean, dirty = (permeability(m, voxel_size="1 um", axis="z")["z"] for m in (tube, more))
    assert dirty.k_m2 == pytest.approx(clean.k_m2, rel=1e-6)
    assert dirty.porosity > clean.porosity


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 1), (2, 3, 7), (1, 4, 4), (13, 2, 3)])
def test_tiny_and_odd_shapes_are_solved(shape: tuple[int, int, int], boundary: str) -> None:
    mask = np.ones(shape, bool)
    mask[:, :1, :1] = shape == (1, 1, 1) or shape[1] * shape[2] == 1
    if mask.all() and boundary != "sealed":
        with pytest.raises(ParameterError, match="infinite"):
            permeability(mask, voxel_size="1 um", boundary=boundary)
        return
    found = permeability(mask, voxel_size="1 um", axis="z", boundary=boundary)["z"]
    assert found.converged
    assert found.k_m2 > 0


def test_units_are_metres_darcy_and_voxels() -> None:
    duct = np.ones((3, 16, 16), bool)
    found = permeability(duct, voxel_size="2 um", axis="z", tolerance=1e-4)["z"]
    assert found.k_m2 == pytest.approx(found.k_voxel2 * 4e-12)
    assert found.k_md == pytest.approx(1000 * found.k_m2 / 9.869233e-13)
    told = json.loads(json.dumps(permeability(duct, voxel_size="2 um").to_dict()))
    assert told["boundary"] == "sealed"
    assert {"k_m2", "k_darcy", "k_md", "kozeny_carman_m2", "percolates", "residual", "seconds"} <= set(
        told["z"]
    )


def test_a_solver_that_is_stopped_early_says_so() -> None:
    with pytest.warns(ConvergenceWarning, match="after 2 iterations"):
        found = permeability(rock(), voxel_size="1 um", axis="z", max_iterations=2)
    assert not found["z"].converged


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": "w"}, "z, y, x, all"),
        ({"boundary": "open"}, "sealed, periodic, mirrored"),
        ({"voxel_size": "1,1,2 um"}, "cubic"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"threads": 0}, "^threads=0 is no positive whole number"),
        ({"max_iterations": 0}, "^max_iterations=0 is no positive"),
        ({"max_iterations": 1.5}, "^max_iterations=1.5 is no positive"),
        ({"tolerance": None}, "^tolerance=None is not between"),
    ],
)
def test_what_is_not_allowed_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        permeability(rock(), **{"voxel_size": "1 um", **options})  # type: ignore[arg-type]


def test_polarity_is_not_guessed() -> None:
    with pytest.raises(ParameterError, match="which value is pore is not guessed"):
        permeability(rock().astype(np.uint8), voxel_size="1 um")  # type: ignore[arg-type]
    with pytest.raises(UnitError):
        permeability(rock(), voxel_size="2.25")
    with pytest.raises(VoxelSizeError, match="no voxel size is given"):
        permeability(rock(), voxel_size=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(8, 8), (0, 8, 8)])
def test_a_mask_without_three_axes_or_without_voxels_is_told_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"the mask has shape \(.*flow needs three axes"):
        permeability(np.ones(shape, bool), voxel_size="1 um")


def test_berea_is_near_what_was_published_for_it(shared_data: Path) -> None:
    """1193 mD along z of the whole image of 400³; this is its middle, which conducts 6 % better."""
    file = shared_data / "berea_400" / "berea_400_seg.tif"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    middle = np.ascontiguousarray(tifffile.imread(file)[100:300, 100:300, 100:300] == 0)
    found = permeability(middle, voxel_size="5.345 um", axis="z")["z"]
    assert found.percolates
    assert found.k_md == pytest.approx(1193, rel=0.1)
