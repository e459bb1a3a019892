from __future__ import annotations

import errno
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bigrock.errors import ParameterError, StorageFullError, UnsupportedFormatError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.volumes import ArraySource
from bigrock.volumes.formats import (
    open_source,
    slabs_of,
    write_npy,
    write_nrrd,
    write_raw_mhd,
    write_tiff,
    writing,
)

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
WRITERS = {".tif": write_tiff, ".nrrd": write_nrrd, ".npy": write_npy, ".mhd": write_raw_mhd}
VOXEL = (1e-5, 2.25e-6, 1.5e-6)

each_writer = pytest.mark.parametrize("suffix", WRITERS)


def slabs(voxels: np.ndarray = GREY, thickness: int = 2) -> Iterator[np.ndarray]:
    return (voxels[z : z + thickness] for z in range(0, len(voxels), thickness))


def save(path: Path, voxels: np.ndarray = GREY, **options: object) -> Path:
    settings: dict = {"shape": voxels.shape, "dtype": voxels.dtype} | options
    return WRITERS[path.suffix](slabs(voxels), path, **settings)


@each_writer
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", ">u2", "i2", "u4", "i4", "i8", "u8", "f4", ">f4", "f8"])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, dtype: str) -> None:
    voxels = (GREY % 120).astype(dtype)
    if suffix == ".tif" and dtype in ("i8", "u8"):
        with pytest.raises(UnsupportedFormatError, match="uint32"):
            save(tmp_path / "scan.tif", voxels)
        return
    written = save(tmp_path / "new" / f"scan{suffix}", voxels)
    source = open_source(written)
    got = source.read(Region.whole(GREY.shape))
    assert got.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(got, voxels)
    assert source.voxel_size is None


@pytest.mark.parametrize("suffix", [".tif", ".nrrd", ".mhd"])
@pytest.mark.parametrize("dtype", ["u2", "i4"])
@pytest.mark.parametrize(
    "voxel", [VOXEL, (5e-9, 5e-9, 1e-8), (2.345e-6,) * 3, (1e-3, 2e-3, 3e-3), (1 / 3e6, 1e-7, 1e-6)]
)
def test_the_voxel_size_survives_exactly(tmp_path: Path, suffix: str, dtype: str, voxel: tuple) -> None:
    written = save(tmp_path / f"scan{suffix}", GREY.astype(dtype), voxel_size=voxel)
    assert open_source(written).voxel_size == pytest.approx(voxel, rel=1e-9)


@each_writer
def test_masks_are_written_as_documented(tmp_path: Path, suffix: str) -> None:
    mask = GREY % 3 == 0
    source = open_source(save(tmp_path / f"mask{suffix}", mask))
    got = source.read(Region.whole(GREY.shape))
    assert got.dtype == (np.bool_ if suffix == ".npy" else np.uint8)
    np.testing.assert_array_equal(got, mask * (255 if suffix == ".tif" else 1))


@each_writer
def test_an_existing_file_is_kept_unless_overwriting(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scan{suffix}"
    save(path)
    before = path.read_bytes()
    with pytest.raises(VolumeExistsError, match="overwrite=True"):
        save(path, GREY + 1)
    assert path.read_bytes() == before
    written = save(path, GREY + 1, overwrite=True)
    np.testing.assert_array_equal(open_source(written).read(Region.whole(GREY.shape)), GREY + 1)


def test_neither_half_of_a_metaimage_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "scan.raw").write_bytes(b"the original scan")
    with pytest.raises(VolumeExistsError, match=r"scan\.raw"):
        save(tmp_path / "scan.mhd")
    assert [file.name for file in tmp_path.iterdir()] == ["scan.raw"]
    assert (tmp_path / "scan.raw").read_bytes() == b"the original scan"


@each_writer
def test_a_folder_is_never_replaced(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"scan{suffix}").mkdir()
    with pytest.raises(VolumeExistsError):
        save(tmp_path / f"scan{suffix}", overwrite=True)


