from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_voxels import SHAPE, some_voxels

from bigrock.errors import ParameterError, SourceError, TruncatedFileError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source
from bigrock.volumes.formats.raw import MappedSource, open_raw
from bigrock.volumes.source import Source

TYPES = ["u1", "<u2", ">u2", "<i4", ">f4", "<f8", "?"]


def a_region(shape: tuple[int, int, int]) -> st.SearchStrategy[Region]:
    axis = [st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda p: p[0] < p[1]) for n in shape]
    return st.tuples(*axis).map(lambda t: Region(tuple(a for a, _ in t), tuple(b for _, b in t)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("offset", [0, 5, 512])
def test_raw_gives_what_numpy_wrote(tmp_path: Path, dtype: str, order: str, offset: int) -> None:
    voxels = some_voxels(dtype)
    path = tmp_path / "scan.raw"
    path.write_bytes(b"h" * offset + voxels.tobytes(order))
    source = open_source(path, shape=SHAPE, dtype=dtype, offset=offset, order=order)
    got = source.read(Region.whole(SHAPE))
    np.testing.assert_array_equal(got, voxels)
    assert got.dtype.isnative
    assert got.dtype == source.dtype
    assert got.flags.c_contiguous
    assert isinstance(source, Source)
    box = Region((1, 3, 2), (6, 4, 12))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source)).read(box), voxels[box.slices])


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_region_of_plain_and_gzip_files_equals_the_array(
    tmp_path_factory: pytest.TempPathFactory, order: str
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    voxels = some_voxels(">u2")
    data = b"head" + voxels.tobytes(order)
    (folder / "a.raw").write_bytes(data)
    (folder / "b.raw.gz").write_bytes(gzip.compress(data[:999]) + gzip.compress(data[999:]))
    both = [
        open_source(folder / name, shape=SHAPE, dtype=">u2", offset=4, order=order)
        for name in ("a.raw", "b.raw.gz")
    ]

    @given(a_region(SHAPE))
    @settings(max_examples=60, deadline=None)
    def check(region: Region) -> None:
        for source in both:
            np.testing.assert_array_equal(source.read(region), voxels[region.slices])

    check()


def test_true_is_every_byte_but_zero(tmp_path: Path) -> None:
    path = tmp_path / "mask.raw"
    path.write_bytes(bytes([0, 1, 255, 0]))
    for file in (path, tmp_path / "mask.gz"):
        if file != path:
            file.write_bytes(gzip.compress(path.read_bytes()))
        mask = open_raw(file, shape=(1, 1, 4), dtype=bool).read(Region.whole((1, 1, 4)))
        np.testing.assert_array_equal(mask.view("u1"), [[[0, 1, 1, 0]]])


def test_a_truncated_file_is_refused_with_expected_and_found_bytes(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(1000))
    with pytest.raises(TruncatedFileError, match=r"1,000 bytes.*takes 1,010: 10 are missing"):
        open_source(path, shape=(10, 10, 10), dtype="u1", offset=10)


def test_a_file_that_shrinks_after_opening_is_refused_at_the_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(1000))
    source = open_source(path, shape=(10, 10, 10), dtype="u1")
    path.write_bytes(bytes(900))
    with pytest.raises(TruncatedFileError, match="100 are missing"):
        source.read(Region((0, 0, 0), (1, 1, 1)))


def test_a_longer_file_is_refused_and_the_header_length_suggested(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(64) + bytes(range(8)))
    with pytest.raises(SourceError, match=r"64 are left over.*offset=64"):
        open_source(path, shape=(2, 2, 2), dtype="u1")
    last = open_source(path, shape=(2, 2, 2), dtype="u1", offset=-1)
    assert last.read(Region.whole((2, 2, 2))).ravel().tolist() == list(range(8))


def test_raw_without_shape_or_type_says_which_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(8))
    with pytest.raises(ParameterError, match="shape and dtype are not given"):
        open_source(path)
    with pytest.raises(ParameterError, match=" dtype are not given"):
        open_source(path, shape=(2, 2, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "X"}, "order='X'"),
        ({"offset": -5}, "offset=-5"),
        ({"dtype": "nonsense"}, "not a number type"),
        ({"shape": (2, 2)}, "left over"),
    ],
)
def test_options_that_are_not_allowed_are_named(tmp_path: Path, options: dict, message: str) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(8))
    with pytest.raises((ParameterError, SourceError), match=message):
        open_source(path, **({"shape": (2, 2, 2), "dtype": "u1"} | options))


def test_complex_voxels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(64))
    with pytest.raises(UnsupportedFormatError, match="complex64"):
        open_source(path, shape=(2, 2, 2), dtype="c8")


def test_a_region_outside_the_volume_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(8))
    source = open_source(path, shape=(2, 2, 2), dtype="u1")
    for region in (Region((0, 0, 0), (3, 1, 1)), Region((1, 1, 1), (1, 2, 2)), Region((-1, 0, 0), (1, 1, 1))):
        with pytest.raises(ParameterError, match="not inside"):
            source.read(region)


def test_identity_changes_with_the_file_and_with_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(16))
    one = open_source(path, shape=(2, 2, 4), dtype="u1")
    other = open_source(path, shape=(2, 2, 2), dtype="u2")
    assert one.identity() == pickle.loads(pickle.dumps(one)).identity()
    assert one.identity() != other.identity()
    before = one.identity()
    path.write_bytes(bytes(16) + b"x")
    assert one.identity() != before


@pytest.mark.parametrize("packed", [False, True])
def test_threads_read_one_source_at_once(tmp_path: Path, packed: bool) -> None:
    voxels = some_voxels("<u2", (32, 40, 40))
    path = tmp_path / "scan.bin"
    path.write_bytes(gzip.compress(voxels.tobytes()) if packed else voxels.tobytes())
    source = open_source(path, shape=voxels.shape, dtype="<u2")
    wrong: list[int] = []

    def work(number: int) -> None:
        random = np.random.default_rng(number)
        for _ in range(20):
            z = int(random.integers(0, 31))
            region = Region((z, 3, 5), (z + 1, 39, 31))
            if not np.array_equal(source.read(region), voxels[region.slices]):
                wrong.append(z)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_a_region_of_a_sparse_8_gib_file_touches_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.raw"
    with path.open("wb") as file:
        file.truncate(8 << 30)
        file.seek(1024 * 2048 * 2048 + 5)
        file.write(b"\7")
    script = rf"""
        import re
        from pathlib import Path
        from bigrock.geometry import Region
        from bigrock.volumes.formats import open_source
        def peak():
            return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
        source = open_source({str(path)!r}, shape=(2048, 2048, 2048), dtype="u1")
        source.read(Region((0, 0, 0), (1, 1, 1)))
        before = peak()
        assert source.read(Region((1024, 0, 0), (1026, 4, 16)))[0, 0, 5] == 7
        source.read(Region((100, 100, 100), (164, 164, 164)))
        small = peak() - before
        slab = source.read(Region((500, 0, 0), (564, 2048, 2048)))
        large = peak() - before
        print(small, large)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    small_kib, large_kib = map(int, done.stdout.split())
    assert small_kib < 48 << 10
    assert large_kib < (256 + 64) << 10


def test_fortran_order_says_that_a_run_along_z_is_read_as_one() -> None:
    source = MappedSource("scan.raw", (5000, 10, 10), np.dtype("u2"), order="F")
    assert source.read_unit == (2048, 1, 1)
