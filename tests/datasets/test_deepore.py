"""The DeePore reader on files made in its exact layout, and on the published demo volume and outputs."""

from __future__ import annotations

import pickle
import re

import h5py
import numpy as np
import pytest
import tifffile
from deepore_files import COUNT, EDGE, plausible_outputs, write
from scipy.ndimage import distance_transform_edt, maximum_filter

from bigrock.datasets import DeePore
from bigrock.datasets.deepore_columns import DEEPORE_PROPERTIES, column_names
from bigrock.errors import (
    ParameterError,
    TruncatedFileError,
    UnsupportedFormatError,
    VolumeNotFoundError,
)


def test_volumes_come_with_our_polarity_in_the_order_that_is_asked(complete, pores):
    asked = [5, 0, 7, 0, 6]
    found = complete.take(asked)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, pores[asked])
    assert complete.take([]).shape == (0, EDGE, EDGE, EDGE)
    assert (complete.kind, complete.edge, len(complete), complete.version) == ("complete", EDGE, COUNT, None)


def test_only_samples_that_are_asked_for_are_read(complete, monkeypatch):
    read = []
    get = h5py.Dataset.__getitem__

    def spy(self, index, **options):
        read.append(index)
        return get(self, index, **options)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", spy)
    complete.take([6, 2, 6, 3])
    assert read == [slice(2, 4), slice(6, 7)]


def test_outputs_have_names_units_and_order(complete):
    y = plausible_outputs()
    found = complete.properties([4, 1])
    assert len(found) == 30
    np.testing.assert_array_equal(found["permeability"], y[[4, 1], 0])
    np.testing.assert_array_equal(found["relative_young_modulus"], y[[4, 1], 14])
    np.testing.assert_array_equal(found["leverett_j"], y[[4, 1], 15:115])
    np.testing.assert_array_equal(found["grain_radius_distribution"], y[[4, 1], 1415:])
    np.testing.assert_array_equal(complete.k_px2, y[:, 0])


def test_a_voxel_size_turns_pixels_into_metres(complete):
    px, si = complete.properties(), complete.properties(voxel_size="2 um")
    for name, exponent in (
        ("permeability", 2),
        ("pore_density", -3),
        ("specific_surface", -1),
        ("throat_radius", 1),
        ("tortuosity", 0),
        ("throat_permeability_distribution", 2),
        ("two_point_correlation", 0),
    ):
        np.testing.assert_allclose(si[name], px[name] * 2e-6**exponent)


def test_the_1515_names_are_those_of_the_published_output_file(shared_data):
    path = shared_data / "deepore_sample_256" / "deepore_output_layout_other_sample_gt.txt"
    numbers, functions, at = [], [], []
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            functions.append([])
        elif match := re.fullmatch(r"(\S.*?)\s{2,}(-?[\d.e+-]+)", line):
            (functions[-1] if functions else numbers).append(float(match[2]))
            if functions:
                at.append(float(match[1]))
    values = np.array([*numbers, *(v for f in functions for v in f)])
    assert values.shape == (1515,)
    assert [p.argument for p in DEEPORE_PROPERTIES if p.size > 1].count("saturation") == 3
    assert [x for p in DEEPORE_PROPERTIES for x in p.points] == at
    # Each number lies where the published sample has it: the mean of its distribution, or its range.
    named = dict(zip(column_names(), values, strict=True))
    assert named["permeability"] == 0.0321214
    assert named["grain_sphericity"] == 0.8364815
    assert named["wetting_relative_permeability@1"] == 1
    assert named["non_wetting_relative_permeability@0.01"] == 1
    for name in ("pore_radius", "throat_radius", "throat_length", "pore_sphericity", "grain_radius"):
        column = [v for k, v in named.items() if k.startswith(f"{name}_distribution@")]
        assert np.mean(column) == pytest.approx(named[name], rel=0.05)
    from bigrock.datasets.deepore_check import check_outputs, official_filter

    assert check_outputs([values[None]]).wrong == {}
    assert official_filter(values[None]).all()


def test_the_demo_volume_has_its_published_polarity(shared_data, tmp_path):
    stored = tifffile.imread(shared_data / "deepore_sample_256" / "deepore_sample_256_seg.tif")
    path = write(tmp_path / "demo.h5", stored[None, ..., None], plausible_outputs(1)[..., None])
    data = DeePore(path)
    assert data.edge == 256
    found = data.take([0])[0]
    assert found.mean() == pytest.approx((stored == 0).mean())
    assert 0.1 < found.mean() < 0.5


