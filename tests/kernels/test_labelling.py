"""Labels against cc3d and scipy: near percolation, on adversarial shapes, on real rock."""

from __future__ import annotations

from pathlib import Path

import cc3d
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from bigrock.errors import ParameterError
from bigrock.kernels import label

STRUCTURES = {6: 1, 18: 2, 26: 3}
THRESHOLDS = {6: 0.3116, 18: 0.137, 26: 0.0976}


def assert_equals_the_oracles(image: np.ndarray, connectivity: int) -> None:
    labels, count = label(image, connectivity=connectivity)
    expected, number = cc3d.connected_components(image, connectivity=connectivity, return_N=True)
    assert count == number
    np.testing.assert_array_equal(labels, expected)
    if image.dtype == bool:
        structure = ndimage.generate_binary_structure(3, STRUCTURES[connectivity])
        np.testing.assert_array_equal(labels, ndimage.label(image, structure)[0])


def spiral(size: int) -> np.ndarray:
    """One path that winds inwards in every second slice, joined by single voxels."""
    plane = np.zeros((size, size), bool)
    y, x, dy, dx = 0, 0, 0, 1
    low, high = [0, 0], [size - 1, size - 1]
    while low[0] <= high[0] and low[1] <= high[1]:
        plane[y, x] = True
        if not (low[0] <= y + dy <= high[0] and low[1] <= x + dx <= high[1]):
            if dx:
                low[0], high[0] = (low[0] + 2, high[0]) if dx > 0 else (low[0], high[0] - 2)
            else:
                low[1], high[1] = (low[1], high[1] - 2) if dy > 0 else (low[1] + 2, high[1])
            dy, dx = dx, -dy
        y, x = y + dy, x + dx
    volume = np.zeros((size, size, size), bool)
    volume[::2] = plane
    volume[1::4, 0, 0] = True
    volume[3::4, size // 2, size // 2] = True
    return volume


def comb(size: int) -> np.ndarray:
    """Teeth that are parted in every slice and joined by one spine at the far end."""
    volume = np.zeros((size, size, size), bool)
    volume[::2, ::2, :] = True
    volume[:, :, -1] = True
    return volume


def checkerboard(size: int) -> np.ndarray:
    return np.indices((size, size, size)).sum(axis=0) % 2 == 0


def corner_board(size: int) -> np.ndarray:
    """Voxels that meet across corners alone."""
    z, y, x = np.indices((size, size, size))
    return (z % 2 == y % 2) & (y % 2 == x % 2)


ADVERSARIAL = {f.__name__: f for f in (spiral, comb, checkerboard, corner_board)}


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("shape", [(24, 25, 27), (1, 1, 1), (3, 40, 64), (7, 1, 5), (40, 3, 8)])
def test_noise_near_the_percolation_threshold_is_labelled_as_by_cc3d_and_scipy(shape, connectivity):
    rng = np.random.default_rng(sum(shape))
    for at in THRESHOLDS.values():
        for fraction in (at, 1 - at, at * 0.8):
            assert_equals_the_oracles(rng.random(shape) < fraction, connectivity)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("shape", ADVERSARIAL)
@pytest.mark.parametrize("size", [15, 16])
def test_adversarial_shapes_are_labelled_as_by_cc3d_and_scipy(shape, size, connectivity):
    volume = ADVERSARIAL[shape](size)
    assert_equals_the_oracles(volume, connectivity)
    assert_equals_the_oracles(~volume, connectivity)
    assert_equals_the_oracles(np.ascontiguousarray(volume.transpose(2, 0, 1)), connectivity)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64"])
def test_equal_labels_that_touch_are_one_component(dtype, connectivity):
    rng = np.random.default_rng(0)
    for values in (2, 3, 6):
        assert_equals_the_oracles(rng.integers(0, values, (13, 14, 19)).astype(dtype), connectivity)


@given(
    rows=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=2, max_size=8),
    connectivity=st.sampled_from([6, 18, 26]),
)
def test_labels_without_gaps_between_them_touch_across_corners(rows, connectivity):
    image = np.array(rows * 2, np.uint8).reshape(2, -1, 6)
    assert_equals_the_oracles(image, connectivity)


def test_a_slice_is_labelled_with_four_or_eight_neighbours():
    plane = np.random.default_rng(0).random((40, 50)) < 0.45
    for connectivity, also, steps in ((4, 6, 1), (8, 26, 2), (8, 18, 2)):
        # Not cc3d, which numbers slices in another order.
        expected, count = ndimage.label(plane, ndimage.generate_binary_structure(2, steps))
        for one in (connectivity, also):
            labels, number = label(plane, connectivity=one)
            np.testing.assert_array_equal(labels, expected)
            assert (labels.shape, number) == (plane.shape, count)


def test_labels_are_uint32_and_the_background_is_zero():
    labels, count = label(np.zeros((3, 4, 5), bool))
    assert (labels.dtype, labels.any(), count) == (np.uint32, False, 0)
    assert label(np.ones((3, 4, 5), bool))[1] == 1
    assert label(np.zeros((0, 4, 5), bool))[0].shape == (0, 4, 5)


def test_arrays_of_any_layout_are_labelled_in_the_order_of_their_axes():
    mask = np.random.default_rng(0).random((9, 10, 11)) < 0.2
    expected = label(mask, connectivity=6)[0]
    np.testing.assert_array_equal(label(np.asfortranarray(mask), connectivity=6)[0], expected)
    np.testing.assert_array_equal(label(np.repeat(mask, 2, axis=2)[:, :, ::2], connectivity=6)[0], expected)


def test_a_mask_whose_true_bytes_are_not_one_is_still_a_mask():
    data = np.where(np.random.default_rng(0).random((6, 7, 16)) < 0.4, [1, 255] * 8, 0).astype(np.uint8)
    labels = label(data.view(bool), connectivity=6)[0]
    np.testing.assert_array_equal(labels, cc3d.connected_components(data != 0, connectivity=6))


def test_grey_images_and_unknown_connectivities_are_refused():
    with pytest.raises(ParameterError, match="float32 has no components"):
        label(np.zeros((3, 3, 3), np.float32))
    with pytest.raises(ParameterError, match="connectivity 4 is not known"):
        label(np.zeros((3, 3, 3), bool), connectivity=4)
    with pytest.raises(ParameterError, match="1 axes"):
        label(np.zeros(3, bool))


@pytest.mark.parametrize(
    ("name", "pore"),
    [
        ("berea_200_openpnm", 1),
        ("deepore_sample_256", 0),
        ("drp374_06_00_256", 0),
    ],
)
def test_real_rock_is_labelled_as_by_cc3d(shared_data: Path, name: str, pore: int):
    tifffile = pytest.importorskip("tifffile")
    [path] = sorted((shared_data / name).glob("*.tif"))[:1]
    mask = tifffile.imread(path)[:100] == pore
    for connectivity in (6, 26):
        labels, _ = label(mask, connectivity=connectivity)
        np.testing.assert_array_equal(labels, cc3d.connected_components(mask, connectivity=connectivity))
