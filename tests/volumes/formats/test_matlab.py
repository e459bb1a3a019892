from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from bigrock.errors import ParameterError, SourceError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source

INDICES = np.random.default_rng(4).integers(0, 250, (23, 17, 20)).astype("u1")
"""A MATLAB variable A(i, j, k)."""

GREY = INDICES.transpose(2, 1, 0)
"""The volume that it is by default: k is z."""

BOX = Region((3, 0, 5), (19, 11, 23))


def save_v73(path: Path, **variables: np.ndarray) -> None:
    """Write what MATLAB's save -v7.3 writes: a user block and every array with its axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            logical = array.dtype == bool
            data = file.create_dataset(name, data=array.T.view("u1") if logical else array.T)
            data.attrs["MATLAB_class"] = np.bytes_("logical" if logical else array.dtype.name)
        file.create_dataset("#refs#/a", data=np.zeros((3, 3, 3)))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116))


@pytest.mark.parametrize("version", ["5", "5-compressed", "7.3"])
def test_one_variable_is_one_volume_whatever_version_saved_it(tmp_path: Path, version: str) -> None:
    path = tmp_path / "scan.mat"
    if version == "7.3":
        save_v73(path, A=INDICES, size=np.array([[2.5]]))
    else:
        scipy.io.savemat(path, {"A": INDICES, "size": 2.5}, do_compression="compressed" in version)
    source = open_source(path)
    assert source.shape == GREY.shape
    assert source.dtype == np.dtype("u1")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source)).read(BOX), GREY[BOX.slices])
    slices_last = open_source(path, axes="zxy")
    np.testing.assert_array_equal(
        slices_last.read(Region.whole(slices_last.shape)), INDICES.transpose(2, 0, 1)
    )
    assert slices_last.identity() != source.identity()


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
def test_every_class_keeps_its_type(tmp_path: Path, dtype: str) -> None:
    array = (INDICES % 2 if dtype == "?" else INDICES).astype(dtype)
    scipy.io.savemat(tmp_path / "five.mat", {"A": array})
    save_v73(tmp_path / "seven.mat", A=array)
    for name in ("five.mat", "seven.mat"):
        source = open_source(tmp_path / name)
        got = source.read(BOX)
        assert got.dtype == source.dtype == np.dtype(dtype)
        assert got.flags.c_contiguous
        np.testing.assert_array_equal(got, array.T[BOX.slices])


@pytest.mark.parametrize("form", ["4", "5"])
def test_a_matrix_is_one_slice(tmp_path: Path, form: str) -> None:
    scipy.io.savemat(tmp_path / "scan.mat", {"A": INDICES[:, :, 0]}, format=form)
    source = open_source(tmp_path / "scan.mat")
    np.testing.assert_array_equal(source.read(Region.whole(source.shape)), GREY[:1])


def test_several_variables_are_listed_and_one_is_named(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "scan.mat", {"grey": INDICES, "mask": INDICES > 9, "info": {"a": 1}})
    with pytest.raises(ParameterError, match=r"grey \(23, 17, 20\), mask \(23, 17, 20\)"):
        open_source(tmp_path / "scan.mat")
    assert open_source(tmp_path / "scan.mat", dataset="mask").dtype == np.bool_
    with pytest.raises(UnsupportedFormatError, match="MATLAB struct"):
        open_source(tmp_path / "scan.mat", dataset="info")


def test_what_is_no_matlab_file_or_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.mat"
    path.write_bytes(b"nothing of the kind, but long enough to be looked at" * 9)
    with pytest.raises(UnsupportedFormatError, match="not a MATLAB file"):
        open_source(path)
    scipy.io.savemat(path, {"A": INDICES})
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises((SourceError, UnsupportedFormatError)):
        open_source(path).read(BOX)
