"""Pores parted and specks removed by whole components, against what is done in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

import bigrock
from bigrock.datasets import Shale
from bigrock.errors import ParameterError, PhaseError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.kernels import split_pores
from bigrock.kernels.component_shells import ShellVoxels
from bigrock.workflows.shale.whole_components import remove_specks, split_organic_pores

CLASSES = {"matrix": 0, "organic matter": 1, "pore": 2}
CUBE = np.ones((3, 3, 3), bool)


def stack(voxels: np.ndarray, classes=CLASSES) -> bigrock.ArraySource:
    return bigrock.ArraySource(voxels, (1e-8, 5e-9, 5e-9), kind="labels", classes=classes)


def noise(shape=(19, 23, 21), seed=0, classes=3) -> np.ndarray:
    """Blobs of classes, with many specks."""
    rng = np.random.default_rng(seed)
    fields = [ndimage.gaussian_filter(rng.normal(size=shape), 0.9) for _ in range(classes)]
    return np.argmax(fields, axis=0).astype(np.uint8)


@pytest.mark.parametrize("block", [None, (8, 8, 16), (16, 16, 8)])
@pytest.mark.parametrize("shell", [1, 2])
def test_pores_are_parted_as_in_memory_whatever_blocks_cut_them(shell, block, tmp_path: Path):
    voxels = noise(seed=shell)
    voxels[voxels == 2] = np.where(np.random.default_rng(1).random((voxels == 2).sum()) < 0.6, 0, 2)
    out = split_organic_pores(stack(voxels), tmp_path / "out.zarr", shell=shell, block=block, progress=False)
    organic = split_pores(voxels == 2, voxels == 1, shell=shell)
    expected = np.where(voxels == 2, np.where(organic, 2, 3), voxels)
    assert 0 < organic.sum() < (voxels == 2).sum()
    np.testing.assert_array_equal(out[:], expected)
    assert out.classes == {"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["out.zarr"]


def test_pores_of_a_segmented_shale_are_judged_anew_and_found_as_they_are():
    truth = Shale((24, 96, 96), level="easy", seed=1).truth
    voxels = truth.read(Region.whole(truth.shape))
    mixed = voxels.copy()
    mixed[voxels == 2] = 3
    names = ("organic pore", "inorganic pore")
    out = split_organic_pores(
        stack(mixed, truth.classes), "memory://anew.zarr", pores=names, shell=1, progress=False
    )
    assert out.classes == truth.classes
    pores = voxels >= 2
    assert (out[:][pores] == voxels[pores]).mean() > 0.95
    np.testing.assert_array_equal(out[:][~pores], voxels[~pores])


def without_specks(voxels: np.ndarray, least: dict[int, int]) -> np.ndarray:
    """Specks resolved one by one: all that is known around them votes, in rounds."""
    numbers, parts = np.zeros(voxels.shape, int), {}
    for value in np.unique(voxels):
        found, count = ndimage.label(voxels == value, CUBE)
        for i in range(1, count + 1):
            parts[len(parts) + 1] = (int(value), found == i)
            numbers[found == i] = len(parts)
    new = {n: v if m.sum() >= least[v] else None for n, (v, m) in parts.items()}
    while True:
        made = {}
        for n, (_, mask) in parts.items():
            if new[n] is not None:
                continue
            shell = ndimage.binary_dilation(mask, CUBE) & ~mask
            votes = [new[k] for k in numbers[shell] if new[k] is not None]
            if votes:
                made[n] = max(sorted(set(votes)), key=votes.count)
        if not made:
            break
        new |= made
    out = voxels.copy()
    for n, (_, mask) in parts.items():
        if new[n] is not None:
            out[mask] = new[n]
    return out


@pytest.mark.parametrize("block", [None, (8, 8, 16)])
def test_specks_become_what_surrounds_them(block):
    voxels = noise((13, 15, 17), seed=4)
    out = remove_specks(
        stack(voxels), f"memory://specks-{block}.zarr", min_voxels=60, block=block, progress=False
    )
    expected = without_specks(voxels, dict.fromkeys(range(3), 60))
    assert (expected != voxels).any()
    np.testing.assert_array_equal(out[:], expected)
    assert (out.classes, out.voxel_size) == (CLASSES, (1e-8, 5e-9, 5e-9))


def test_no_speck_is_left():
    out = remove_specks(stack(noise(seed=7)), "memory://none-left.zarr", min_voxels=100, progress=False)[:]
    for value in range(3):
        labels, count = ndimage.label(out == value, CUBE)
        assert count == 0 or np.bincount(labels.ravel())[1:].min() >= 100


def test_classes_have_sizes_of_their_own():
    voxels = np.zeros((5, 9, 9), np.uint8)
    voxels[1, 1, 1], voxels[3, 6, 6] = 1, 2
    out = remove_specks(stack(voxels), "memory://own.zarr", min_voxels={"pore": 5}, progress=False)[:]
    assert (out[1, 1, 1], out[3, 6, 6]) == (1, 0)


def test_a_speck_in_a_speck_becomes_what_is_around_both():
    voxels = np.zeros((9, 9, 9), np.uint8)
    voxels[3:6, 3:6, 3:6] = 1
    voxels[4, 4, 4] = 2
    out = remove_specks(stack(voxels), "memory://nested.zarr", min_voxels=30, progress=False)[:]
    assert not out.any()


def test_a_stack_of_nothing_but_specks_stays():
    voxels = noise((5, 6, 7), seed=1)
    out = remove_specks(stack(voxels), "memory://all-specks.zarr", min_voxels=10**6, progress=False)[:]
    np.testing.assert_array_equal(out, voxels)


def test_what_is_there_is_returned_and_other_settings_are_refused(tmp_path: Path):
    source, place = stack(noise((9, 10, 11))), tmp_path / "out.zarr"
    once = remove_specks(source, place, min_voxels=30, progress=False)[:]
    stamp = (place / "zarr.json").stat().st_mtime_ns
    np.testing.assert_array_equal(remove_specks(source, place, min_voxels=30, progress=False)[:], once)
    assert (place / "zarr.json").stat().st_mtime_ns == stamp
    with pytest.raises(VolumeExistsError):
        remove_specks(source, place, min_voxels=2, progress=False)
    other = remove_specks(source, place, min_voxels=2, overwrite=True, progress=False)[:]
    assert (other != once).any()
    assert [p.name for p in tmp_path.iterdir()] == ["out.zarr"]


@pytest.mark.parametrize("reach", [1, 3])
def test_shells_are_counted_once_for_any_blocks(reach):
    voxels = noise((7, 5, 9), seed=3)
    numbers, _ = ndimage.label(voxels == 2, CUBE)
    source = bigrock.ArraySource(numbers.astype(np.uint32), kind="labels")
    counting = [ShellVoxels(stack(voxels), reach)]
    [whole] = bigrock.reduce(source, counting, progress=False)
    for block in ((2, 3, 4), (7, 1, 2), (1, 1, 1)):
        [parts] = bigrock.reduce(source, counting, block=block, progress=False)
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(a, b)
    for component, value, count in zip(*whole, strict=True):
        cube = np.ones((2 * reach + 1,) * 3, bool)
        shell = ndimage.binary_dilation(numbers == component, cube) & (numbers == 0)
        assert count == (voxels[shell] == value).sum()


def test_what_makes_no_sense_is_refused():
    source = stack(noise((4, 4, 4)))
    with pytest.raises(PhaseError, match=r"\['clay'\] are not classes"):
        split_organic_pores(source, "memory://no.zarr", pores=("clay",))
    with pytest.raises(PhaseError, match="are not classes"):
        remove_specks(source, "memory://no.zarr", min_voxels={"clay": 3})
    with pytest.raises(ParameterError, match="shell=4"):
        split_organic_pores(source, "memory://no.zarr", shell=4)
    with pytest.raises(ParameterError, match="is no size"):
        remove_specks(source, "memory://no.zarr", min_voxels=0)
    with pytest.raises(PhaseError, match="no class table"):
        remove_specks(bigrock.ArraySource(np.zeros((3, 3, 3), np.uint8)), "memory://no.zarr", min_voxels=2)
    with pytest.raises(ParameterError, match="leaves no shell"):
        ShellVoxels(reach=0)