@each_writer
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: slabs(GREY[:7]), r"hold 7 slices and the volume \(9, 7, 8\)"),
        (lambda: slabs(np.concatenate([GREY, GREY[:1]])), "more than 9"),
        (lambda: slabs(GREY[:, :6]), r"slab of shape \(2, 6, 8\)"),
        (lambda: slabs(GREY.astype("u4")), "type uint32"),
        (lambda: iter(GREY), r"slab of shape \(7, 8\)"),
    ],
)
def test_slabs_that_are_not_the_volume_leave_nothing(
    tmp_path: Path, suffix: str, wrong: Callable[[], Iterator[np.ndarray]], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        WRITERS[suffix](wrong(), tmp_path / f"scan{suffix}", shape=GREY.shape, dtype="u2")
    assert list(tmp_path.iterdir()) == []


@each_writer
def test_an_error_while_reading_keeps_the_old_file_and_leaves_no_part(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scan{suffix}"
    save(path)
    names, before = sorted(tmp_path.iterdir()), path.read_bytes()

    def broken() -> Iterator[np.ndarray]:
        yield GREY[:4]
        raise RuntimeError("the reader failed")

    with pytest.raises(RuntimeError, match="reader failed"):
        WRITERS[suffix](broken(), path, shape=GREY.shape, dtype="u2", overwrite=True)
    assert sorted(tmp_path.iterdir()) == names
    assert path.read_bytes() == before


@each_writer
def test_too_little_space_is_refused_before_anything_is_written(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = GREY.nbytes - 1

    monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(
        StorageFullError, match=f"takes {GREY.nbytes:,} bytes and {GREY.nbytes - 1:,} are free"
    ):
        save(tmp_path / f"scan{suffix}")
    assert list(tmp_path.iterdir()) == []


@each_writer
@pytest.mark.parametrize(
    "full", [OSError(errno.ENOSPC, "No space left on device"), OSError("65536 requested and 512 written")]
)
def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, suffix: str, full: OSError) -> None:
    def filling() -> Iterator[np.ndarray]:
        yield GREY[:4]
        raise full

    with pytest.raises(StorageFullError, match="no space was left"):
        WRITERS[suffix](filling(), tmp_path / f"scan{suffix}", shape=GREY.shape, dtype="u2")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="other"), writing.replacing(tmp_path / "a", overwrite=False):
        raise OSError(errno.EIO, "other")


def test_two_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.npy"
    start = threading.Barrier(2)
    failures: list[Exception] = []

    def work(value: int) -> None:
        start.wait()
        try:
            save(path, GREY * 0 + value)
        except VolumeExistsError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(value,)) for value in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [file.name for file in tmp_path.iterdir()] == ["scan.npy"]
    assert len(np.unique(np.load(path))) == 1


def test_slabs_follow_the_read_unit_of_the_source(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=GREY, chunks=(4, 7, 8))
    source = open_source(tmp_path / "a.h5")
    assert [len(slab) for slab in slabs_of(source, slab_bytes=1)] == [4, 4, 1]
    assert [len(slab) for slab in slabs_of(source)] == [9]
    np.testing.assert_array_equal(np.concatenate(list(slabs_of(source, slab_bytes=500))), GREY)
    assert [len(slab) for slab in slabs_of(ArraySource(GREY), slab_bytes=3 * 7 * 8 * 2)] == [3, 3, 3]


@each_writer
def test_writing_holds_one_slab_in_memory(tmp_path: Path, suffix: str) -> None:
    import tracemalloc

    shape = (256, 256, 256)
    big = (np.full((4, 256, 256), z, "u2") for z in range(64))
    WRITERS[suffix](slabs(), tmp_path / f"warm{suffix}", shape=GREY.shape, dtype="u2")
    tracemalloc.start()
    WRITERS[suffix](big, tmp_path / f"big{suffix}", shape=shape, dtype="u2")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_a_copy_takes_the_same_memory_whatever_the_volume(tmp_path: Path) -> None:
    script = r"""
        import re, sys
        from pathlib import Path
        from bigrock.geometry import Region
        from bigrock.volumes.formats import open_source, slabs_of, write_tiff
        import tifffile
        def peak():
            return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
        source = open_source(sys.argv[1], shape=(int(sys.argv[2]), 512, 512), dtype="u1")
        before = peak()
        copy = write_tiff(slabs_of(source, slab_bytes=8 << 20), sys.argv[1] + ".tif", shape=source.shape, dtype="u1")
        assert open_source(copy).shape == source.shape
        print(peak() - before)
    """
    peaks = []
    for depth in (64, 1024):
        path = tmp_path / f"{depth}.raw"
        with path.open("wb") as file:
            file.truncate(depth * 512 * 512)
        command = [sys.executable, "-c", textwrap.dedent(script), str(path), str(depth)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert max(peaks) < 64 << 10
    assert peaks[1] < peaks[0] + (16 << 10)
