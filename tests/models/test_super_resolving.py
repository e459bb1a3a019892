"""A volume super-resolved in blocks is the volume super-resolved whole, in pore fractions, with its voxel size."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

import bigrock
from bigrock.errors import BackendError, BundleError, NonFiniteError, ParameterError, PhaseError, SourceError
from bigrock.models import (
    SegmentSlices,
    SuperResolutionConfig,
    SuperResolve,
    build_super_resolution_net,
    pore_fraction,
    receptive_field,
    save_bundle,
    super_resolution_kernel,
    supports_bf16,
)
from bigrock.models.cache import forget_networks
from bigrock.models.threads import one_thread
from bigrock.volumes import ArraySource, open_volume

SHAPE = (11, 17, 23)
CORE = np.random.default_rng(0).random(SHAPE).astype(np.float32)


def network(config, seed=0):
    """A network whose last layer has a say, as after training."""
    torch.manual_seed(seed)
    net = build_super_resolution_net(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.5)
        if config.norm == "batch":
            net(torch.rand(4, 1, 8, 8, 8))
    return net.eval()


def whole(net, core=CORE):
    with torch.inference_mode(), one_thread():
        return net(torch.from_numpy(np.asarray(core, np.float32))[None, None])[0, 0].numpy()


@pytest.fixture(scope="session")
def fine(tmp_path_factory):
    config = SuperResolutionConfig(scale=4, features=8, blocks=2)
    return save_bundle(tmp_path_factory.mktemp("fine"), network(config), config)


def run(kernel, place, core=CORE, **options):
    return bigrock.run(
        kernel, ArraySource(core, voxel_size=(4e-6, 4e-6, 4e-6)), place, progress=False, **options
    )


KINDS = [
    {"scale": 2},
    {"scale": 4, "upsample": "linear"},
    {"scale": 4, "upsample": "deconv", "skip": "nearest"},
    {"scale": 8, "norm": "batch", "skip": "none"},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_any_blocks_give_the_whole_volume(tmp_path, kind):
    config = SuperResolutionConfig(features=8, blocks=1, **kind)
    net = network(config)
    bundle = save_bundle(tmp_path / "bundle", net, config)
    expected = np.clip(whole(net), 0, 1)
    assert expected.std() > 0.1
    for number, block in enumerate([None, (5, 7, 9), (11, 3, 23), (4, 4, 4)]):
        shard = None if block is None else tuple(config.scale * n for n in block)
        kernel = super_resolution_kernel(bundle, dtype="float32")
        out = run(kernel, tmp_path / f"{number}.zarr", block=block, shard=shard)
        # Where activations are large, the last digits of float32 are too.
        np.testing.assert_allclose(out[:], expected, atol=1e-5)


def test_a_halo_that_is_one_voxel_short_would_be_seen(fine, tmp_path):
    kernel = SuperResolve(replace(fine, halo=fine.halo - 1), dtype="float32", window_voxels=1)
    out = run(kernel, tmp_path / "out.zarr", block=(4, 4, 4), shard=(16, 16, 16))
    assert np.abs(out[:] - np.clip(whole(fine.network()), 0, 1)).max() > 1e-6


@pytest.mark.parametrize("executor", ["serial", 3])
@pytest.mark.parametrize("window", [1, 13**3])
def test_small_windows_and_any_executor_give_the_same_voxels(fine, tmp_path, executor, window):
    kernel = super_resolution_kernel(fine, dtype="float32", window_voxels=window)
    out = run(kernel, tmp_path / "o.zarr", executor=executor, block=(8, 8, 8), shard=(32, 32, 32))
    np.testing.assert_allclose(out[:], np.clip(whole(fine.network()), 0, 1), atol=2e-6)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_measured_field_is_that_of_the_layers(scale):
    # Head, two convolutions in each of 3 units, and the first step, at low resolution; then halved each time.
    reach, at = 1 + 2 * 3 + 1, 0.5
    for _ in range(int(np.log2(scale)) - 1):
        reach, at = reach + 3 * at, at / 2
    found = receptive_field(
        build_super_resolution_net(SuperResolutionConfig(scale=scale, features=8, blocks=3))
    )
    assert (found.stride, found.scale) == (1, scale)
    assert found.halo in (int(np.ceil(reach)), int(np.ceil(reach)) + 1)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_part_of_a_window_is_that_part_of_the_whole_and_costs_less(kind):
    net = network(SuperResolutionConfig(features=8, blocks=2, **kind))
    image, part = torch.rand(1, 1, 24, 16, 16), (slice(11, 13), slice(0, 5), slice(9, 16))
    seen = []
    net.tail.register_forward_hook(lambda module, given, made: seen.append(given[0].shape))
    with torch.inference_mode(), one_thread():
        whole = net(image)
        made = net(image, part)
    fine = tuple(slice(net.scale * p.start, net.scale * p.stop) for p in part)
    torch.testing.assert_close(made, whole[(..., *fine)], atol=1e-5 * float(whole.abs().max()), rtol=0)
    reach = net.tail_halo
    assert tuple(seen[1][2:]) == (2 + 2 * reach, min(16, 5 + reach), min(16, 7 + reach))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_tail_looks_as_far_as_is_said(kind):
    net = build_super_resolution_net(SuperResolutionConfig(features=8, blocks=1, **kind))
    assert net.tail_halo >= receptive_field(net.tail).halo >= net.tail_halo - 1


def test_an_untrained_network_interpolates():
    torch.manual_seed(0)
    net = build_super_resolution_net(SuperResolutionConfig())
    image = torch.rand(1, 1, 8, 8, 8)
    smooth = torch.nn.functional.interpolate(image, scale_factor=4, mode="trilinear")
    assert (net(image) - smooth).abs().mean() < 0.1


def test_a_mask_is_taken_for_pore_fractions_and_made_of_them(fine, tmp_path):
    pores = CORE > 0.6
    grey = run(super_resolution_kernel(fine, dtype="float32"), tmp_path / "grey.zarr", pores)
    mask = run(super_resolution_kernel(fine, output="mask", threshold=0.4), tmp_path / "mask.zarr", pores)
    assert (grey.kind, mask.kind, mask.dtype) == ("grey", "mask", np.dtype(bool))
    assert mask.voxel_size == pytest.approx((1e-6, 1e-6, 1e-6))
    np.testing.assert_array_equal(mask[:], grey[:] > 0.4)
    assert 0.1 < mask[:].mean() < 0.9


def test_a_mask_may_keep_the_pore_fraction_of_every_voxel_whatever_the_blocks(fine, tmp_path):
    kernel = super_resolution_kernel(fine, output="mask", threshold="fraction")
    mask = run(kernel, tmp_path / "mask.zarr", block=(5, 16, 8))[:]
    counts = mask.reshape(11, 4, 17, 4, 23, 4).sum((1, 3, 5))
    np.testing.assert_array_equal(counts, np.rint(CORE * 64))
    assert run(kernel, tmp_path / "whole.zarr", block=(16, 24, 24))[:].mean() == mask.mean()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 5e-4), ("uint8", 0.5 / 255 + 1e-6)])
def test_pore_fractions_are_stored_as_asked_for(fine, tmp_path, dtype, tolerance):
    out = run(super_resolution_kernel(fine, dtype=dtype), tmp_path / "out.zarr")
    assert out.dtype == np.dtype(dtype)
    fraction = out[:].astype(np.float64) / (255 if dtype == "uint8" else 1)
    np.testing.assert_allclose(fraction, np.clip(whole(fine.network()), 0, 1), atol=tolerance)


def test_grey_levels_become_pore_fractions_by_the_range_that_is_given(fine, tmp_path):
    levels = np.round(210 - 170 * CORE).astype(np.uint8)
    out = run(
        super_resolution_kernel(fine, value_range=(210, 40), dtype="float32"), tmp_path / "o.zarr", levels
    )
    expected = np.clip(whole(fine.network(), (210 - levels.astype(np.float32)) / 170), 0, 1)
    np.testing.assert_allclose(out[:], expected, atol=2e-6)


def test_the_range_of_the_bundle_is_the_default(tmp_path):
    config = SuperResolutionConfig(scale=2, features=8, blocks=1, value_range=(200, 100))
    bundle = save_bundle(tmp_path / "b", network(config), config)
    kernel = super_resolution_kernel(bundle)
    assert kernel.levels == (200, 100)
    assert kernel.output_dtype(np.dtype("u1")) == np.dtype("f2")
    assert replace(kernel, value_range=(0, 1)).levels == (0, 1)


def test_what_lies_beyond_the_range_is_cut_off():
    assert pore_fraction(np.array([-0.2, 0.25, 1.2])).tolist() == [0, 0.25, 1]
    assert pore_fraction(np.array([-1.0, 0.25, 7.0]), (0, 2)).tolist() == [0, 0.125, 1]


def test_grey_levels_are_not_taken_for_pore_fractions(fine, tmp_path):
    for name, levels in (("scan", 20 + 200 * CORE), ("standardised", CORE - 0.5)):
        with pytest.raises(SourceError, match="which level is pore is never guessed"):
            run(super_resolution_kernel(fine), tmp_path / f"{name}.zarr", levels.astype(np.float32))


def test_whole_numbers_without_a_range_are_refused_before_anything_is_written(fine, tmp_path):
    with pytest.raises(ParameterError, match=r"uint8.*such as value_range=\(210, 40\)"):
        run(super_resolution_kernel(fine), tmp_path / "out.zarr", np.zeros(SHAPE, np.uint8))
    assert not (tmp_path / "out.zarr").exists()


def test_not_a_number_stops_the_run(fine, tmp_path):
    bad = CORE.copy()
    bad[3, 4, 5] = np.nan
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        run(super_resolution_kernel(fine), tmp_path / "out.zarr", bad)


def test_labels_are_refused(fine, tmp_path):
    source = ArraySource(np.zeros(SHAPE, np.uint8), kind="labels", classes={"solid": 0, "pore": 1})
    with pytest.raises(PhaseError, match="is a label volume"):
        bigrock.run(super_resolution_kernel(fine, value_range=(0, 2)), source, tmp_path / "out.zarr")


def test_a_model_for_another_task_is_refused(bundle, fine):
    with pytest.raises(BundleError, match="model for segmentation, and one for super-resolution is needed"):
        SuperResolve(bundle)
    with pytest.raises(BundleError, match="model for super-resolution, and one for segmentation is needed"):
        SegmentSlices(fine)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "labels"}, "'grey' or 'mask'"),
        ({"dtype": "float64"}, "'float16' or 'float32' or 'uint8'"),
        ({"precision": "float8"}, "'float32' or 'bf16'"),
        ({"threshold": 1.0}, "threshold"),
        ({"output": "mask", "threshold": "fractions"}, "threshold='fractions' is no pore fraction"),
        ({"value_range": (3, 3)}, "does not tell solid from pore"),
        ({"window_voxels": 0}, "positive"),
    ],
)
def test_options_that_mean_nothing_are_refused(fine, options, message):
    with pytest.raises(ParameterError, match=message):
        SuperResolve(fine, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 3}, "Use 2, 4 or 8"),
        ({"features": 2}, "8 channels or more"),
        ({"blocks": 0}, "one residual unit or more"),
        ({"norm": "instance"}, "leaves seams"),
        ({"upsample": "magic"}, "'subpixel', 'deconv', 'linear'"),
        ({"value_range": (0, float("nan"))}, "does not tell"),
    ],
)
def test_networks_that_cannot_be_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        SuperResolutionConfig(**options)


def test_the_model_is_loaded_once_and_travels_without_its_weights(fine, tmp_path, caplog):
    forget_networks()
    kernel = super_resolution_kernel(fine)
    fine.network()
    assert len(pickle.dumps(kernel)) < 3000
    forget_networks()
    with caplog.at_level(logging.INFO, "bigrock.models.cache"):
        run(kernel, tmp_path / "o.zarr", block=(4, 4, 4), shard=(16, 16, 16), executor=3)
    assert sum("loaded" in record.message for record in caplog.records) == 1


def test_the_history_names_the_model(fine, tmp_path):
    run(super_resolution_kernel(fine), tmp_path / "out.zarr")
    kernel = open_volume(tmp_path / "out.zarr").history[-1]["kernel"]
    assert kernel["bundle"] == {"bundle": fine.digest}


def test_the_memory_of_a_window_is_planned(fine):
    core = ArraySource(np.zeros((200, 200, 200), np.float32))
    one, two = (bigrock.plan(super_resolution_kernel(fine, window_voxels=w), core) for w in (30**3, 90**3))
    more = (90**3 - 64**3) * fine.activation_bytes
    assert two.ram_bytes - one.ram_bytes > more


def test_bf16_is_near_or_refused(fine, tmp_path):
    kernel = super_resolution_kernel(fine, precision="bf16", dtype="float32", backend="cpu")
    if not supports_bf16("cpu"):
        with pytest.raises(BackendError):
            run(kernel, tmp_path / "out.zarr")
        return
    out = run(kernel, tmp_path / "out.zarr")
    assert np.abs(out[:] - np.clip(whole(fine.network()), 0, 1)).mean() < 0.01


@pytest.mark.gpu
def test_a_gpu_gives_the_same_voxels(fine, tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    out = run(super_resolution_kernel(fine, dtype="float32", backend="gpu"), tmp_path / "out.zarr")
    np.testing.assert_allclose(out[:], np.clip(whole(fine.network()), 0, 1), atol=1e-3)
