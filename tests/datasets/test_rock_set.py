"""Sets of rocks: order, labels, interruptions, and what is refused."""

from __future__ import annotations

import functools
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small_sets import QUICK

import bigrock
from bigrock.datasets import ROCK_FAMILIES, make_rocks, open_rocks, rock
from bigrock.datasets.rock_labels import GivenLabels
from bigrock.errors import (
    IncompleteVolumeError,
    MissingDependencyError,
    NotAVolumeError,
    ParameterError,
    ResumeError,
    RunError,
    VolumeExistsError,
    VolumeNotFoundError,
)


def test_a_set_tells_what_it_holds(rocks):
    assert len(rocks) == 27
    assert rocks.edge == 16
    assert rocks.voxel_size == (2e-6, 2e-6, 2e-6)
    assert Counter(rocks.families.tolist()) == dict.fromkeys(ROCK_FAMILIES, 3)
    assert rocks.groups.tolist() == list(range(27))
    assert rocks.images.dtype == np.uint8
    assert rocks.provenance["seed"] == 4
    assert rocks.provenance["labels"]["axes"] == ["x", "z"]


def test_labels_stand_in_their_columns_and_units(rocks):
    np.testing.assert_allclose(rocks.k_voxel2[:, 0], rocks.porosity**3)
    np.testing.assert_array_equal(rocks.k_voxel2[:, 0], rocks.k_voxel2[:, 2])
    assert np.isnan(rocks.k_voxel2[:, 1]).all()
    np.testing.assert_allclose(rocks.k_m2, rocks.k_voxel2 * 4e-12)


def test_images_come_in_the_order_that_is_asked(rocks):
    asked = [5, 0, 26, 5]
    found = rocks.take(asked)
    assert found.dtype == bool
    for mask, index in zip(found, asked, strict=True):
        family = ROCK_FAMILIES[index % 9]
        np.testing.assert_array_equal(mask, rock((4, index), edge=16, family=family, percolating=True))
    np.testing.assert_allclose(found.mean((1, 2, 3)), rocks.porosity[asked])
    np.testing.assert_array_equal(rocks.image(26), found[2])
    assert rocks.take([]).shape == (0, 16, 16, 16)


def test_an_index_outside_is_refused(rocks):
    with pytest.raises(ParameterError, match=r"rock 27 is not in .*, which holds 27"):
        rocks.take([3, 27])
    with pytest.raises(ParameterError, match="rock -1"):
        rocks.take([-1])


def test_a_mask_asks_for_the_rocks_that_are_true_and_nothing_is_rounded(rocks):
    packs = rocks.families == "pack"
    np.testing.assert_array_equal(rocks.take(packs), rocks.take(np.flatnonzero(packs)))
    for odd, told in ((packs[:5], "a mask of shape"), ([1.7], "these are float64"), (["0"], "whole numbers")):
        with pytest.raises(ParameterError, match=told):
            rocks.take(odd)


def test_a_set_can_be_pickled_and_opened_again(rocks):
    for again in (pickle.loads(pickle.dumps(rocks)), open_rocks(rocks.path)):
        np.testing.assert_array_equal(again.take([3, 1]), rocks.take([3, 1]))
        np.testing.assert_array_equal(again.k_voxel2, rocks.k_voxel2)


def test_more_rocks_begin_with_the_same_rocks_on_any_executor(rocks, tmp_path):
    options = QUICK | {"executor": 2}
    more = make_rocks(tmp_path / "more.zarr", count=30, seed=4, axes=("x", "z"), **options)
    np.testing.assert_array_equal(more.take(range(27)), rocks.take(range(27)))
    np.testing.assert_array_equal(more.k_voxel2[:27], rocks.k_voxel2)
    other = make_rocks(tmp_path / "other.zarr", count=2, seed=5, **QUICK)
    assert not np.array_equal(other.image(0), rocks.image(0))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_processes_of_dask_make_the_same_set(rocks, tmp_path):
    options = {"edge": 16, "labels": None, "progress": False}
    with bigrock.cluster(workers=1, threads=2, dashboard_address=":0"):
        found = make_rocks(tmp_path / "dask.zarr", count=5, seed=4, **options)
        with pytest.raises(ParameterError, match="memory of this process"):
            make_rocks("memory://dask-rocks", count=2, **options)
    np.testing.assert_array_equal(found.take(range(5)), rocks.take(range(5)))


