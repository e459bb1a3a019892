"""DeePore files become sets of rocks: impossible values, the authors' filter, parents that stay together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from deepore_files import COUNT, plausible_outputs, write

from bigrock.datasets import DeePore, open_rocks
from bigrock.errors import (
    ParameterError,
    SourceError,
    VolumeExistsError,
)
from bigrock.measures import PolarityWarning


def test_impossible_values_are_found_and_counted(tmp_path):
    y = plausible_outputs()
    y[2:5, 11] = 1.7, 3.0, 8.9
    y[1, 10] = 4.2
    y[6, 400] = np.nan
    y[7, 15] = np.inf
    data = DeePore(write(tmp_path / "c.h5", np.zeros((COUNT, 8, 8, 3), np.int8), y))
    found = data.check()
    assert list(found.wrong) == [
        "specific_surface",
        "pore_sphericity",
        "leverett_j",
        "two_point_correlation",
    ]
    assert (found.wrong["pore_sphericity"].impossible, found.wrong["pore_sphericity"].highest) == (3, 8.9)
    assert found.wrong["leverett_j"].not_finite == 1
    assert found.good().tolist() == [True, *[False] * 4, True, False, False]
    assert found.good("permeability").all()
    assert "pore_sphericity: 0 not finite, 3 outside 0 … 1.01" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_official_filter_is_that_of_the_authors(tmp_path):
    y = plausible_outputs()
    y[0, 1], y[1, 4], y[2, 0], y[3, 2], y[4, 14], y[5, 1000] = 121, 1.81, 9e-5, 9e-6, 0.71, np.nan
    y[6, 1], y[6, 4], y[6, 0], y[6, 2], y[6, 14] = 120, 1.8, 1e-4, 1e-5, 0.7
    data = DeePore(write(tmp_path / "c.h5", np.zeros((COUNT, 8, 8, 3), np.int8), y))
    assert data.official_filter().tolist() == [False] * 6 + [True] * 2


def test_parents_are_never_on_both_sides_of_a_split(tmp_path):
    x = np.zeros((40, 8, 8, 3), np.int8)
    path = write(tmp_path / "c.h5", x, plausible_outputs(40))
    parents = np.arange(40) // 4
    data = DeePore(path, parents=parents)
    parts = data.split(train=0.6, validation=0.2, test=0.2, seed=3)
    sides = [set(parents[i].tolist()) for i in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 10
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [24, 8, 8]
    with pytest.raises(ParameterError, match="too few"):
        DeePore(path).split()
    assert set(DeePore(path).groups.tolist()) == {0}
    with pytest.raises(ParameterError, match="parents are whole numbers, and these are float64"):
        DeePore(path, parents=parents + 0.5)
    with pytest.raises(ParameterError, match="Give one number each"):
        DeePore(path, parents=[1, 2])


def test_a_repacked_file_is_a_set_of_rocks(complete, pores, tmp_path):
    found = complete.repack(
        tmp_path / "r.zarr", indices=[6, 1, 3], voxel_size="2 um", axis="y", progress=False
    )
    np.testing.assert_array_equal(found.take([0, 1, 2]), pores[[6, 1, 3]])
    np.testing.assert_allclose(found.k_voxel2[:, 1], plausible_outputs()[[6, 1, 3], 0])
    np.testing.assert_allclose(found.k_m2[:, 1], plausible_outputs()[[6, 1, 3], 0] * 4e-12)
    assert np.isnan(found.k_voxel2[:, [0, 2]]).all()
    np.testing.assert_allclose(found.porosity, pores[[6, 1, 3]].mean((1, 2, 3)))
    assert set(found.families) == {"deepore"}
    assert found.provenance["indices"] == [6, 1, 3]
    assert open_rocks(found.path).percolating.all()
    assert complete.repack(
        tmp_path / "r.zarr", indices=[6, 1, 3], voxel_size="2 um", axis="y", progress=False
    )
    with pytest.raises(VolumeExistsError, match="axis"):
        complete.repack(tmp_path / "r.zarr", indices=[6, 1, 3], voxel_size="2 um", progress=False)


def test_a_mask_chooses_images_to_repack(complete, pores, tmp_path):
    wanted = np.arange(COUNT) % 3 == 1
    found = complete.repack(tmp_path / "r.zarr", indices=wanted, progress=False)
    assert found.provenance["indices"] == [1, 4, 7]
    np.testing.assert_array_equal(found.take(range(3)), pores[wanted])
    assert complete.properties(wanted, names=["permeability"])["permeability"].shape == (3,)


def test_what_the_file_cannot_mean_is_doubted_or_refused(tmp_path, pores):
    inverted = DeePore(write(tmp_path / "i.h5", pores, plausible_outputs()))
    with pytest.warns(
        PolarityWarning, match=r"0 \(the median of .* was counted as pore.*exchange the two in the file"
    ):
        inverted.repack(tmp_path / "i.zarr", progress=False)
    levels = np.random.default_rng(0).integers(0, 7, pores.shape).astype(np.uint8)
    with pytest.raises(SourceError, match=r"other levels \(0, 1, 2, 3, 4, …\)"):
        DeePore(write(tmp_path / "l.h5", levels, plausible_outputs())).take([0, 3])
    good = DeePore(write(tmp_path / "d.h5", ~pores, plausible_outputs()))
    for options, told in (
        ({"voxel_size": "1, 1, 2 um"}, "not cubic"),
        ({"labels": "stokes", "boundary": "open"}, "boundary='open'"),
    ):
        with pytest.raises(ParameterError, match=told):
            good.repack(tmp_path / "bad.zarr", **options)
    assert not (tmp_path / "bad.zarr").exists()
    with pytest.raises(ParameterError, match="property 'perm' is not known"):
        good.check().good("perm")


def test_by_default_the_official_filter_chooses_and_labels_can_be_made_anew(tmp_path, pores):
    y = plausible_outputs()
    y[:5, 0] = np.nan
    data = DeePore(write(tmp_path / "d.h5", ~pores, y))
    found = data.repack(tmp_path / "r.zarr", labels=lambda mask, axes: [mask.mean()], progress=False)
    np.testing.assert_array_equal(found.take(range(3)), pores[5:])
    np.testing.assert_allclose(found.k_voxel2[:, 0], found.porosity)
    bad = data.repack(tmp_path / "bad.zarr", indices=[0, 7], progress=False)
    assert bad.percolating.tolist() == [False, True]
    y[:, 0] = 0
    nothing = DeePore(write(tmp_path / "e.h5", ~pores, y))
    with pytest.raises(ParameterError, match="official filter"):
        nothing.repack(tmp_path / "none.zarr")
