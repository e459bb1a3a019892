"""Darcy's law as a layer: the permeability of cells, against dense solves, bounds and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from bigrock.flow import upscale
from bigrock.models.darcy import effective_log_k


def cells(shape, deviation=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return deviation * torch.randn(1, 3, *shape, generator=generator, dtype=torch.float64)


def dense(log_k):
    """Solve the same balance of flows with a full matrix, cell by cell."""
    k = np.exp(log_k[0].numpy())
    shape = k.shape[1:]
    number = np.arange(k[0].size).reshape(shape)
    matrix, given = np.zeros((number.size, number.size)), np.zeros(number.size)
    for place in np.ndindex(shape):
        i = number[place]
        for axis in range(3):
            for step in (-1, 1):
                other = list(place)
                other[axis] += step
                if 0 <= other[axis] < shape[axis]:
                    beside = (axis, *other)
                    link = 2 / (1 / k[(axis, *place)] + 1 / k[beside])
                    matrix[i, number[tuple(other)]] -= link
                elif axis == 0:
                    link = 2 * k[(0, *place)]
                    given[i] += link * (step == -1)
                else:
                    continue
                matrix[i, i] += link
    pressure = np.linalg.solve(matrix, given).reshape(shape)
    flow = (2 * k[0, 0] * (1 - pressure[0])).sum()
    return flow * shape[0] / (shape[1] * shape[2])


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 3, 2), (2, 1, 1), (6, 4, 4)])
def test_it_is_the_solution_of_the_full_matrix(shape):
    log_k = cells(shape)
    found = effective_log_k(log_k, tolerance=1e-14)
    np.testing.assert_allclose(found.exp().numpy(), dense(log_k), rtol=1e-6)


def test_it_is_what_upscaling_finds_in_cells_that_conduct_alike_along_all_axes():
    log_k = cells((6, 5, 4))[:, :1].expand(1, 3, 6, 5, 4)
    found = effective_log_k(log_k, tolerance=1e-14)
    np.testing.assert_allclose(found.exp(), upscale(log_k[0, 0].exp().numpy())["z"].darcy, rtol=1e-5)


def test_the_default_tolerance_leaves_the_logarithm_at_most_a_hundredth_too_high():
    several = torch.cat([cells((8, 8, 8), deviation, seed) for seed in range(4) for deviation in (0.5, 2, 4)])
    exact = effective_log_k(several, tolerance=1e-14, steps=5000)
    error = effective_log_k(several) - exact
    assert error.min() > -1e-6
    assert error.max() < 0.01


def test_a_smooth_field_of_large_contrasts_takes_a_smaller_tolerance():
    field = ndimage.uniform_filter(cells((16, 16, 16)).numpy(), (0, 0, 3, 3, 3), mode="nearest")
    smooth = torch.from_numpy(4 * field / field.std())
    exact = effective_log_k(smooth, tolerance=1e-14, steps=20000)
    error = [float(effective_log_k(smooth, tolerance=t, steps=5000) - exact) for t in (1e-4, 1e-6, 1e-8)]
    assert error == sorted(error, reverse=True)
    assert 0 <= error[2] < error[1] < 0.01


def test_the_gradient_at_the_default_tolerance_is_nearly_that_of_exact_pressures():
    grads = []
    for tolerance in (1e-4, 1e-14):
        log_k = cells((8, 8, 8)).requires_grad_()
        effective_log_k(log_k, tolerance=tolerance, steps=5000).sum().backward()
        grads.append(log_k.grad)
    assert 0 < (grads[0] - grads[1]).norm() < 0.15 * grads[1].norm()


def test_an_image_has_the_same_permeability_whatever_is_in_the_batch_with_it():
    several = torch.cat([cells((8, 8, 8), deviation) for deviation in (0.5, 1.0, 4.0)])
    alone = torch.cat([effective_log_k(one[None]) for one in several])
    torch.testing.assert_close(effective_log_k(several), alone, rtol=1e-9, atol=0)


def test_layers_and_bundles_have_the_harmonic_and_the_arithmetic_mean():
    k = torch.tensor([1.0, 4.0, 0.25, 7.0])
    layers = k.log().reshape(1, 1, 4, 1, 1).expand(1, 3, 4, 4, 4)
    bundle = k.log().reshape(1, 1, 1, 4, 1).expand(1, 3, 4, 4, 4)
    found = effective_log_k(torch.cat([layers, bundle]), tolerance=1e-14).exp()
    np.testing.assert_allclose(found, [4 / (1 / k).sum(), k.mean()], rtol=1e-6)


def test_its_gradient_is_that_of_finite_differences():
    log_k = cells((3, 4, 2), 1.0).requires_grad_()
    assert torch.autograd.gradcheck(lambda k: effective_log_k(k, tolerance=1e-16), log_k, eps=1e-5, atol=1e-5)


def test_cells_that_hardly_conduct_leave_a_finite_permeability():
    walled = torch.zeros(1, 3, 5, 4, 4)
    walled[:, :, 2] = -15
    walled.requires_grad_()
    found = effective_log_k(walled)
    found.sum().backward()
    assert -15 < found.item() < -13
    assert torch.isfinite(walled.grad).all()
    assert walled.grad[:, 0, 2].min() > 0
    assert effective_log_k(walled.detach() - 1e4).item() == pytest.approx(-16)
