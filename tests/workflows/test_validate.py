"""Validation names every damaged file of every level, and finds nothing wrong where nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bigrock
from bigrock.errors import VolumeNotFoundError
from bigrock.workflows.validate import validate


@pytest.fixture
def volume(tmp_path: Path) -> bigrock.Volume:
    """A volume of several shards and levels."""
    grey = np.random.default_rng(0).integers(0, 255, (20, 300, 40), np.uint8)
    return bigrock.import_volume(
        bigrock.ArraySource(grey), tmp_path / "core.zarr", voxel_size="2 um", progress=False
    )


def shards(volume: bigrock.Volume, level: int) -> list[Path]:
    return sorted(p for p in Path(volume.path, str(level), "c").rglob("*") if p.is_file())


def test_a_whole_volume_has_no_problems_and_every_file_is_decoded(volume: bigrock.Volume) -> None:
    found = validate(volume.path, progress=False)
    assert found.problems == ()
    assert found.files == sum(len(shards(volume, k)) for k in range(len(volume.levels)))


def test_a_file_that_is_not_there_is_not_counted_as_decoded(volume: bigrock.Volume) -> None:
    whole = validate(volume.path, progress=False)
    shards(volume, 0)[0].unlink()
    found = validate(volume.path, progress=False)
    assert found.files == whole.files - 1
    assert len(found.problems) == 1


def test_every_damaged_file_is_named_on_every_level(volume: bigrock.Volume) -> None:
    damaged = [shards(volume, 0)[0], shards(volume, 0)[-1], shards(volume, 1)[0]]
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(content)
    problems = validate(volume.path, progress=False).problems
    assert [any(str(path) in problem for problem in problems) for path in damaged] == [True] * 3
    assert len(problems) == 3


def test_a_file_that_was_cut_off_is_named(volume: bigrock.Volume) -> None:
    path = shards(volume, 0)[0]
    path.write_bytes(path.read_bytes()[:100])
    [problem] = validate(volume.path, progress=False).problems
    assert str(path) in problem


def test_metadata_that_is_no_valid_ome_zarr_is_a_problem(volume: bigrock.Volume) -> None:
    file = Path(volume.path, "zarr.json")
    told = json.loads(file.read_text())
    told["attributes"]["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"] = []
    file.write_text(json.dumps(told))
    assert any("OME-Zarr" in problem for problem in validate(volume.path, progress=False).problems)


def test_a_volume_that_was_not_finished_is_a_problem(volume: bigrock.Volume) -> None:
    bigrock.open_volume(volume.path, mode="r+").update(complete=False)
    [problem] = validate(volume.path, progress=False).problems
    assert "incomplete" in problem


def test_there_must_be_a_volume(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError):
        validate(tmp_path / "nowhere.zarr")
