"""`bigrock.pores` and the measure: labels and tables out of core equal those in memory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import bigrock
from bigrock.errors import NotFittedError, ParameterError, PhaseError, SourceError, VolumeError
from bigrock.geometry import BlockGrid
from bigrock.kernels import PoreRegions, distance, pores
from bigrock.measures import Pores, pore_tables, read_pore_tables
from bigrock.measures.pores_labelling import LabelPores
from bigrock.volumes import ArraySource

VOXEL = (2e-6, 2e-6, 2e-6)


def blobs(shape=(50, 70, 66), phi=0.4, seed=0, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return field > np.quantile(field, 1 - phi)


@pytest.mark.parametrize("voxel_size", [None, VOXEL, (4e-6, 2e-6, 2e-6)])
@pytest.mark.parametrize("block", [(32, 32, 32), (64, 32, 96)])
def test_stored_labels_and_tables_are_those_of_the_array(tmp_path, voxel_size, block):
    mask = blobs()
    labels, network = pores(mask, voxel_size=voxel_size)
    out = bigrock.pores(
        ArraySource(mask, voxel_size), tmp_path / "p.zarr", block=block, shard=(32, 32, 32), progress=False
    )
    np.testing.assert_array_equal(out[:], labels)
    assert (out.dtype, out.kind, out.voxel_size) == (np.uint32, "labels", voxel_size)
    for stored, expected in zip(read_pore_tables(out), pore_tables(network, voxel_size), strict=True):
        assert stored.equals(expected)
    assert not (tmp_path / "p.zarr" / "bigrock-run" / "labels").exists()


def test_the_class_of_pores_is_taken_from_labels(tmp_path):
    mask = blobs((40, 40, 40))
    rock = ArraySource(np.where(mask, 3, 7).astype(np.uint8), VOXEL, "labels", {"pore": 3, "clay": 7})
    out = bigrock.pores(rock, tmp_path / "p.zarr", progress=False)
    np.testing.assert_array_equal(out[:], pores(mask)[0])
    clay = bigrock.pores(rock, tmp_path / "c.zarr", pore="clay", progress=False)
    np.testing.assert_array_equal(clay[:], pores(~mask)[0])


def test_a_finished_run_is_returned_and_other_limits_are_refused(tmp_path):
    mask = ArraySource(blobs((40, 40, 40)))
    first = bigrock.pores(mask, tmp_path / "p.zarr", progress=False)
    again = bigrock.pores(mask, tmp_path / "p.zarr", progress=False)
    np.testing.assert_array_equal(first[:], again[:])
    with pytest.raises(bigrock.errors.VolumeExistsError):
        bigrock.pores(mask, tmp_path / "p.zarr", min_depth=2, progress=False)


def test_the_measure_gives_the_tables_without_labels():
    mask = blobs()
    expected = pore_tables(pores(mask)[1], VOXEL)
    found = bigrock.measure(ArraySource(mask, VOXEL), "pores", block=(16, 32, 24), progress=False)["pores"]
    assert found["pores"].equals(expected[0])
    assert found["throats"].equals(expected[1])
    assert found["number"] == expected[0].num_rows
    assert found["coordination"] == pytest.approx(2 * expected[1].num_rows / expected[0].num_rows)
    assert found["median_throat_diameter"] == np.median(expected[1]["inscribed_diameter_m"])


def test_limits_of_the_measure_are_those_of_the_kernel():
    mask = blobs((40, 40, 40))
    found = bigrock.measure(mask, [Pores(min_depth=0, max_throat=1)], progress=False)["pores"]
    assert found["number"] == pores(mask, min_depth=0, max_throat=1)[0].max()
    with pytest.raises(ParameterError, match="divide no pores"):
        Pores(min_depth=-1)


def test_two_balls_have_the_sizes_of_balls_and_a_throat_of_a_circle():
    z, y, x = np.mgrid[-16:17, -16:17, -28:29]
    left, right = (z**2 + y**2 + (x - c) ** 2 < 12.5**2 for c in (-11, 11))
    found, throats = pore_tables(pores(left | right)[1], VOXEL)
    assert found.num_rows == 2
    assert throats.num_rows == 1
    np.testing.assert_allclose(found["equivalent_diameter_m"], 50e-6, rtol=0.03)
    np.testing.assert_allclose(found["inscribed_diameter_m"], 50e-6, rtol=0.03)
    np.testing.assert_allclose(found["aspect_ratio"], 1, atol=0.1)
    radius = np.sqrt(12.5**2 - 11**2)
    assert throats["area_m2"][0].as_py() == pytest.approx(np.pi * radius**2 * 4e-12, rel=0.1)
    assert throats["inscribed_diameter_m"][0].as_py() == pytest.approx(2 * radius * 2e-6, rel=0.1)
    assert found["touches_border"].to_pylist() == [False, False]


def test_flat_voxels_count_as_long_as_they_are():
    z, y, x = np.mgrid[-8:9, -16:17, -28:29]
    balls = np.any([4 * z**2 + y**2 + (x - c) ** 2 < 12.5**2 for c in (-11, 11)], axis=0)
    edges = (4e-6, 2e-6, 2e-6)
    found, throats = pore_tables(pores(balls, voxel_size=edges)[1], edges)
    assert (found.num_rows, throats.num_rows) == (2, 1)
    np.testing.assert_allclose(found["equivalent_diameter_m"], 50e-6, rtol=0.03)
    np.testing.assert_allclose(found["aspect_ratio"], 1, atol=0.1)
    np.testing.assert_allclose(found["inscribed_diameter_m"], 50e-6, rtol=0.04)


def test_without_a_voxel_size_lengths_are_in_voxels():
    found, throats = pore_tables(pores(blobs((30, 30, 30)))[1])
    assert "inscribed_diameter_voxels" in found.column_names
    assert "area_voxels2" in throats.column_names
    assert found["volume_m3"].null_count == found.num_rows


def test_grey_levels_and_a_volume_without_background_are_refused(tmp_path):
    with pytest.raises(PhaseError):
        bigrock.pores(np.zeros((4, 4, 4), np.uint8), tmp_path / "p.zarr", progress=False)
    with pytest.raises(ParameterError, match="every voxel is pore"):
        bigrock.pores(np.ones((4, 4, 4), bool), tmp_path / "p.zarr", progress=False)


def test_a_volume_without_tables_says_how_to_get_them(tmp_path):
    volume = bigrock.import_volume(ArraySource(blobs((8, 8, 8))), tmp_path / "m.zarr", progress=False)
    with pytest.raises(VolumeError, match=r"bigrock\.pores stores them"):
        read_pore_tables(volume)


def test_the_kernel_refuses_to_paint_what_it_has_not_seen():
    mask = blobs((20, 20, 20))
    block = BlockGrid(mask.shape, mask.shape)[0]
    kernel = LabelPores(PoreRegions(float(distance(mask).max())))
    with pytest.raises(NotFittedError, match=r"bigrock\.pores"):
        kernel(mask, block)
    fitted = kernel.fit(ArraySource(mask), block=mask.shape, progress=False)
    np.testing.assert_array_equal(fitted(mask, block), pores(mask)[0])
    other = mask.copy()
    other[:5] = False
    with pytest.raises(SourceError, match="changed meanwhile"):
        fitted(other, block)
