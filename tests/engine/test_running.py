"""The map pass: block is whole, reads and writes counted, nothing refused too late."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage
from toy_kernels import AsFloat, Copied, Enlarge, Largest, Median, Slow, noted
from watched_stores import CountingStore
from zarr.storage import LocalStore

import bigrock
from bigrock.engine import plan, run
from bigrock.errors import (
    AlignmentError,
    CorruptChunkError,
    ParameterError,
    PlanError,
    RunError,
    VolumeExistsError,
)
from bigrock.geometry import BlockGrid, Region
from bigrock.volumes import ArraySource, create_volume, open_volume


def noise(shape, dtype="uint16", seed=0):
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def stored(place, voxels, **options):
    volume = create_volume(place, voxels.shape, voxels.dtype, **options)
    for block in BlockGrid(volume.shape, volume.write_unit):
        volume.write(block.core, voxels[block.core.slices])
    return open_volume(place)


LAYOUTS = [
    {},
    {"chunk": (16, 16, 16), "shard": (32, 48, 16)},
    {"chunk": (7, 9, 11), "shard": (21, 9, 22)},
    {"chunk": (64, 1, 64), "shard": (64, 64, 64)},
]
SHAPES = [(32, 32, 32), (33, 17, 50), (1, 60, 37)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.get("shard", "default")))
@pytest.mark.parametrize("executor", ["serial", "threads", 3])
def test_block_is_whole_whatever_the_shape_block_halo_layout_and_executor(tmp_path, shape, layout, executor):
    voxels = noise(shape)
    volume = stored(tmp_path / "in.zarr", voxels, **layout)
    for k, (radius, block) in enumerate(
        [((1, 1, 1), None), ((2, 0, 3), (16, 32, 16)), ((0, 7, 1), (25, 25, 25))]
    ):
        expected = ndimage.median_filter(voxels, [2 * r + 1 for r in radius], mode="nearest")
        out = run(Median(radius), volume, tmp_path / f"{k}.zarr", block=block, executor=executor)
        np.testing.assert_array_equal(out[:], expected)


@pytest.mark.parametrize("scale", [2, 3, 5, 8])
def test_kernels_that_enlarge_write_whole_shards_whatever_their_scale(tmp_path, scale):
    voxels = noise((21, 40, 9), "uint8")
    kernel = Enlarge(scale) | Largest((1, 2, 3))
    whole = run(kernel, ArraySource(voxels, (1e-6,) * 3), tmp_path / "whole.zarr", block=(64, 64, 64))
    parts = run(kernel, ArraySource(voxels, (1e-6,) * 3), tmp_path / "parts.zarr", block=(8, 16, 4))
    chosen = run(kernel, ArraySource(voxels, (1e-6,) * 3), tmp_path / "chosen.zarr", ram="450 MB")
    assert parts.shape == tuple(n * scale for n in voxels.shape)
    assert parts.voxel_size == pytest.approx((1e-6 / scale,) * 3)
    np.testing.assert_array_equal(parts[:], whole[:])
    np.testing.assert_array_equal(chosen[:], whole[:])


@pytest.mark.parametrize("scale", [1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(300, 200, 9), (40, 40, 40), (1, 500, 500)])
def test_the_block_that_is_chosen_owns_whole_shards(shape, scale):
    the_plan = plan(Enlarge(scale), ArraySource(np.zeros(shape, np.uint8)), executor="serial")
    for b, unit, n in zip(the_plan.block, the_plan.layout.shard, the_plan.shape, strict=True):
        assert b >= n or b * scale % unit == 0


def test_a_shard_that_the_scale_does_not_divide_is_refused():
    with pytest.raises(AlignmentError, match=r"\(99, 99, 99\) is not a multiple of the output's write unit"):
        plan(Enlarge(3), ArraySource(np.zeros((200, 200, 200), np.uint8)), shard=(100, 100, 100))


def touched(region, unit):
    return math.prod(-(-b // u) - a // u for a, b, u in zip(region.start, region.stop, unit, strict=True))


def gets_of(region, shape, chunk, shard):
    """Requests that one read takes: a shard needed whole is one, otherwise its index and each chunk."""
    count = 0
    for block in BlockGrid(tuple(-(-n // s) * s for n, s in zip(shape, shard, strict=True)), shard):
        lo = [max(a, b) for a, b in zip(block.core.start, region.start, strict=True)]
        hi = [min(a, b) for a, b in zip(block.core.stop, region.stop, strict=True)]
        if all(a < b for a, b in zip(lo, hi, strict=True)):
            chunks = touched(Region(tuple(lo), tuple(hi)), chunk)
            count += 1 if chunks == touched(block.core, chunk) else 1 + chunks
    return count


@pytest.mark.parametrize("radius", [(0, 0, 0), (1, 1, 1), (9, 0, 17)])
def test_every_block_reads_its_chunks_once_and_every_shard_is_written_once(tmp_path, radius):
    shape, chunk, shard = (64, 80, 48), (16, 16, 16), (32, 32, 32)
    stored(tmp_path / "in.zarr", noise(shape), chunk=chunk, shard=shard)
    source, sink = (
        CountingStore(LocalStore(tmp_path / "in.zarr")),
        CountingStore(LocalStore(tmp_path / "out.zarr")),
    )
    volume = open_volume(source)
    source.gets.clear()
    run(Largest(radius), volume, sink, block=(32, 32, 32), shard=shard, executor=2)
    grid = BlockGrid(shape, (32, 32, 32), radius)
    assert sum(source.voxel_gets().values()) == sum(gets_of(b.read, shape, chunk, shard) for b in grid)
    assert set(sink.voxel_sets().values()) == {1}
    assert len(sink.voxel_sets()) == len(grid)


def test_the_plan_states_the_voxels_decoded_exactly(tmp_path):
    shape, chunk = (64, 80, 48), (16, 16, 16)
    volume = stored(tmp_path / "in.zarr", noise(shape), chunk=chunk, shard=(32, 32, 32))
    the_plan = plan(Median((9, 0, 17)), volume, block=(32, 32, 32))
    decoded = sum(touched(b.read, chunk) for b in BlockGrid(shape, (32, 32, 32), (9, 0, 17))) * 16**3
    assert the_plan.read_amplification == pytest.approx(decoded / math.prod(shape))


def test_units_kind_classes_and_history_travel_with_the_voxels(tmp_path):
    source = ArraySource(noise((8, 9, 10)), (2e-6, 1e-6, 1e-6), "labels", {"pore": 0})
    first = run(Median(), source, tmp_path / "a.zarr", config={"note": "by hand"})
    second = run(Largest() | Copied(), first, tmp_path / "b.zarr")
    assert (second.voxel_size, second.kind, second.classes) == ((2e-6, 1e-6, 1e-6), "labels", {"pore": 0})
    one, two = second.history
    assert one["kernel"] == {"name": "Median", "version": 1, "radius": [1, 1, 1]}
    assert one["config"] == {"note": "by hand"}
    assert one["bigrock"] == bigrock.__version__
    assert [s["name"] for s in two["kernel"]["stages"]] == ["Largest", "Copied"]
    assert (two["source"], two["input"]) == (first.path, first.identity())


def test_the_output_has_the_type_that_the_kernel_says(tmp_path):
    voxels = noise((20, 20, 20), "uint8")
    out = run(AsFloat(), ArraySource(voxels), tmp_path / "out.zarr")
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out[:], voxels.astype(np.float32) / 3)


def refused(tmp_path, error, match, **options):
    log = tmp_path / "log"
    with pytest.raises(error, match=match):
        run(Slow(str(log)), ArraySource(np.zeros((64, 64, 64), np.uint8)), tmp_path / "out.zarr", **options)
    assert noted(log) == []
    assert not (tmp_path / "out.zarr").exists()


def test_misaligned_blocks_are_refused_before_anything_runs(tmp_path):
    message = r"block \(16, 16, 16\) is not a multiple of the output's write unit \(32, 32, 32\)"
    refused(tmp_path, AlignmentError, message, block=(16,) * 3, shard=(32,) * 3)


def test_a_block_that_does_not_fit_is_refused_before_anything_runs(tmp_path):
    refused(tmp_path, PlanError, "Give more memory", block=(64,) * 3, ram="10 MB")


@pytest.mark.parametrize("executor", ["gpu", 0, True, 2.5])
def test_executors_that_nobody_knows_are_refused(tmp_path, executor):
    refused(tmp_path, ParameterError, "is not known", executor=executor)


def test_what_is_stored_at_the_destination_is_kept(tmp_path):
    stored(tmp_path / "out.zarr", noise((8, 8, 8)))
    before = open_volume(tmp_path / "out.zarr")[:]
    with pytest.raises(VolumeExistsError, match="Choose another destination"):
        run(Copied(), ArraySource(np.zeros((8, 8, 8), np.uint16)), tmp_path / "out.zarr")
    np.testing.assert_array_equal(open_volume(tmp_path / "out.zarr")[:], before)
    out = run(Copied(), ArraySource(np.zeros((8, 8, 8), np.uint16)), tmp_path / "out.zarr", overwrite=True)
    assert not out[:].any()


def test_the_input_is_never_overwritten_by_its_output(tmp_path):
    volume = stored(tmp_path / "in.zarr", noise((8, 8, 8)))
    for dest in (tmp_path / "in.zarr", tmp_path):
        with pytest.raises(ParameterError, match="would replace its own input"):
            run(Copied(), volume, dest, overwrite=True)
    assert volume[:].any()


def test_a_damaged_chunk_is_named_with_its_block_and_file_and_the_rest_is_done(tmp_path):
    voxels = noise((64, 64, 64))
    volume = stored(tmp_path / "in.zarr", voxels, chunk=(16,) * 3, shard=(32,) * 3)
    file = tmp_path / "in.zarr/0/c/1/0/1"
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    with pytest.raises(RunError) as failed:
        run(Copied(), volume, tmp_path / "out.zarr", block=(32,) * 3, retries=0)
    assert f"block 5: {CorruptChunkError.__name__}" in str(failed.value)
    assert str(file) in str(failed.value)
    out = open_volume(tmp_path / "out.zarr", partial=True)
    np.testing.assert_array_equal(out[:32], voxels[:32])
    assert not out[32:, :32, 32:].any()
