from __future__ import annotations

import pickle
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from bigrock.errors import ParameterError, SourceError, TruncatedFileError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source
from bigrock.volumes.source import Source

GREY = np.random.default_rng(2).integers(0, 4000, (20, 17, 23)).astype("u2")
BOX = Region((3, 0, 5), (19, 11, 23))


def write(path: Path, **options: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("scan/grey", data=GREY, **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (4, 5, 6)},
        {"chunks": (4, 5, 6), "compression": "gzip", "shuffle": True},
        {"dtype": ">u2"},
    ],
)
def test_a_dataset_equals_h5py(tmp_path: Path, options: dict) -> None:
    write(tmp_path / "scan.h5", **options)
    source = open_source(tmp_path / "scan.h5")
    assert isinstance(source, Source)
    assert source.read_unit == options.get("chunks", (1, 1, 1))
    got = pickle.loads(pickle.dumps(source)).read(BOX)
    np.testing.assert_array_equal(got, GREY[BOX.slices])
    assert got.flags.c_contiguous
    assert got.dtype == source.dtype == np.dtype("u2")
    assert source.voxel_size is None


def test_content_tells_hdf5_whatever_the_name(tmp_path: Path) -> None:
    write(tmp_path / "scan.data")
    assert open_source(tmp_path / "scan.data").shape == GREY.shape


def test_several_volumes_are_listed_and_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write(path)
    with h5py.File(path, "a") as file:
        file["mask"] = GREY > 9
        file["table"] = np.zeros(4)
        file["link"] = h5py.SoftLink("/scan/grey")
    with pytest.raises(ParameterError, match=r"mask \(20, 17, 23\), scan/grey \(20, 17, 23\)"):
        open_source(path)
    with pytest.raises(ParameterError, match="'nothing' is not in"):
        open_source(path, dataset="nothing")
    assert open_source(path, dataset="mask").dtype == np.bool_
    np.testing.assert_array_equal(open_source(path, dataset="/scan/grey").read(BOX), GREY[BOX.slices])
    np.testing.assert_array_equal(open_source(path, dataset="link").read(BOX), GREY[BOX.slices])


def test_a_file_without_a_volume_says_what_it_holds(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["table"] = np.zeros(4)
    with pytest.raises(SourceError, match=r"table \(4,\)"):
        open_source(tmp_path / "scan.h5")


def test_stored_axes_are_turned_into_z_y_x(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("grey", data=GREY.transpose(2, 0, 1), chunks=(2, 3, 4))
    source = open_source(path, axes="xzy")
    assert source.shape == GREY.shape
    assert source.read_unit == (3, 4, 2)
    np.testing.assert_array_equal(source.read(BOX), GREY[BOX.slices])
    with pytest.raises(ParameterError, match="permutation"):
        open_source(path, axes="xy")


def test_leading_single_axes_are_dropped_and_pictures_are_slices(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["five"] = GREY[None, None]
        file["flat"] = GREY[0]
        file["movie"] = np.stack([GREY, GREY])
    np.testing.assert_array_equal(
        open_source(tmp_path / "scan.h5", dataset="five").read(BOX), GREY[BOX.slices]
    )
    flat = open_source(tmp_path / "scan.h5", dataset="flat")
    np.testing.assert_array_equal(flat.read(Region((0, 3, 4), (1, 9, 9))), GREY[:1, 3:9, 4:9])
    with pytest.raises(SourceError, match=r"\(2, 20, 17, 23\)"):
        open_source(tmp_path / "scan.h5", dataset="movie")


def test_element_size_is_microns_z_y_x(tmp_path: Path) -> None:
    write(tmp_path / "scan.h5")
    with h5py.File(tmp_path / "scan.h5", "a") as file:
        file["scan/grey"].attrs["element_size_um"] = [10.0, 2.5, 1.5]
    assert open_source(tmp_path / "scan.h5").voxel_size == (1e-5, 2.5e-6, 1.5e-6)


def netcdf(path: Path, z: np.ndarray, unit: str | None = "um") -> None:
    with h5py.File(path, "w") as file:
        grey = file.create_dataset("grey", data=GREY)
        for axis, values in enumerate((z, np.arange(17) * 2.0, np.arange(23)[::-1] * 3.0)):
            name = "zyx"[axis]
            file[name] = values
            file[name].make_scale(name)
            if unit is not None:
                file[name].attrs["units"] = unit
            grey.dims[axis].attach_scale(file[name])


def test_netcdf_coordinates_give_the_voxel_size(tmp_path: Path) -> None:
    netcdf(tmp_path / "scan.nc", 5 + np.arange(20) * 0.5)
    source = open_source(tmp_path / "scan.nc")
    assert source.voxel_size == pytest.approx((5e-7, 2e-6, 3e-6), rel=1e-12)
    np.testing.assert_array_equal(source.read(BOX), GREY[BOX.slices])


def test_uneven_or_unitless_coordinates_state_no_voxel_size(tmp_path: Path) -> None:
    netcdf(tmp_path / "uneven.nc", np.arange(20) ** 2.0)
    netcdf(tmp_path / "unitless.nc", np.arange(20.0), None)
    netcdf(tmp_path / "strange.nc", np.arange(20.0), "degrees")
    for name in ("uneven", "unitless", "strange"):
        assert open_source(tmp_path / f"{name}.nc").voxel_size is None


def test_classic_netcdf_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "old.nc").write_bytes(b"CDF\x01" + bytes(100))
    with pytest.raises(UnsupportedFormatError, match="nccopy"):
        open_source(tmp_path / "old.nc")


def test_a_cut_file_and_what_is_no_hdf5_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-500])
    with pytest.raises(TruncatedFileError, match=f"{len(whole) - 500:,} bytes of {len(whole):,}"):
        open_source(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UnsupportedFormatError, match="not an HDF5 file"):
        open_source(path)


def test_a_damaged_chunk_is_refused_at_the_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write(path, chunks=(20, 17, 23), compression="gzip")
    with h5py.File(path) as file:
        chunk = file["scan/grey"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(data)
    with pytest.raises(SourceError, match="h5repack"):
        open_source(path).read(BOX)


def test_complex_datasets_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["grey"] = GREY.astype("c8")
    with pytest.raises(UnsupportedFormatError, match="complex64"):
        open_source(tmp_path / "scan.h5", dataset="grey")


def test_threads_read_one_file_at_once(tmp_path: Path) -> None:
    write(tmp_path / "scan.h5", chunks=(4, 5, 6), compression="gzip")
    source = open_source(tmp_path / "scan.h5")
    right: list[bool] = []
    threads = [
        threading.Thread(target=lambda: right.append(np.array_equal(source.read(BOX), GREY[BOX.slices])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 8


def test_a_region_of_a_large_sparse_dataset_is_read_in_parts(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("grey", shape=(4096, 2048, 2048), dtype="u2", chunks=(64, 64, 64))
    source = open_source(path)
    tracemalloc.start()
    assert source.read(Region((4000, 2000, 2000), (4096, 2048, 2048))).sum() == 0
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
