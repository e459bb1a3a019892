"""Pore-size distributions against local thickness and PoreSpy, in any units."""

from __future__ import annotations

import numpy as np
import porespy
import pytest
from scipy import ndimage

import bigrock
from bigrock.kernels import Cylinder, distance, local_thickness
from bigrock.measures import Sizes
from bigrock.volumes import ArraySource


def blobs(shape=(40, 41, 42), phi=0.4, seed=0, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return field > np.quantile(field, 1 - phi)


def sizes_of(mask, voxel_size=None, what="sizes", **options):
    return bigrock.measure(ArraySource(mask, voxel_size), what, progress=False, **options)["sizes"]


def test_counts_are_those_of_the_local_thickness():
    mask = blobs()
    classes, diameters = local_thickness(mask)
    found = sizes_of(mask, block=(16, 16, 16))
    np.testing.assert_array_equal(found["voxels"], np.bincount(classes[mask])[1:])
    np.testing.assert_array_equal(found["diameter"], diameters[1:])
    assert found["cumulative"][-1] == 1
    assert found["fraction"].sum() == pytest.approx(1)


def test_percentiles_and_moments_are_those_of_the_voxels():
    mask = blobs()
    classes, diameters = local_thickness(mask, voxel_size=2e-6)
    thickness = diameters[classes][mask]
    found = sizes_of(mask, (2e-6, 2e-6, 2e-6))
    for name, q in (("d10", 0.1), ("d50", 0.5), ("d90", 0.9)):
        assert found[name] == pytest.approx(np.quantile(thickness, q, method="inverted_cdf"))
    assert found["mean"] == pytest.approx(thickness.mean())
    assert found["std"] == pytest.approx(thickness.std())
    assert found["mode"] == pytest.approx(diameters[np.bincount(classes[mask]).argmax()])
    assert found["inscribed"] == pytest.approx(4e-6 * distance(mask).max())


def test_the_distribution_is_that_of_porespy(monkeypatch):
    monkeypatch.setitem(porespy.settings.tqdm, "disable", True)
    mask = blobs()
    expected = porespy.filters.local_thickness(mask)[mask]
    found = sizes_of(mask)
    np.testing.assert_array_equal(found["voxels"], np.bincount(expected.astype(int))[1:])


def test_a_ball_is_a_distribution_of_one_size():
    z, y, x = np.mgrid[-9:10, -9:10, -9:10]
    found = sizes_of(z**2 + y**2 + x**2 < 64, (1e-6, 1e-6, 1e-6))
    assert found["d10"] == found["d90"] == found["mode"] == found["inscribed"] == pytest.approx(16e-6)


def test_flat_voxels_have_diameters_of_the_shortest_edge():
    found = sizes_of(blobs(), (10e-9, 5e-9, 5e-9), block=(16, 16, 16))
    np.testing.assert_allclose(found["diameter"], 10e-9 * np.arange(1, len(found["diameter"]) + 1))


def test_what_lies_outside_of_a_round_core_is_no_wall():
    mask = np.ones((12, 41, 41), bool)
    mask[:, :, 20] = False
    _, y, x = np.mgrid[:12, :41, :41]
    round_core = mask & ((y - 20) ** 2 + (x - 20) ** 2 <= 18**2)
    found = sizes_of(mask, field_of_view=Cylinder(20, 20, 18), block=(12, 16, 16))
    assert found["inscribed"] == 2 * 18
    assert found["voxels"].sum() == round_core.sum()
    assert sizes_of(round_core)["inscribed"] < found["inscribed"]


def test_a_measure_that_was_told_the_largest_distance_reads_once():
    mask = blobs()
    reads = []

    class Watched(ArraySource):
        def read(self, region):
            reads.append(region)
            return super().read(region)

    known = Sizes(largest=float(distance(mask).max()))
    found = bigrock.measure(Watched(mask), [known], block=(64, 64, 64), progress=False)["sizes"]
    assert len(reads) == 1
    np.testing.assert_array_equal(found["voxels"], sizes_of(mask)["voxels"])


@pytest.mark.parametrize("value", [False, True])
def test_one_phase_alone_has_no_sizes(value):
    found = sizes_of(np.full((9, 9, 9), value), pore=True)
    assert found["d50"] is found["mean"] is found["inscribed"] is None
    assert len(found["diameter"]) == 0


def test_the_berea_sandstone_has_pores_of_some_tens_of_micrometres(shared_data):
    import tifffile

    rock = tifffile.imread(next((shared_data / "berea_400").glob("*.tif*")))[:96, :96, :96] == 0
    found = sizes_of(rock, (5.345e-6,) * 3)
    assert 10e-6 < found["d10"] < found["d50"] < found["d90"] < 150e-6
