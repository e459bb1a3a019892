"""The memory of a run is predicted, kept, and does not grow with the volume."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bigrock.engine import memory
from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.volumes import create_volume

HERE = Path(__file__).parent
MIB = 2**20


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    """Noise of 32 MiB, and of 256 MiB."""
    folder = tmp_path_factory.mktemp("memory")
    tile = np.random.default_rng(0).integers(0, 60000, (128,) * 3).astype(np.uint16)
    for n in (256, 512):
        volume = create_volume(folder / f"{n}.zarr", (n,) * 3, "uint16", shard=(128,) * 3)
        for block in BlockGrid(volume.shape, (128,) * 3):
            volume.write(block.core, tile)
    return folder


def measured(name, **options):
    command = [sys.executable, str(HERE / "passes.py"), name, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("kernel", ["copy", "float"])
def test_a_run_keeps_to_its_plan_and_takes_the_same_for_a_volume_eight_times_larger(
    volumes, tmp_path, kernel
):
    peaks = []
    for n in (256, 512):
        options = {
            "source": str(volumes / f"{n}.zarr"),
            "dest": str(tmp_path / f"{n}.zarr"),
            "kernel": kernel,
        }
        figures = measured("measured_run", **options, block=[128] * 3)
        assert figures["peak"] <= figures["planned"]
        peaks.append(figures["peak"])
    # The volume grew by 224 MiB, its output by as much or twice that.
    assert peaks[1] - peaks[0] < 100 * MIB


def test_the_plan_of_blocks_that_dominate_is_not_wildly_loose(volumes, tmp_path):
    options = {"source": str(volumes / "512.zarr"), "dest": str(tmp_path / "out.zarr"), "kernel": "scratch"}
    figures = measured("measured_run", **options, block=[256] * 3, executor=1)
    assert figures["peak"] <= figures["planned"]
    planned, taken = figures["planned"] - memory.BASE_BYTES, figures["peak"] - figures["before"]
    assert planned <= 2.2 * taken


@pytest.mark.parametrize("kernel", ["otsu 2-D", "otsu 3-D"])
def test_local_otsu_keeps_to_its_plan(volumes, tmp_path, kernel):
    options = {"source": str(volumes / "256.zarr"), "dest": str(tmp_path / "out.zarr"), "kernel": kernel}
    figures = measured("measured_run", **options, block=[128, 256, 256])
    assert figures["peak"] <= figures["planned"]


def test_many_measures_in_one_read_keep_to_their_plan(volumes):
    from bigrock.measures import MEASURES

    what = [name for name, measure in MEASURES.items() if measure.of == "phase"]
    options = {"what": what, "threshold": 9000, "block": [128] * 3}
    figures = measured("measured_measure", source=str(volumes / "256.zarr"), **options)
    assert figures["peak"] <= figures["planned"]


def test_a_pyramid_takes_little_more(volumes, tmp_path):
    options = {"source": str(volumes / "512.zarr"), "dest": str(tmp_path / "out.zarr"), "kernel": "copy"}
    figures = measured("measured_run", **options, block=[256] * 3, executor=1, pyramid=True)
    assert figures["peak"] <= figures["planned"]


def test_a_measurement_holds_blocks_and_not_the_volume(volumes):
    peaks = [
        measured("measured_reduce", source=str(volumes / f"{n}.zarr"), block=[64] * 3) for n in (256, 512)
    ]
    assert peaks[1]["peak"] - peaks[0]["peak"] < 50 * MIB
    assert peaks[1]["peak"] - peaks[1]["before"] < 150 * MIB


@pytest.mark.parametrize(
    ("text", "size"),
    [("1 GiB", 2**30), ("500 MB", 500 * 10**6), ("1.5GiB", 3 * 2**29), (4096, 4096), ("2 kB", 2000)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert memory.parse_bytes(text) == size


@pytest.mark.parametrize("text", ["much", "1 GiBs", "", "-1 GiB", 0])
def test_sizes_that_cannot_be_understood_are_refused(text):
    with pytest.raises(ParameterError, match="Write it like '1 GiB'"):
        memory.parse_bytes(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (150 * MIB + 1, "150 MiB"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (3 * 2**29, "1.50 GiB"),
        (500 * MIB, "500 MiB"),
        (2**50, "1024 TiB"),
    ],
)
def test_sizes_are_printed_for_people(size, text):
    assert memory.format_bytes(size) == text


def test_there_is_memory_and_a_core():
    assert memory.cores() >= 1
    assert memory.available_bytes() > 100 * MIB