# --------------------------------------------------------------------------------------- compact


def signed_planes(mask: np.ndarray) -> np.ndarray:
    """Version 2 of the three planes: signed distance, positive in pores, clipped, pooled 2 × 2."""
    planes = []
    for axis in range(3):
        pore = mask.take(mask.shape[axis] // 2, axis)
        distance = distance_transform_edt(pore) - distance_transform_edt(~pore)
        pooled = maximum_filter(distance, 2, origin=-1)[::2, ::2]
        planes.append(np.clip(pooled / 64, -1, 1))
    return np.stack(planes, -1)


def test_planes_of_version_2_are_signed_distances_in_voxels(tmp_path, pores):
    x = np.stack([signed_planes(m) for m in pores])
    data = DeePore(write(tmp_path / "c.h5", np.int8(np.clip(x * 128, -128, 127)), plausible_outputs()))
    assert (data.kind, data.version, data.edge) == ("compact", "v2", EDGE)
    found = data.planes([3, 1])
    np.testing.assert_allclose(found, np.moveaxis(64 * x[[3, 1]], -1, 1), atol=0.5)
    pooled = pores[3, EDGE // 2].reshape(EDGE // 2, 2, EDGE // 2, 2).any((1, 3))
    np.testing.assert_array_equal(found[0, 0] > 0, pooled)


def test_planes_of_version_1_are_shares_of_the_largest_distance(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3), np.uint8)
    data = DeePore(write(tmp_path / "c.h5", x, plausible_outputs()[..., None]))
    assert data.version == "v1"
    found = data.planes([2])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], np.moveaxis(x[2] / 255, -1, 0), rtol=1e-6)


def test_the_version_is_never_guessed(tmp_path):
    y, rng = plausible_outputs(2), np.random.default_rng(1)
    unsigned = write(tmp_path / "u.h5", rng.integers(0, 255, (2, 8, 8, 3), np.uint8), y)
    floats = write(tmp_path / "f.h5", rng.random((2, 8, 8, 3)), y)
    with pytest.raises(ParameterError, match="which is v1"):
        DeePore(unsigned, version="v2")
    with pytest.raises(UnsupportedFormatError, match="no other scale is known"):
        DeePore(floats)
    with pytest.raises(ParameterError, match="'v3'"):
        DeePore(unsigned, version="v3")


def test_a_file_of_one_kind_does_not_pretend_to_be_the_other(tmp_path, complete):
    compact = write(tmp_path / "c.h5", np.zeros((2, 8, 8, 3), np.int8), plausible_outputs(2))
    with pytest.raises(ParameterError, match=r"holds no volumes. Use planes\(\)"):
        DeePore(compact).take([0])
    with pytest.raises(ParameterError, match=r"holds no planes. Use take\(\)"):
        complete.planes([0])
    with pytest.raises(ParameterError, match="three planes"):
        DeePore(compact).repack(tmp_path / "r.zarr")


# ---------------------------------------------------------------------- what is wrong in the file


def test_files_that_are_not_deepore_are_told_apart(tmp_path):
    y = plausible_outputs(2)
    with pytest.raises(VolumeNotFoundError, match="nothing at"):
        DeePore(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(UnsupportedFormatError, match="not an HDF5 file"):
        DeePore(tmp_path / "text.h5")
    with pytest.raises(UnsupportedFormatError, match="neither cubes"):
        DeePore(write(tmp_path / "a.h5", np.zeros((2, 8, 8, 4), bool), y))
    with pytest.raises(UnsupportedFormatError, match="1515 outputs per image"):
        DeePore(write(tmp_path / "b.h5", np.zeros((2, 8, 8, 8), bool), y[:1]))
    with pytest.raises(UnsupportedFormatError, match="whole numbers"):
        DeePore(write(tmp_path / "c.h5", np.zeros((2, 8, 8, 8)), y))
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(UnsupportedFormatError, match="no dataset X and Y; it holds images"):
        DeePore(tmp_path / "d.h5")
    whole = (tmp_path / "c.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedFileError, match="cut off"):
        DeePore(tmp_path / "cut.h5")


def test_questions_that_have_no_answer_are_told(complete):
    with pytest.raises(ParameterError, match="image 8 is not in"):
        complete.take([0, 8])
    with pytest.raises(ParameterError, match="'perm' is not known"):
        complete.properties(names=["perm"])


def test_an_open_file_can_be_sent_to_other_processes(complete, pores):
    again = pickle.loads(pickle.dumps(complete))
    np.testing.assert_array_equal(again.take([2]), pores[[2]])