# ---------------------------------------------------------------------------------------- splits


SLOW = """
import sys, time
from pathlib import Path
from bigrock.datasets import make_rocks

def slow(mask, axes):
    with Path(sys.argv[2]).open("a") as file:
        file.write("x")
    time.sleep(float(sys.argv[3]))
    return [mask.mean() ** 3]

make_rocks(sys.argv[1], count=12, edge=16, labels=slow, seed=4, progress=False, executor=1)
"""


def test_a_killed_run_goes_on_where_it_stopped(rocks, tmp_path):
    script, calls, dest = tmp_path / "slow.py", tmp_path / "calls", tmp_path / "rocks.zarr"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(dest), str(calls)]
    running = subprocess.Popen([*command, "0.2"])
    until = time.monotonic() + 60
    while not (calls.exists() and calls.stat().st_size >= 5) and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    with pytest.raises(IncompleteVolumeError, match="goes on where it stopped"):
        open_rocks(dest)
    before = calls.stat().st_size
    subprocess.run([*command, "0"], check=True)
    assert calls.stat().st_size - before <= 12 - (before - 2)
    found = open_rocks(dest)
    np.testing.assert_array_equal(found.take(range(12)), rocks.take(range(12)))
    np.testing.assert_allclose(found.k_voxel2[:, 0], found.porosity**3)


def test_a_rock_that_fails_does_not_stop_the_others(tmp_path):
    mark = tmp_path / "mend"

    def fails(mask, axes):
        if not mark.exists() and mask.mean() == np.float64(bad):
            raise ParameterError("this rock is not liked")
        return [1.0]

    options = QUICK | {"labels": fails}
    bad = rock((0, 2), edge=16, family="two-scale", percolating=True).mean()
    with pytest.raises(RunError, match="1 of 4"):
        make_rocks(tmp_path / "r.zarr", count=4, **options)
    mark.touch()
    assert (make_rocks(tmp_path / "r.zarr", count=4, **options).k_voxel2[:, 0] == 1).all()


def test_a_finished_set_is_returned_and_nothing_is_replaced_unasked(rocks, tmp_path):
    dest, stamp = tmp_path / "r.zarr", Path
    first = make_rocks(dest, count=3, **QUICK)
    stamp = (dest / "images" / "c" / "0" / "0" / "0" / "0").stat().st_mtime_ns
    again = make_rocks(dest, count=3, **QUICK)
    assert again.provenance == first.provenance
    assert (dest / "images" / "c" / "0" / "0" / "0" / "0").stat().st_mtime_ns == stamp
    with pytest.raises(VolumeExistsError, match="seed: 0 then, 1 now"):
        make_rocks(dest, count=3, seed=1, **QUICK)
    with pytest.raises(VolumeExistsError, match="exists already"):
        make_rocks(dest, count=3, resume=False, **QUICK)
    assert make_rocks(dest, count=2, seed=1, overwrite=True, **QUICK).provenance["seed"] == 1


def test_an_unfinished_set_with_other_settings_is_not_gone_on_with(tmp_path):
    def never(mask, axes):
        raise ParameterError("no")

    options = QUICK | {"labels": never}
    with pytest.raises(RunError):
        make_rocks(tmp_path / "r.zarr", count=2, **options)
    with pytest.raises(ResumeError, match=r"edge: 16 then, 24 now"):
        make_rocks(tmp_path / "r.zarr", count=2, **(options | {"edge": 24}))


@pytest.mark.parametrize("where", ["folder", "memory"])
def test_overwriting_an_unfinished_set_forgets_what_was_done(rocks, tmp_path, where):
    dest = tmp_path / "r.zarr" if where == "folder" else "memory://overwritten-rocks"
    left = [2]

    def gives_up(mask, axes):
        left[0] -= 1
        if left[0] < 0:
            raise ParameterError("enough")
        return [1.0]

    with pytest.raises(RunError):
        make_rocks(dest, count=4, seed=9, **(QUICK | {"labels": gives_up}))
    found = make_rocks(dest, count=4, seed=4, overwrite=True, **QUICK)
    np.testing.assert_array_equal(found.take(range(4)), rocks.take(range(4)))


