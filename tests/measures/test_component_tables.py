"""The component table: sizes, ellipsoids and surfaces against scikit-image and analytic shapes."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from skimage.measure import regionprops

import bigrock
from bigrock.errors import VolumeError
from bigrock.kernels import find_components, label
from bigrock.measures import component_table, read_component_table

VOXEL = (2e-6, 3e-6, 4e-6)


def noise(shape=(14, 15, 16), fraction=0.25) -> np.ndarray:
    return np.random.default_rng(0).random(shape) < fraction


def ellipsoid(half_axes, voxel, margin=2):
    """Voxels whose centres lie in an ellipsoid with its axes along z, y, x."""
    counts = [2 * (int(a / h) + margin) + 1 for a, h in zip(half_axes, voxel, strict=True)]
    centres = np.meshgrid(
        *[(np.arange(n) - n // 2) * h for n, h in zip(counts, voxel, strict=True)], indexing="ij"
    )
    return sum((c / a) ** 2 for c, a in zip(centres, half_axes, strict=True)) <= 1


def test_sizes_boxes_and_centroids_are_those_of_scikit_image():
    mask = noise()
    table = component_table(find_components(mask, connectivity=6), VOXEL)
    regions = regionprops(label(mask, connectivity=6)[0])
    assert table["id"].to_pylist() == [r.label for r in regions]
    assert table["voxels"].to_pylist() == [r.num_pixels for r in regions]
    np.testing.assert_allclose(table["volume_m3"], [r.num_pixels * 24e-18 for r in regions])
    box = [table[f"{axis}_{end}"].to_numpy() for end in ("start", "stop") for axis in "zyx"]
    np.testing.assert_array_equal(np.transpose(box), [r.bbox for r in regions])
    centroids = np.transpose([table[f"centroid_{axis}_m"].to_numpy() for axis in "zyx"])
    np.testing.assert_allclose(centroids, [(np.array(r.centroid) + 0.5) * VOXEL for r in regions])


@pytest.mark.parametrize("voxel", [None, VOXEL])
def test_ellipsoids_are_those_of_the_inertia_tensor_of_scikit_image(voxel):
    mask = noise(fraction=0.15)
    table = component_table(find_components(mask), voxel)
    unit, edges = ("voxels", np.ones(3)) if voxel is None else ("m", np.array(voxel))
    axes = np.transpose([table[f"{name}_{unit}"].to_numpy() for name in ("major", "medium", "minor")])
    for region, found in zip(regionprops(label(mask)[0], spacing=edges), axes, strict=True):
        own = np.diag(edges**2 / 12)
        inertia = region.inertia_tensor + np.trace(own) * np.eye(3) - own
        moments = np.linalg.eigvalsh(np.trace(inertia) / 2 * np.eye(3) - inertia)
        np.testing.assert_allclose(found, 2 * np.sqrt(5 * moments[::-1]), rtol=1e-9)
    np.testing.assert_allclose(table["aspect_ratio"], axes[:, 0] / axes[:, 2])
    np.testing.assert_allclose(table["elongation"], axes[:, 1] / axes[:, 0])
    np.testing.assert_allclose(table["flatness"], axes[:, 2] / axes[:, 1])


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)])
def test_the_axes_of_an_ellipsoid_are_its_own_whatever_the_voxels(voxel):
    half_axes = (20.0, 8.0, 12.0)
    [row] = component_table(find_components(ellipsoid(half_axes, voxel)), voxel).to_pylist()
    assert row["major_m"] == pytest.approx(40, rel=0.01)
    assert row["medium_m"] == pytest.approx(24, rel=0.01)
    assert row["minor_m"] == pytest.approx(16, rel=0.015)
    assert row["aspect_ratio"] == pytest.approx(2.5, rel=0.01)
    assert row["elongation"] == pytest.approx(0.6, rel=0.01)
    assert row["flatness"] == pytest.approx(2 / 3, rel=0.01)
    assert row["volume_m3"] == pytest.approx(4 / 3 * np.pi * 20 * 8 * 12, rel=0.01)


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)])
def test_the_surface_of_a_ball_is_that_of_the_ball(voxel):
    [row] = component_table(find_components(ellipsoid((20.0,) * 3, voxel)), voxel).to_pylist()
    assert row["surface_m2"] == pytest.approx(4 * np.pi * 20**2, rel=0.02)


def test_a_cube_of_voxels_has_the_axes_of_a_cube():
    for edge in (1, 2, 5):
        [row] = component_table(find_components(np.ones((edge,) * 3, bool))).to_pylist()
        assert row["major_voxels"] == pytest.approx(edge * np.sqrt(20 / 12))
        assert (row["aspect_ratio"], row["elongation"], row["flatness"]) == pytest.approx((1, 1, 1))


def test_cuts_by_the_border_are_no_surface():
    mask = np.zeros((6, 6, 6), bool)
    mask[:3] = True
    [row] = component_table(find_components(mask)).to_pylist()
    assert row["surface_voxels2"] == pytest.approx(2 / 3 * 36)
    touched = [name for name in row if name.startswith("touches") and row[name]]
    assert touched == ["touches_z0", "touches_y0", "touches_y1", "touches_x0", "touches_x1"]


def test_without_a_voxel_size_lengths_are_in_voxels_and_volumes_are_not_known():
    table = component_table(find_components(noise()))
    assert table["volume_m3"].null_count == table.num_rows
    assert "major_voxels" in table.column_names
    assert not [name for name in table.column_names if name.endswith(("_m", "_m2"))]


def test_values_of_labels_stand_in_the_table():
    labels = np.random.default_rng(0).integers(-2, 3, (6, 7, 8)).astype(np.int16)
    found = find_components(labels, connectivity=6)
    values = component_table(found)["value"].to_numpy()
    np.testing.assert_array_equal(values, labels.ravel()[found.first])
    assert "value" not in component_table(find_components(labels > 0)).column_names


def test_no_component_is_an_empty_table():
    table = component_table(find_components(np.zeros((3, 4, 5), bool)), VOXEL)
    assert (table.num_rows, "aspect_ratio" in table.column_names) == (0, True)


def test_a_shape_that_is_not_exact_is_null():
    found = find_components(np.ones((2, 2, 2), bool))
    found.table[0, 1], found.table[0, 5:8] = 2**41, 2**14
    [row] = component_table(found).to_pylist()
    assert (row["major_voxels"], row["aspect_ratio"], row["covariance_zz_voxels2"]) == (None, None, None)


def test_the_table_lies_in_the_folder_of_the_labels(tmp_path):
    labels = bigrock.label(noise(), tmp_path / "labels.zarr", progress=False)
    table = pq.read_table(tmp_path / "labels.zarr" / "components.parquet")
    assert table.equals(read_component_table(labels))
    assert table.equals(read_component_table(tmp_path / "labels.zarr"))
    assert table.equals(component_table(find_components(noise())))


def test_a_volume_that_was_not_labelled_has_no_table(tmp_path):
    volume = bigrock.volumes.create_volume(tmp_path / "v.zarr", (4, 4, 4), "uint8")
    with pytest.raises(VolumeError, match="has no component table"):
        read_component_table(volume)
