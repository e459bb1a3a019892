from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bigrock.datasets.hashing import hash_cell, mix, normal_table, smooth_noise, standard_normal, uniform


def test_mix_gives_the_published_splitmix64_sequence():
    # The first outputs of splitmix64 from state 1234567 (its increment is added by `mix` itself).
    step = 0x9E3779B97F4A7C15
    states = [np.uint64((1234567 + i * step) % 2**64) for i in range(5)]
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [int(mix(s)) for s in states] == published


def test_uniform_numbers_are_uniform():
    draws = [uniform(np.uint64(mix(np.uint64(i)))) for i in range(20_000)]
    assert stats.kstest(draws, "uniform").pvalue > 0.01


def test_normal_numbers_have_the_moments_of_a_normal():
    table = normal_table()
    draws = np.array([standard_normal(np.uint64(mix(np.uint64(i))), table) for i in range(50_000)], float)
    assert abs(draws.mean()) < 0.015
    assert abs(draws.std() - 1) < 0.01
    assert abs(stats.kurtosis(draws)) < 0.1
    assert stats.kstest(draws, "norm").pvalue > 0.01


def test_cells_with_negative_indices_have_hashes_of_their_own():
    seed = np.uint64(5)
    cells = {int(hash_cell(seed, z, y, x)) for z in range(-4, 4) for y in range(-4, 4) for x in range(-4, 4)}
    assert len(cells) == 8**3


@pytest.mark.parametrize("stride", [1, 3])
def test_smooth_noise_of_a_part_is_the_part_of_the_noise(stride):
    whole = smooth_noise(9, (-6, -6, -6), (12 * stride, 14 * stride, 16 * stride), wavelength=5.3)
    part = smooth_noise(9, (-3, 0, -6), (4, 4, 5), wavelength=5.3, stride=stride)
    end = (3 + 4 * stride, 6 + 4 * stride, 5 * stride)
    assert np.array_equal(part, whole[3 : end[0] : stride, 6 : end[1] : stride, 0 : end[2] : stride])


def test_smooth_noise_stays_in_its_range_and_is_smooth():
    field = smooth_noise(9, (0, 0, 0), (40, 40, 40), wavelength=10.0)
    assert np.abs(field).max() <= 1
    assert np.abs(field.mean()) < 0.1
    # A smooth step of height 2 over 10 voxels is nowhere steeper than 1.5 · 2 / 10.
    assert max(np.abs(np.diff(field, axis=axis)).max() for axis in range(3)) < 0.31
