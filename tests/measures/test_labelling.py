"""`bigrock.label`: array for array what cc3d gives of the whole, for any blocks, resumed, and refused."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bigrock
from bigrock.engine import executors
from bigrock.engine.donelog import DoneLog
from bigrock.errors import ParameterError, PhaseError, ResumeError, SourceError, VolumeExistsError
from bigrock.geometry import BlockGrid
from bigrock.kernels import Components
from bigrock.measures import labelling, read_component_table
from bigrock.measures.labelling import LabelComponents

VOXEL = (2e-6, 3e-6, 4e-6)


def noise(shape=(20, 16, 24), fraction=0.3, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < fraction


def labelled(image, connectivity=26, dest="memory://labelling.zarr", kind=None, **options):
    kind = kind or ("mask" if image.dtype == bool else "labels")
    source = bigrock.ArraySource(image, VOXEL, kind)
    return bigrock.label(
        source, dest, connectivity=connectivity, progress=False, **{"overwrite": True, **options}
    )


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("block", [(20, 16, 24), (8, 16, 8), (7, 5, 9)])
def test_labels_are_those_of_cc3d_whatever_the_blocks(block, connectivity):
    values = np.random.default_rng(0).integers(0, 4, (20, 16, 24)).astype(np.uint8)
    for image in (noise(fraction=0.0976), noise(fraction=0.3116), values):
        labels = labelled(image, connectivity, block=block)
        np.testing.assert_array_equal(labels[:], cc3d.connected_components(image, connectivity=connectivity))
        assert (labels.dtype, labels.kind, labels.classes, labels.voxel_size) == (
            np.uint32,
            "labels",
            {},
            VOXEL,
        )


@given(shape=st.tuples(*[st.integers(1, 8)] * 3), block=st.tuples(*[st.integers(1, 8)] * 3))
@settings(max_examples=12)
def test_blocks_of_any_shape_give_the_labels_of_the_whole(shape, block):
    mask = noise(shape, 0.35, seed=sum(block))
    labels = labelled(mask, 6, block=block)
    np.testing.assert_array_equal(labels[:], cc3d.connected_components(mask, connectivity=6))


@pytest.mark.parametrize("shape", ["spiral", "boards"])
def test_one_component_through_many_blocks_has_one_label(shape):
    mask = np.zeros((9, 9, 9), bool)
    if shape == "spiral":
        mask[::2] = np.array(
            [[1] * 9, [0] * 8 + [1], [1] * 7 + [0, 1], [1] + [0] * 7 + [1], [1] * 9] + [[0] * 9] * 4
        )
        mask[1::4, 2, 0] = mask[3::4, 0, 0] = True
    else:
        mask[::2, ::2, ::2] = mask[1::2, 1::2, 1::2] = True
    for connectivity in (6, 26):
        labels = labelled(mask, connectivity, block=(2, 2, 2))
        np.testing.assert_array_equal(labels[:], cc3d.connected_components(mask, connectivity=connectivity))


def test_threads_and_a_cluster_write_the_same_labels(tmp_path):
    distributed = pytest.importorskip("distributed")
    mask = noise()
    expected = cc3d.connected_components(mask)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for executor in ("serial", 2, client):
            labels = labelled(mask, dest=tmp_path / "l.zarr", block=(8, 8, 8), executor=executor)
            np.testing.assert_array_equal(labels[:], expected)
            assert read_component_table(labels).num_rows == expected.max()


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    mask, dest = noise(), tmp_path / "l.zarr"
    paint, painted = labelling._painted, []

    def counted(core, connectivity, labels, block):
        if len(painted) == 5 and fail:
            raise KeyboardInterrupt
        painted.append(block.id)
        return paint(core, connectivity, labels, block)

    monkeypatch.setattr(labelling, "_painted", counted)
    fail = True
    with pytest.raises(KeyboardInterrupt):
        labelled(mask, 6, dest, block=(8, 8, 8), executor="serial", overwrite=False)
    with pytest.raises(ResumeError, match="connectivity"):
        labelled(mask, 26, dest, block=(8, 8, 8), executor="serial", overwrite=False)
    fail = False
    labels = labelled(mask, 6, dest, executor="serial", overwrite=False)
    np.testing.assert_array_equal(labels[:], cc3d.connected_components(mask, connectivity=6))
    assert 18 <= len(painted) <= 18 + 5
    again = labelled(mask, 6, dest, executor="serial", overwrite=False)
    assert again.path == labels.path
    assert 18 <= len(painted) <= 18 + 5


def test_what_is_stored_already_is_not_replaced_by_accident(tmp_path):
    labelled(noise(), dest=tmp_path / "l.zarr")
    with pytest.raises(VolumeExistsError):
        labelled(noise(seed=1), dest=tmp_path / "l.zarr", overwrite=False)
    labels = labelled(noise(seed=1), dest=tmp_path / "l.zarr")
    np.testing.assert_array_equal(labels[:], cc3d.connected_components(noise(seed=1)))


def test_more_components_than_32_bits_count_are_written_in_64(monkeypatch):
    monkeypatch.setattr(labelling, "_LARGEST_32_BITS", 10)
    mask = noise()
    labels = labelled(mask, 6, block=(8, 8, 8))
    assert labels.dtype == np.uint64
    np.testing.assert_array_equal(labels[:], cc3d.connected_components(mask, connectivity=6))


def test_a_worker_reads_the_labels_of_its_block_alone(tmp_path, monkeypatch):
    from bigrock.measures.block_labels import BlockLabels

    read, sizes = BlockLabels._read, []

    def measured(self, file, start, stop):
        sizes.append(stop - start)
        return read(self, file, start, stop)

    monkeypatch.setattr(BlockLabels, "_read", measured)
    mask = noise((32, 32, 32), 0.1)
    labelled(mask, 6, tmp_path / "l.zarr", block=(8, 8, 8))
    pieces = [
        4 * cc3d.connected_components(mask[b.core.slices], connectivity=6).max()
        for b in BlockGrid(mask.shape, (8, 8, 8))
    ]
    assert sorted(sizes) == sorted([16] * 64 + pieces)
    assert not list((tmp_path / "l.zarr" / "bigrock-run" / "labels").glob("*"))


def test_a_volume_that_changes_between_the_reads_is_refused():
    class Changing(bigrock.ArraySource):
        reads = 0

        def read(self, region):
            Changing.reads += 1
            return super().read(region) if Changing.reads <= 18 else ~super().read(region)

    with pytest.raises(SourceError, match="was changed meanwhile"):
        bigrock.label(
            Changing(noise()),
            "memory://changing.zarr",
            overwrite=True,
            block=(8, 8, 8),
            executor="serial",
            progress=False,
        )


def test_grey_levels_are_refused_before_anything_is_read():
    class Unreadable(bigrock.ArraySource):
        def read(self, region):
            raise AssertionError("was read")

    with pytest.raises(PhaseError, match="Threshold it first"):
        bigrock.label(Unreadable(np.zeros((4, 4, 4), np.uint8)), "memory://grey.zarr")
    with pytest.raises(ParameterError, match="Use 6"):
        bigrock.label(np.zeros((4, 4, 4), bool), "memory://grey.zarr", connectivity=8)


def test_the_step_stands_in_the_history():
    labels = labelled(noise(), 18)
    step = labels.history[-1]
    assert (step["step"], step["kernel"]["name"], step["kernel"]["connectivity"]) == (
        "label",
        "LabelComponents",
        18,
    )


@pytest.mark.parametrize("edge", [4, 8, 16, 32])
def test_tasks_per_block_do_not_grow_with_the_number_of_blocks(edge, monkeypatch):
    """8, 64, 512 and 4096 blocks: at most one task for a block, and every block in one of them."""
    submitted: list[list[int]] = []
    submit = executors._Serial.submit

    def counted(self, ids, *rest):
        submitted.append(list(ids))
        submit(self, ids, *rest)

    monkeypatch.setattr(executors._Serial, "submit", counted)
    mask = noise((edge,) * 3, 0.3)
    blocks = (edge // 2) ** 3
    [found] = bigrock.reduce(
        bigrock.ArraySource(mask), [Components(6)], block=(2, 2, 2), executor="serial", progress=False
    )
    assert len(found) == cc3d.connected_components(mask, connectivity=6).max()
    assert sorted(i for ids in submitted for i in ids) == list(range(blocks))
    assert len(submitted) <= blocks
    assert len(submitted) == -(-blocks // min(128, max(1, blocks // 8)))


def test_labels_take_two_reads_of_every_block_and_no_halo():
    regions = []

    class Watched(bigrock.ArraySource):
        def read(self, region):
            regions.append(region)
            return super().read(region)

    mask = noise((32, 32, 32), 0.3)
    bigrock.label(
        Watched(mask), "memory://two.zarr", overwrite=True, block=(8, 8, 8), executor="serial", progress=False
    )
    assert len(regions) == 2 * 64
    assert sum(r.voxels for r in regions) == 2 * mask.size
    assert LabelComponents().halo == (0, 0, 0)


def test_the_log_of_a_finished_run_is_empty(tmp_path):
    labels = labelled(noise(), dest=tmp_path / "l.zarr", block=(8, 8, 8))
    assert not DoneLog(labels.store).done(18).any()


def test_pores_of_value_0_are_never_taken_for_background():
    values = np.digitize(np.random.default_rng(3).random((12, 13, 14)), [0.2, 0.6]).astype(np.uint8)
    source = bigrock.ArraySource(values, VOXEL, "labels", {"pore": 0, "clay": 1, "quartz": 2})
    with pytest.raises(PhaseError, match="pore='pore'"):
        bigrock.label(source, "memory://polarity.zarr", progress=False)
    for pore, voxels in (("pore", values == 0), (["pore", 1], values < 2), (2, values == 2)):
        how = {"overwrite": True, "progress": False, "connectivity": 6}
        labels = bigrock.label(source, "memory://polarity.zarr", pore=pore, block=(5, 4, 6), **how)
        np.testing.assert_array_equal(labels[:], cc3d.connected_components(voxels, connectivity=6))
    with pytest.raises(VolumeExistsError, match=r"input\.pore"):
        bigrock.label(source, "memory://polarity.zarr", pore=0, connectivity=6, progress=False)


def test_labels_of_the_solid_of_a_mask():
    mask = noise(fraction=0.8)
    labels = labelled(mask, 6, pore=False)
    np.testing.assert_array_equal(labels[:], cc3d.connected_components(~mask, connectivity=6))
