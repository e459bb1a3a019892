"""A surrogate tells k along the first axis, in voxels squared, and says where it knows nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bigrock.errors import BundleError, ParameterError, UnitError, VoxelSizeError
from bigrock.models import (
    Domain,
    SurrogateConfig,
    build_surrogate_net,
    load_bundle,
    predict_permeability,
    save_bundle,
)
from bigrock.models.darcy import effective_log_k
from bigrock.models.domain import descriptors
from bigrock.models.surrogate_net import binarized

EDGE = 16
ROCKS = np.random.default_rng(0).random((5, EDGE, EDGE, EDGE)) < np.linspace(0.2, 0.6, 5)[:, None, None, None]
# Along every axis a pore joins both faces: k is not 0.
ROCKS[:, :, 7, 7] = ROCKS[:, 7, :, 7] = ROCKS[:, 7, 7, :] = True
KINDS = [
    SurrogateConfig(EDGE, features=(4, 8), head=8, log10_k_mean=-1.0, log10_k_std=0.7),
    SurrogateConfig(EDGE, views="shared", features=(4, 8), head=8, members=3),
    SurrogateConfig(EDGE, architecture="conv3d", features=(4, 8), head=8, norm="none", binarize=True),
    SurrogateConfig(EDGE, architecture="darcy", features=(4, 8), head=8, log10_k_std=0.7),
]


def network(config, seed=0):
    torch.manual_seed(seed)
    net = build_surrogate_net(config)
    for _ in range(20):
        net(torch.rand(4, 1, EDGE, EDGE, EDGE))
    return net.eval()


def saved(folder, config, seed=0):
    return save_bundle(folder, network(config, seed), config)


@pytest.fixture(scope="module", params=KINDS, ids=["channels", "shared", "conv3d", "darcy"])
def bundle(request, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("surrogate"), request.param)


def test_what_is_saved_is_what_is_loaded(bundle):
    again = load_bundle(bundle.folder)
    assert again == bundle
    assert again.task == "permeability"
    assert isinstance(again.config, SurrogateConfig)
    assert again.config.features == (4, 8)


def test_k_is_the_mean_of_the_members_in_metres(bundle):
    with torch.inference_mode():
        made = bundle.network()(torch.from_numpy(ROCKS.astype(np.float32))[:, None]).double().numpy()
    log10_k = bundle.config.log10_k_mean + bundle.config.log10_k_std * made
    found = predict_permeability(bundle, ROCKS, voxel_size="2 um")
    np.testing.assert_allclose(found.k_voxel2, 10 ** log10_k.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.k_m2, found.k_voxel2 * 4e-12)
    spread = log10_k.std(1, ddof=1) if made.shape[1] > 1 else np.zeros(len(ROCKS))
    np.testing.assert_allclose(found.log10_spread, spread, atol=1e-5)


def test_k_along_another_axis_is_that_of_the_turned_image(bundle):
    every = predict_permeability(bundle, ROCKS, voxel_size=1e-6, axis="all")
    for column, turned in enumerate([ROCKS, ROCKS.transpose(0, 2, 1, 3), ROCKS.transpose(0, 3, 1, 2)]):
        np.testing.assert_allclose(
            every.k_m2[:, column], predict_permeability(bundle, turned, voxel_size=1e-6).k_m2, rtol=1e-4
        )
    np.testing.assert_allclose(
        every.k_m2[:, 2], predict_permeability(bundle, ROCKS, voxel_size=1e-6, axis="x").k_m2, rtol=1e-6
    )


def test_mirrored_is_the_mean_of_an_image_and_of_it_back_to_front(bundle):
    back = ROCKS[:, ::-1, ::-1, ::-1]
    one, two = (predict_permeability(bundle, each, voxel_size=1e-6).k_voxel2 for each in (ROCKS, back))
    assert abs(np.log10(one / two)).max() > 1e-4
    for each in (ROCKS, back):
        found = predict_permeability(bundle, each, voxel_size=1e-6, mirrored=True)
        np.testing.assert_allclose(found.k_voxel2, np.sqrt(one * two), rtol=1e-4)


def test_several_surrogates_count_alike(tmp_path):
    config = replace(KINDS[1], members=1, log10_rmse=0.3)
    one, two = saved(tmp_path / "1", config, 1), saved(tmp_path / "2", config, 2)
    each = [np.log10(predict_permeability(b, ROCKS, voxel_size=1.0e-6).k_m2) for b in (one, two)]
    both = predict_permeability([one, two], ROCKS, voxel_size=1.0e-6)
    np.testing.assert_allclose(np.log10(both.k_m2), np.mean(each, axis=0), rtol=1e-5)
    spread = np.std(each, axis=0, ddof=1)
    np.testing.assert_allclose(both.log10_std, np.hypot(spread, 0.3), rtol=1e-4)


def test_a_single_image_needs_no_stack(bundle):
    alone = predict_permeability(bundle, ROCKS[2], voxel_size="1 um")
    assert alone.k_m2.shape == (1,)


@pytest.mark.parametrize("extent", [(0, 4, 4, 4), (0, 0, 4, 4)])
def test_other_extents_are_refused_whatever_the_architecture(bundle, extent):
    larger = np.pad(ROCKS[:1], [(0, n) for n in extent])
    with pytest.raises(ParameterError, match=r"takes images of 16 voxels.*20, 20.*permeability map"):
        predict_permeability(bundle, larger, voxel_size="1 um")


def test_where_pores_do_not_join_the_faces_k_is_0(bundle):
    images = ROCKS[:3].astype(np.float32)
    images[0, 3] = 0  # a wall across z
    images[1, :, 3] = 0.5  # not over one half: a wall across y
    found = predict_permeability(bundle, images, voxel_size="2 um", axis="all")
    assert found.percolates.tolist() == [[False, True, True], [True, False, True], [True, True, True]]
    np.testing.assert_array_equal(found.k_m2 == 0, ~found.percolates)
    np.testing.assert_array_equal(found.k_voxel2 == 0, ~found.percolates)
    np.testing.assert_array_equal(np.isnan(found.log10_std), ~found.percolates)
    empty = predict_permeability(
        bundle, np.zeros_like(images), voxel_size="2 um", percolating=[True, False, True]
    )
    assert (empty.k_m2 > 0).tolist() == empty.percolates.tolist() == [True, False, True]


def test_coarse_images_are_not_asked_whether_they_percolate_and_join_no_ensemble_of_fine_ones(tmp_path):
    net, coarse = network(KINDS[1]), {"coarse_factor": 4}
    fine = save_bundle(tmp_path / "fine", net, KINDS[1])
    bypass = save_bundle(tmp_path / "bypass", net, KINDS[1], training=coarse)
    assert predict_permeability(bypass, np.zeros((1, *[EDGE] * 3)), voxel_size="1 um").k_m2 > 0
    with pytest.raises(BundleError, match=r"for other images.*4 times coarser"):
        predict_permeability([fine, bypass], ROCKS, voxel_size="1 um")
    small = save_bundle(tmp_path / "small", build_surrogate_net(config := replace(KINDS[1], edge=8)), config)
    with pytest.raises(BundleError, match=r"for 16 voxels.*for 8 voxels"):
        predict_permeability([fine, small], ROCKS, voxel_size="1 um")


def test_grey_levels_voxels_that_are_no_cubes_and_no_units_are_refused(bundle):
    with pytest.raises(ParameterError, match="from 0 to 255"):
        predict_permeability(bundle, np.uint8(255) * ROCKS, voxel_size="1 um")
    with pytest.raises(ParameterError, match="no cubes"):
        predict_permeability(bundle, ROCKS, voxel_size="2, 1, 1 um")
    with pytest.raises(UnitError):
        predict_permeability(bundle, ROCKS, voxel_size="2")
    with pytest.raises(VoxelSizeError, match="no voxel size is given"):
        predict_permeability(bundle, ROCKS, voxel_size=None)
    with pytest.raises(ParameterError, match="axis='w'"):
        predict_permeability(bundle, ROCKS, voxel_size="1 um", axis="w")
    with pytest.raises(ParameterError, match="no surrogate"):
        predict_permeability([], ROCKS, voxel_size="1 um")
    with pytest.raises(ParameterError, match="no stack"):
        predict_permeability(bundle, ROCKS[0, 0], voxel_size="1 um")


def test_a_super_resolution_tells_no_permeability(tmp_path):
    from bigrock.models import SuperResolutionConfig, build_super_resolution_net

    config = SuperResolutionConfig(scale=2, features=8, blocks=1)
    other = save_bundle(tmp_path, build_super_resolution_net(config), config)
    with pytest.raises(BundleError, match="one for permeability is needed"):
        predict_permeability(other, ROCKS, voxel_size="1 um")


def test_slices_through_the_same_convolutions_do_not_see_the_order_of_slices_of_their_own_view():
    """Shared 2-D branches average over slices: shuffling z changes only what the other two views see."""
    net = network(KINDS[1])
    branch = net.members[0][0].branches[0]
    image = torch.from_numpy(ROCKS[:1].astype(np.float32))
    shuffled = image[:, torch.randperm(EDGE)]
    slices = [branch(x.flatten(0, 1)[:, None]).mean((0, 2, 3)) for x in (image, shuffled)]
    torch.testing.assert_close(*slices)


def test_the_cells_of_a_lattice_are_told_by_the_voxels_near_them_and_gradients_reach_these():
    net = network(KINDS[3])
    image = torch.from_numpy(ROCKS[:1].astype(np.float32))[:, None].requires_grad_()
    net.members[0].cells(image)[0, :, 2, 1, 3].sum().backward()
    reached = [(int(i.min()), int(i.max())) for i in image.grad[0, 0].nonzero(as_tuple=True)]
    assert reached == [(5, 11), (1, 7), (9, 15)]
    image.grad = None
    net(image).sum().backward()
    assert image.grad.abs().max() > 0


@pytest.mark.parametrize("deviation", [0.3, 1.4])
def test_what_a_lattice_tells_lies_between_its_worst_and_its_best_cells(deviation):
    net = network(replace(KINDS[3], log10_k_std=deviation))
    image = torch.from_numpy(ROCKS[:1].astype(np.float32))[:, None]
    cells, told = net.members[0].cells(image), net(image).item()
    assert cells.min() < told < cells.max()
    log_k = effective_log_k(math.log(10) * deviation * cells)
    assert told == pytest.approx(log_k.item() / (math.log(10) * deviation), rel=1e-5)


def test_a_threshold_in_front_sees_masks_alone_and_lets_gradients_through():
    net = network(KINDS[2])
    soft = torch.from_numpy(np.where(ROCKS, 0.9, 0.2).astype(np.float32))[:, None].requires_grad_()
    hard = torch.from_numpy(ROCKS.astype(np.float32))[:, None]
    torch.testing.assert_close(net(soft), net(hard))
    net(soft).sum().backward()
    assert soft.grad.abs().max() > 0
    assert binarized(torch.tensor([0.5, 0.51])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "transformer"}, "'views' or 'conv3d' or 'darcy'"),
        ({"architecture": "darcy", "features": (8,)}, "two or more"),
        ({"architecture": "darcy", "edge": 30}, "edge=30 .* 4 voxels long"),
        ({"architecture": "darcy", "edge": 2}, "edge=2 .* 4 voxels long"),
        ({"views": "both"}, "'channels' or 'shared'"),
        ({"features": ()}, "positive"),
        ({"members": 0}, "positive"),
        ({"dropout": 1.0}, "less than 1"),
        ({"edge": 4}, "8 or more"),
        ({"log10_k_std": 0.0}, "not positive"),
    ],
)
def test_networks_that_cannot_be_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        SurrogateConfig(**options)


def test_the_domain_holds_what_it_was_made_of_and_nothing_else():
    domain = Domain.of(ROCKS)
    assert all(domain.holds(rock) for rock in ROCKS)
    # Another porosity, another texture of the same porosity, and grey voxels.
    assert not domain.holds(np.random.default_rng(1).random((EDGE,) * 3) < 0.95)
    assert not domain.holds(np.repeat(ROCKS[2, ::4], 4, axis=0))
    assert not domain.holds(np.full((EDGE,) * 3, 0.4))
    # scipy's distance by the same numbers.
    from scipy.spatial.distance import mahalanobis

    far = descriptors(np.full((EDGE,) * 3, 0.4))
    expected = mahalanobis(far, domain.mean, np.array(domain.precision))
    assert domain.distance(np.full((EDGE,) * 3, 0.4)) == pytest.approx(expected)


def test_foreign_images_are_marked(tmp_path):
    config = replace(KINDS[2], domain=Domain.of(ROCKS))
    bundle = saved(tmp_path, config)
    assert load_bundle(tmp_path).config.domain == config.domain
    images = np.concatenate([ROCKS, np.ones((1, EDGE, EDGE, EDGE), bool)])
    found = predict_permeability(bundle, images, voxel_size="1 um")
    assert found.out_of_distribution.tolist() == [False] * 5 + [True]
