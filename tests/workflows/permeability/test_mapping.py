"""The permeability map: what is solved window by window, the same however it is cut, kept through a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from coarse_cores import QUIET, VOXEL, coarse, core, mask

import bigrock
from bigrock.errors import (
    ParameterError,
    ResumeError,
    VolumeExistsError,
)
from bigrock.flow import permeability
from bigrock.geometry import Region
from bigrock.measures import PolarityWarning
from bigrock.models import predict_permeability, super_resolution_kernel
from bigrock.volumes import create_volume
from bigrock.workflows.permeability import map_permeability
from bigrock.workflows.validate import validate


def test_every_window_is_what_the_solver_says_of_it_alone(tmp_path):
    image = mask()
    found = map_permeability(core(image), tmp_path / "map", window=16, rev_sample=0, **QUIET)
    assert found.k("z").shape == (2, 1, 2)
    for place in np.ndindex(2, 1, 2):
        a, b, c = (16 * n for n in place)
        window = image[a : a + 16, b : b + 16, c : c + 16]
        alone = permeability(window, voxel_size=VOXEL)
        for axis in "zyx":
            assert found.k(axis)[place] == alone[axis].k_m2
        assert found.windows["porosity"][place] == window.mean()


def test_windows_that_nothing_crosses_have_no_permeability_and_are_counted(tmp_path):
    image = np.zeros((16, 16, 48), bool)
    image[:, 4:12, 4:12] = True  # along z
    image[6:10, :, 20:30] = True  # along y
    found = map_permeability(core(image), tmp_path / "map", window=16, rev_sample=0, **QUIET)
    assert (found.k("z") > 0).ravel().tolist() == [True, False, False]
    assert (found.k("y") > 0).ravel().tolist() == [False, True, False]
    told = found.figures["permeability"]
    assert told["z"]["zero_share"] == pytest.approx(2 / 3)
    assert told["x"]["zero_share"] == 1.0
    assert told["x"]["darcy_m2"] == 0.0
    assert (told["x"]["geometric_of_flowing_m2"], told["x"]["geometric_m2"]) == (None, 0.0)
    for k in told.values():
        assert k["harmonic_m2"] <= k["geometric_m2"] <= k["arithmetic_m2"]
    assert told["z"]["darcy_m2"] == pytest.approx(found.k("z").mean(), rel=1e-6)


@pytest.mark.parametrize("method", ["surrogate", "physics"])
def test_a_map_is_that_of_the_volume_super_resolved_as_a_whole(tmp_path, finer, surrogate, method):
    fine = bigrock.run(
        super_resolution_kernel(finer, dtype="float32"), coarse(), "memory://fine.zarr", progress=False
    )
    options = {"surrogate": surrogate, "method": method, "physics_sample": 3, "rev_sample": 0, **QUIET}
    found = map_permeability(coarse(), tmp_path / "map", super_resolution=finer, **options)
    assert found.k("z").shape == (4, 2, 2)
    whole = fine[:]
    for place in np.ndindex(4, 2, 2):
        a, b, c = (16 * n for n in place)
        grey = whole[a : a + 16, b : b + 16, c : c + 16]
        flows = permeability(grey > 0.5, voxel_size=VOXEL)
        told = predict_permeability(surrogate, grey, voxel_size=VOXEL[0], axis="all")
        for i, axis in enumerate("zyx"):
            expected = flows[axis].k_m2 if method == "physics" else told.k_m2[0, i] * flows[axis].percolates
            np.testing.assert_allclose(found.k(axis)[place], expected, rtol=1e-4)
            if method == "surrogate" and flows[axis].percolates:
                assert found.uncertainty(axis)[place] == pytest.approx(told.log10_std[0, i], rel=1e-3)
        solved = found.windows["physics_m2"][place]
        if np.isfinite(solved).all():
            np.testing.assert_allclose(solved, [flows[a].k_m2 for a in "zyx"], rtol=1e-4)
    assert np.isfinite(found.windows["physics_m2"][..., 0]).sum() == (16 if method == "physics" else 3)


def test_physics_may_see_the_mask_that_keeps_the_pore_fractions_of_the_core(tmp_path, finer):
    kernel = super_resolution_kernel(finer, output="mask", threshold="fraction")
    whole = bigrock.run(kernel, coarse(), "memory://mask.zarr", progress=False)[:]
    options = {"threshold": "fraction", "axes": "z", "rev_sample": 2, **QUIET}
    found = map_permeability(coarse(), tmp_path / "map", super_resolution=finer, window=16, **options)
    for place in np.ndindex(4, 2, 2):
        a, b, c = (16 * n for n in place)
        part = whole[a : a + 16, b : b + 16, c : c + 16]
        assert found.windows["porosity"][place] == pytest.approx(part.mean(), abs=1e-12)
        np.testing.assert_allclose(
            found.k("z")[place], permeability(part, voxel_size=VOXEL, axis="z")["z"].k_m2
        )
    assert whole.mean() == pytest.approx(coarse().read(Region.whole((32, 16, 16))).mean(), abs=0.01)


@pytest.mark.parametrize("executor", ["serial", 1, 3])
def test_the_map_does_not_depend_on_the_executor(tmp_path, finer, surrogate, executor):
    options = {
        "super_resolution": finer,
        "surrogate": surrogate,
        "physics_sample": 1,
        "rev_sample": 1,
        **QUIET,
    }
    expected = map_permeability(coarse(), tmp_path / "a", executor="serial", **options)
    found = map_permeability(coarse(), tmp_path / "b", executor=executor, **options)
    for axis in "zyx":
        np.testing.assert_allclose(found.k(axis), expected.k(axis), rtol=1e-5)
    for name in ("edge", "start"):
        np.testing.assert_array_equal(found.others[name], expected.others[name])


def test_the_map_on_a_cluster_is_that_of_this_process(tmp_path, finer, surrogate):
    stored = bigrock.import_volume(coarse(), tmp_path / "core.zarr", progress=False)
    options = {
        "super_resolution": finer,
        "surrogate": surrogate,
        "physics_sample": 1,
        "rev_sample": 0,
        **QUIET,
    }
    expected = map_permeability(stored, tmp_path / "a", executor="serial", **options)
    with bigrock.cluster(workers=1, threads=1, dashboard_address=":0") as client:
        found = map_permeability(stored, tmp_path / "b", executor=client, **options)
    np.testing.assert_allclose(found.k("z"), expected.k("z"), rtol=1e-5)


def test_what_is_written_is_what_was_found(tmp_path):
    found = map_permeability(
        core(mask()), tmp_path / "map", window=16, axes="zx", rev_sample=2, progress=False
    )
    stored = bigrock.open_volume(tmp_path / "map" / "permeability-x.zarr")
    np.testing.assert_array_equal(stored[:], found.k("x"))
    assert stored.voxel_size == pytest.approx((32e-6,) * 3)
    assert stored.history[-1]["unit"] == "m²"
    assert not (tmp_path / "map" / "permeability-y.zarr").exists()
    assert set(json.loads((tmp_path / "map" / "map.json").read_text())["permeability"]) == {"z", "x"}
    table = pq.read_table(tmp_path / "map" / "windows.parquet")
    assert table.num_rows == 4 + len(found.others)
    assert table["physics_x_m2"].to_pylist()[:4] == found.k("x").ravel().tolist()
    assert "Representative volume" in (tmp_path / "map" / "report.html").read_text()


def test_the_sample_of_physics_is_the_error_of_the_map(tmp_path, finer, surrogate):
    options = {"super_resolution": finer, "surrogate": surrogate, "rev_sample": 0, **QUIET}
    found = map_permeability(coarse(), tmp_path / "map", physics_sample=16, **options)
    told = found.figures["agreement"]
    flat = found.windows.ravel()
    both = flat["physics_m2"] > 0
    off = np.log10(flat["surrogate_m2"][both]) - np.log10(flat["physics_m2"][both])
    assert (told["windows"], told["pairs"]) == (int(both.any(axis=1).sum()), int(both.sum()))
    assert told["bias"] == pytest.approx(off.mean())
    assert told["rmse"] == pytest.approx(np.sqrt((off**2).mean()))


def test_a_finished_map_is_not_computed_again_and_another_one_is_refused(tmp_path):
    how = {"window": 16, "rev_sample": 0, **QUIET}
    map_permeability(core(mask()), tmp_path / "map", **how)
    before = (tmp_path / "map" / "windows.bin").stat().st_mtime_ns
    map_permeability(core(mask()), tmp_path / "map", **how)
    assert (tmp_path / "map" / "windows.bin").stat().st_mtime_ns == before
    with pytest.raises(ResumeError, match=r"threshold: 0\.5 then, 0\.6 now"):
        map_permeability(core(mask()), tmp_path / "map", threshold=0.6, **how)
    with pytest.raises(VolumeExistsError, match="already"):
        map_permeability(core(mask()), tmp_path / "map", resume=False, **how)
    again = map_permeability(core(mask(seed=1)), tmp_path / "map", overwrite=True, **how)
    assert again.windows["porosity"].mean() == mask(seed=1).mean()


KILLED = """
import sys, bigrock
from bigrock.workflows.permeability import map_permeability
map_permeability(sys.argv[1], sys.argv[2], window=16, axes="z", rev_sample=0, executor=1, progress=False)
"""


def test_a_killed_map_goes_on_and_finishes_the_same(tmp_path):
    stored = bigrock.import_volume(core(mask((64, 48, 48))), tmp_path / "core.zarr", progress=False)
    how = {"window": 16, "axes": "z", "rev_sample": 0, **QUIET}
    expected = map_permeability(stored, tmp_path / "whole", **how)
    log = tmp_path / "killed" / "windows.bin"
    job = subprocess.Popen([sys.executable, "-c", KILLED, stored.path, str(tmp_path / "killed")])
    deadline = time.monotonic() + 120
    while job.poll() is None and time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
        time.sleep(0.01)
    job.send_signal(signal.SIGKILL)
    job.wait()
    kept = log.read_bytes()
    found = map_permeability(stored, tmp_path / "killed", **how)
    np.testing.assert_array_equal(found.k("z"), expected.k("z"))
    assert log.read_bytes().startswith(kept[: len(kept) // 200 * 200])


@pytest.mark.filterwarnings("ignore::bigrock.measures.PolarityWarning")
@pytest.mark.parametrize("boundary", ["periodic", "mirrored"])
def test_a_window_without_solid_and_wall_is_unbounded_and_left_out(tmp_path, boundary):
    image = np.concatenate([mask((16, 16, 32)), np.ones((16, 16, 16), bool)], axis=2)
    with pytest.raises(ParameterError, match="infinite"):
        permeability(image[..., 32:], voxel_size=VOXEL, boundary=boundary)
    how = {"window": 16, "axes": "zx", "rev_sample": 0, "boundary": boundary, "progress": False}
    with pytest.warns(UserWarning, match="1 of 3 windows hold no solid"):
        found = map_permeability(core(image), tmp_path / "map", **how)
    assert np.isnan(found.k("z")).ravel().tolist() == [False, False, True]
    told = json.loads((tmp_path / "map" / "map.json").read_text())
    assert told["unbounded"] == 1
    assert told["permeability"]["x"]["windows"] == 2
    assert told["permeability"]["x"]["arithmetic_m2"] == pytest.approx(found.k("x").ravel()[:2].mean())
    assert told["permeability"]["x"]["darcy_m2"] is None
    assert "1 windows hold no solid" in (tmp_path / "map" / "report.html").read_text()
    with pytest.warns(UserWarning, match="1 of 1 windows"):
        whole = map_permeability(core(image[..., 32:]), tmp_path / "whole", **how)
    assert whole.figures["permeability"]["z"]["arithmetic_m2"] is None
    sealed = map_permeability(core(image), tmp_path / "sealed", **how | {"boundary": "sealed"})
    assert (sealed.figures["unbounded"], bool(np.isfinite(sealed.k("z")).all())) == (0, True)


def test_what_a_map_leaves_out_is_told_and_a_porosity_that_may_be_the_solid_is_doubted(tmp_path):
    how = {"window": 16, "axes": "z", "rev_sample": 0, "progress": False}
    image = mask((40, 32, 32))
    assert map_permeability(core(image), tmp_path / "side", **how).figures["covered_share"] == 0.8
    gaps = map_permeability(core(image), tmp_path / "gaps", step=24, **how)
    assert gaps.figures["covered_share"] == pytest.approx(2 * 16**3 / image.size)
    with pytest.warns(PolarityWarning, match="or pore fraction 1, was counted as pore"):
        map_permeability(core(mask((16, 16, 16), porosity=0.7)), tmp_path / "odd", **how)


def test_the_stored_maps_lie_over_the_core(tmp_path, finer):
    """In metres from the centre of the core's first voxel: a window's centre is that of its stored voxel."""
    stored = create_volume(
        "memory://placed.zarr", (16, 16, 32), bool, voxel_size=4e-6, translation=(0, 8e-6, 0)
    )
    stored.write(Region.whole(stored.shape), mask((16, 16, 32)))
    how = {"axes": "z", "rev_sample": 0, **QUIET}
    map_permeability(stored, tmp_path / "bare", window=16, step=8, **how)
    for name in ("permeability-z", "uncertainty-z", "porosity", "outside"):
        volume = bigrock.open_volume(tmp_path / "bare" / f"{name}.zarr")
        # Voxels 0 to 15 of the core have their centres at 0 to 60 µm.
        assert volume.translation == pytest.approx((30e-6, 38e-6, 30e-6))
        assert volume.voxel_size == pytest.approx((32e-6,) * 3)
        assert validate(volume.path, progress=False).problems == ()
    map_permeability(stored, tmp_path / "fine", super_resolution=finer, window=16, **how)
    volume = bigrock.open_volume(tmp_path / "fine" / "porosity.zarr")
    # Sixteen fine voxels are the voxels 0 to 7 of the core, with centres at 0 to 28 µm.
    assert volume.translation == pytest.approx((14e-6, 22e-6, 14e-6))


def test_the_page_tells_the_threshold_in_use_and_whose_uncertainty_it_shows(tmp_path, finer, surrogate):
    how = {"super_resolution": finer, "axes": "z", "rev_sample": 0, "window": 16, "progress": False}
    for options, threshold, uncertainty in (
        ({"threshold": 0.4}, "pore fraction is over 0.4", "The uncertainty of the Stokes solver alone"),
        ({"threshold": "fraction"}, "keeps its pore fraction", "The uncertainty of the Stokes solver alone"),
        ({"surrogate": surrogate}, "pore fraction is over 0.5", "Spread of the networks, and their error"),
    ):
        map_permeability(coarse(), tmp_path / "map", overwrite=True, **how | options)
        page = (tmp_path / "map" / "report.html").read_text()
        assert threshold in page
        assert uncertainty in page
        assert "global threshold" not in page
        assert "Grey histogram" in page


def test_memory_holds_one_task_and_not_the_core(tmp_path):
    """A core is read task by task: no read is larger than a window where nothing is super-resolved."""
    reads: list[int] = []

    class Watched(bigrock.ArraySource):
        def read(self, region: Region):
            reads.append(region.voxels)
            return super().read(region)

    map_permeability(
        Watched(mask((48, 32, 32)), VOXEL), tmp_path / "map", window=16, axes="z", rev_sample=0, **QUIET
    )
    assert max(r for r in reads[: len(reads) // 2]) <= 16**3
