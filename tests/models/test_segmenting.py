"""A volume segmented in blocks is the volume segmented whole, with its class table, loaded once per process."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

import bigrock
from bigrock.engine import reduce
from bigrock.engine.kernel import stages_of
from bigrock.errors import BackendError, ParameterError, PhaseError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.kernels import SelectClass, standardize
from bigrock.kernels.device import on_backend
from bigrock.models import SegmentSlices, inference, segmentation_kernel, supports_bf16, whole_forward
from bigrock.models.cache import forget_networks
from bigrock.models.threads import one_thread
from bigrock.volumes import ArraySource, Facts

SHAPE = (7, 45, 51)
SCAN = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)


def logits_of(bundle, scan=SCAN):
    """Return the logits of whole slices, each with its neighbours, computed at once."""
    grey = standardize(scan)
    k = bundle.config.neighbours
    around = np.clip(np.arange(len(scan))[:, None] + np.arange(-k, k + 1), 0, len(scan) - 1)
    with one_thread():
        return whole_forward(bundle.network(), grey[around], bundle.stride)


def run(kernel, place, scan=SCAN, **options):
    return bigrock.run(kernel, ArraySource(scan), place, progress=False, **options)


@pytest.mark.parametrize("kind", ["bundle", "thick_bundle"])
@pytest.mark.parametrize("block", [None, (7, 45, 51), (2, 16, 16), (3, 9, 51), (1, 45, 7)])
def test_any_blocks_give_the_labels_of_whole_slices(request, tmp_path, kind, block):
    bundle = request.getfixturevalue(kind)
    labels = run(segmentation_kernel(bundle), tmp_path / "out.zarr", block=block, shard=block)
    np.testing.assert_array_equal(labels[:], logits_of(bundle).argmax(1))
    assert len(np.unique(labels[:])) == 3


@pytest.mark.parametrize("executor", ["serial", 3])
@pytest.mark.parametrize("window", [1, 40**2])
def test_small_windows_and_any_executor_give_the_same_labels(thick_bundle, tmp_path, executor, window):
    kernel = segmentation_kernel(thick_bundle, window_voxels=window)
    labels = run(kernel, tmp_path / "out.zarr", executor=executor, block=(2, 32, 32), shard=(2, 32, 32))
    np.testing.assert_array_equal(labels[:], logits_of(thick_bundle).argmax(1))


def test_the_output_has_the_class_table_of_the_model(bundle, tmp_path):
    labels = run(segmentation_kernel(bundle), tmp_path / "out.zarr")
    assert (labels.kind, labels.dtype, labels.classes) == ("labels", np.dtype("u1"), bundle.classes)
    assert labels.history[-1]["kernel"]["stages"][1]["bundle"] == bundle.identity()


def test_pores_can_be_measured_without_storing_the_labels(bundle, tmp_path):
    labels = run(segmentation_kernel(bundle), tmp_path / "out.zarr")
    fitted = segmentation_kernel(bundle).fit(ArraySource(SCAN))
    stored = bigrock.measure(labels, "porosity", pore="pore", progress=False)
    through = bigrock.measure(ArraySource(SCAN), "porosity", through=fitted, pore="pore", progress=False)
    assert stored["porosity"]["total"] == through["porosity"]["total"]
    mask = run(fitted | SelectClass(2), tmp_path / "mask.zarr")
    np.testing.assert_array_equal(mask[:], labels[:] == 2)


def test_probabilities_are_the_softmax_of_one_class(thick_bundle, tmp_path):
    softmax = torch.softmax(torch.from_numpy(logits_of(thick_bundle)), 1).numpy()
    for name, value in thick_bundle.classes.items():
        kernel = segmentation_kernel(thick_bundle, output="probability", of=name)
        out = run(kernel, tmp_path / f"{value}.zarr", block=(2, 16, 16), shard=(2, 16, 16))
        assert (out.kind, out.dtype, out.classes) == ("grey", np.dtype("f2"), {})
        np.testing.assert_allclose(out[:], softmax[:, value], atol=5e-4)


def test_entropy_is_one_where_the_network_cannot_tell(bundle, tmp_path):
    softmax = torch.softmax(torch.from_numpy(logits_of(bundle)), 1).double().numpy()
    expected = -(softmax * np.log(softmax)).sum(1) / np.log(3)
    out = run(segmentation_kernel(bundle, output="entropy"), tmp_path / "out.zarr")
    np.testing.assert_allclose(out[:], expected, atol=1e-3)


def test_a_volume_is_standardised_as_in_training(bundle):
    def kernel(how):
        return segmentation_kernel(replace(bundle, config=replace(bundle.config, standardize=how)))

    assert stages_of(kernel("slice"))[0].per == "slice"
    assert stages_of(kernel("volume"))[0].per == "volume"
    assert isinstance(kernel("none"), SegmentSlices)


@pytest.mark.parametrize("executor", ["serial", 4])
def test_the_model_is_loaded_once_whatever_the_blocks_and_threads(bundle, tmp_path, caplog, executor):
    forget_networks()
    with caplog.at_level(logging.INFO, "bigrock.models.cache"):
        run(
            segmentation_kernel(bundle),
            tmp_path / "o.zarr",
            block=(1, 9, 9),
            shard=(1, 9, 9),
            executor=executor,
        )
    assert sum("loaded" in record.message for record in caplog.records) == 1


def test_blocks_are_slabs_of_whole_slices(bundle):
    scan = ArraySource(np.zeros((100, 700, 900), np.uint8))
    plan = bigrock.plan(segmentation_kernel(bundle), scan)
    assert plan.block[0] <= 64
    assert plan.block[1] >= 700
    assert plan.block[2] >= 900
    assert plan.read_amplification < 1.1


def test_labels_of_another_model_are_not_taken_for_those_of_this_one(bundle, trained, tmp_path):
    from bigrock.models import save_bundle

    run(segmentation_kernel(bundle), tmp_path / "out.zarr")
    other = save_bundle(tmp_path / "other", trained(bundle.config, seed=7), bundle.config)
    with pytest.raises(VolumeExistsError, match=r"bundle\.bundle: .* then, "):
        run(segmentation_kernel(other), tmp_path / "out.zarr")


def test_a_model_that_moved_is_the_same_model(bundle, tmp_path):
    import shutil

    from bigrock.models import load_bundle

    first = run(segmentation_kernel(bundle), tmp_path / "out.zarr")
    moved = load_bundle(shutil.copytree(bundle.folder, tmp_path / "moved"))
    assert run(segmentation_kernel(moved), tmp_path / "out.zarr").history == first.history


def test_labels_and_masks_are_refused(bundle, tmp_path):
    with pytest.raises(PhaseError, match="takes grey levels"):
        bigrock.run(segmentation_kernel(bundle), ArraySource(SCAN > 90), tmp_path / "out.zarr")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "logits"}, "'labels', 'probability' or 'entropy'"),
        ({"output": "probability"}, "matrix, organic matter, pore"),
        ({"of": "pore"}, "output='labels' with of='pore'"),
        ({"output": "probability", "of": "gold"}, "no class of the model"),
        ({"precision": "float8"}, "'float32' or 'bf16'"),
        ({"window_voxels": 0}, "positive"),
    ],
)
def test_options_that_mean_nothing_are_refused(bundle, options, message):
    with pytest.raises(ParameterError, match=message):
        SegmentSlices(bundle, **options)


def test_bf16_changes_few_labels_or_is_refused(bundle, tmp_path):
    kernel = segmentation_kernel(bundle, precision="bf16", backend="cpu")
    if not supports_bf16("cpu"):
        pytest.skip("this processor has no bf16 arithmetic")
    labels = run(kernel, tmp_path / "out.zarr")
    assert np.mean(labels[:] != logits_of(bundle).argmax(1)) < 0.03


def test_bf16_is_refused_where_it_would_be_emulated(bundle, monkeypatch):
    monkeypatch.setattr(inference, "supports_bf16", lambda device: False)
    kernel = SegmentSlices(bundle, precision="bf16", backend="cpu")
    with pytest.raises(BackendError, match="slower than float32"):
        inference.infer(kernel, np.zeros((1, 1, 8, 8), np.float32), (slice(0, 8),) * 2, "cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_gpu_gives_the_same_labels(thick_bundle, tmp_path, precision):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    kernel = segmentation_kernel(thick_bundle, backend="gpu", precision=precision)
    labels = run(kernel, tmp_path / "out.zarr", block=(2, 16, 16), shard=(2, 16, 16))
    least = 0.999 if precision == "float32" else 0.97
    assert np.mean(labels[:] == logits_of(thick_bundle).argmax(1)) > least
    through = run(on_backend(kernel, "gpu"), tmp_path / "through.zarr")
    assert np.mean(through[:] == labels[:]) > least


def test_a_chain_tells_what_the_network_takes(bundle):
    facts = Facts((100, 3000, 3000), np.dtype("u1"))
    kernel = segmentation_kernel(bundle)
    alone = stages_of(kernel)[1]
    assert kernel.whole_slices
    assert kernel.folders() == {bundle.digest[:16]: bundle.folder}
    assert kernel.worker_bytes(facts, 2) == alone.worker_bytes(facts, 2)
    more = alone.worker_bytes(facts, 3) - alone.worker_bytes(facts, 2)
    assert more > bundle.activation_bytes * 2**20
    assert more == pytest.approx(alone.worker_bytes(facts, 2) - alone.worker_bytes(facts, 1))


def test_a_reduction_through_the_network_counts_its_labels(bundle):
    from bigrock.kernels import GreyHistogram

    fitted = segmentation_kernel(bundle).fit(ArraySource(SCAN))
    [histogram] = reduce(ArraySource(SCAN), [GreyHistogram()], through=fitted, progress=False)
    assert histogram.total == SCAN.size


def test_a_region_seen_through_the_network_is_that_of_the_whole(bundle):
    from bigrock.engine.through import Through

    fitted = segmentation_kernel(bundle).fit(ArraySource(SCAN))
    seen = Through(ArraySource(SCAN), fitted)
    region = Region((2, 11, 3), (4, 30, 29))
    np.testing.assert_array_equal(seen.read(region), logits_of(bundle).argmax(1)[2:4, 11:30, 3:29])
    assert seen.classes == bundle.classes
