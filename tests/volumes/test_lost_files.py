"""A file that was lost is an error, never voxels of zero; and so is what a deletion left half done."""

from __future__ import annotations

import numpy as np
import pytest

import bigrock as br
from bigrock.errors import CorruptChunkError, IncompleteVolumeError, ParameterError
from bigrock.volumes import ArraySource, create
from bigrock.volumes.levels import LevelSource

VOXELS = np.random.default_rng(0).integers(1, 255, (100, 64, 200)).astype(np.uint8)


@pytest.fixture
def volume(tmp_path):
    voxels = VOXELS.copy()
    voxels[:64, :, :64] = 0
    return br.import_volume(ArraySource(voxels), tmp_path / "a.zarr", block=(64, 64, 64))


def test_shards_of_zeros_are_stored_and_read_by_other_software(volume, tmp_path):
    import zarr

    files = {
        p.relative_to(tmp_path / "a.zarr/0/c").as_posix()
        for p in (tmp_path / "a.zarr/0/c").rglob("*")
        if p.is_file()
    }
    assert files == {f"{z}/0/{x}" for z in range(2) for x in range(4)}
    np.testing.assert_array_equal(volume[:], zarr.open_array(tmp_path / "a.zarr/0", mode="r")[:])
    assert not volume[:64, :, :64].any()


@pytest.mark.parametrize("lost", ["0/c/1/0/2", "0/c/0/0/0"])
def test_a_lost_file_is_an_error_that_names_it(volume, tmp_path, lost):
    (tmp_path / "a.zarr" / lost).unlink()
    again = br.open_volume(tmp_path / "a.zarr")
    with pytest.raises(CorruptChunkError, match=f"it is missing.*{lost}"):
        again[:]
    with pytest.raises(br.errors.RunError, match="CorruptChunkError"):
        br.measure(again, "histogram", progress=False)


def test_a_damaged_level_is_an_error_wherever_it_is_read(volume, tmp_path):
    big = br.import_volume(ArraySource(np.tile(VOXELS, (3, 1, 2))), tmp_path / "b.zarr", block=(64, 64, 64))
    assert len(big.levels) > 1
    for file in (tmp_path / "b.zarr/1/c").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(CorruptChunkError, match=r"b\.zarr/1/c"):
        LevelSource(big, 1).read(br.volumes.Region((0, 0, 0), (8, 8, 8)))
    with pytest.raises(CorruptChunkError, match=r"b\.zarr/1/c"):
        br.export_volume(big, tmp_path / "b.npy", level=1)


def test_a_volume_whose_replacement_was_killed_is_not_read(volume, tmp_path, monkeypatch):
    async def killed(store):
        raise InterruptedError

    monkeypatch.setattr(create, "_delete_all", killed)
    with pytest.raises(InterruptedError):
        br.import_volume(ArraySource(VOXELS), tmp_path / "a.zarr", overwrite=True)
    with pytest.raises(IncompleteVolumeError):
        br.open_volume(tmp_path / "a.zarr")


def test_the_input_is_recognised_behind_dots_and_links(volume, tmp_path):
    (tmp_path / "link.zarr").symlink_to(tmp_path / "a.zarr")
    (tmp_path / "sub").mkdir()
    for dest in (tmp_path / "link.zarr", tmp_path / "sub" / ".." / "a.zarr"):
        with pytest.raises(ParameterError, match="would replace its own input"):
            br.run(br.kernels.Threshold(100), volume, dest, overwrite=True)
    assert volume[64:].any()