def test_what_is_no_set_of_rocks_is_neither_read_nor_deleted(tmp_path):
    with pytest.raises(VolumeNotFoundError, match="no set of rocks"):
        open_rocks(tmp_path / "nothing.zarr")
    bigrock.import_volume(
        bigrock.ArraySource(np.zeros((8, 8, 8), bool)), tmp_path / "volume.zarr", progress=False
    )
    with pytest.raises(NotAVolumeError, match="bigrock permeability prepare"):
        open_rocks(tmp_path / "volume.zarr")
    with pytest.raises(VolumeExistsError, match="remove it yourself"):
        make_rocks(tmp_path / "volume.zarr", count=1, overwrite=True, **QUICK)
    assert bigrock.open_volume(tmp_path / "volume.zarr").shape == (8, 8, 8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count 0"),
        ({"edge": 4}, "edge 4"),
        ({"families": ["granite"]}, "granite"),
        ({"axes": ("z", "z")}, "each once"),
        ({"axes": ()}, "not some of z, y, x"),
        ({"seed": -1}, "seed -1"),
        ({"voxel_size": "1, 1, 2 um"}, "not cubic"),
        ({"labels": "guess"}, "labels='guess'"),
        ({"labels": "stokes", "boundary": "open"}, "boundary='open'"),
        ({"labels": "stokes", "tolerance": 5}, "tolerance=5"),
        ({"count": 1.5}, "count 1.5 is no whole number"),
        ({"edge": (16, 16, 16)}, "no whole number"),
        ({"seed": 1.5}, "seed 1.5"),
    ],
)
def test_what_cannot_be_made_is_told_before_anything_is_written(tmp_path, options, words):
    with pytest.raises(ParameterError, match=words):
        make_rocks(tmp_path / "r.zarr", **({"count": 2} | QUICK | options))
    assert not (tmp_path / "r.zarr").exists()


def test_what_no_rock_has_is_stored_as_not_known_and_zero_as_it_is(tmp_path):
    values = iter([-1.0, np.inf, 0.0, 2.0])
    options = QUICK | {"labels": lambda mask, axes: [next(values)], "executor": "serial"}
    found = make_rocks(tmp_path / "odd.zarr", count=4, **options)
    np.testing.assert_array_equal(found.k_voxel2[:, 0], [np.nan, np.nan, 0, 2])
    assert found.left_out == {"not labelled": 2, "not percolating": 1}


def test_labels_of_another_function_are_not_taken_for_those_of_this_one(tmp_path):
    def cube(mask, axes):
        return [mask.mean() ** 3]

    first = make_rocks(tmp_path / "r.zarr", count=2, **(QUICK | {"labels": cube}))
    again = make_rocks(tmp_path / "r.zarr", count=2, **(QUICK | {"labels": cube}))
    np.testing.assert_array_equal(again.k_voxel2, first.k_voxel2)

    def other(mask, axes):
        return [mask.mean() ** 2]

    other.__qualname__, other.__module__ = cube.__qualname__, cube.__module__
    with pytest.raises(VolumeExistsError, match=r"labels\.code"):
        make_rocks(tmp_path / "r.zarr", count=2, **(QUICK | {"labels": other}))
    bound = [
        GivenLabels(functools.partial(f, power=p), ("z",)).settings() for f in (cube, other) for p in (2, 3)
    ]
    assert len({json.dumps(each) for each in bound}) == 4
    assert bound[0]["by"] == GivenLabels(cube, ("z",)).settings()["by"]


def test_network_labels_need_their_packages(tmp_path, monkeypatch):
    monkeypatch.setattr("bigrock.datasets.rock_labels.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"bigrock\[sim\]"):
        make_rocks(tmp_path / "r.zarr", count=2, **(QUICK | {"labels": "network"}))
