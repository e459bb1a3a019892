"""What shales are made of: beds, noise, and bodies that lie at random."""

from __future__ import annotations

import numpy as np
import pytest

from bigrock.datasets.shale_bodies import Population, Space, draw_grains, mark
from bigrock.datasets.shale_fields import bedding_frame, noise_over, noise_row


def test_the_bedding_frame_is_a_rotation_that_keeps_the_slices_across_the_beds():
    for seed in range(20):
        frame = bedding_frame(seed)
        assert np.allclose(frame @ frame.T, np.eye(3))
        assert frame[0, 1] > 0.9


def test_noise_of_a_part_is_the_part_of_the_noise_and_reaches_its_lattice_values():
    points = np.arange(-20.0, 20.0, 0.5)
    zero = np.zeros(points.size)
    large, small = np.empty((2, points.size), np.float32)
    wide = noise_over(3, (-20, 0, 0), (20, 0, 0), (4.0, 1.0, 1.0))
    noise_row(wide, points, zero, zero, large)
    noise_row(noise_over(3, (-2, 0, 0), (5, 0, 0), (4.0, 1.0, 1.0)), points[36:50], zero, zero, small[36:50])
    assert np.array_equal(small[36:50], large[36:50])
    assert np.array_equal(large[::8], wide.knots[1 : 1 + 10, 1, 1])


def test_marked_bodies_are_those_whose_gap_is_not_positive():
    flat = np.ones(2)
    bodies = Population(3, (70.0, 90.0, 90.0), 0.6 * flat, flat, 12.0, 30.0, (1.0, 3.0), 2.0, 1.4)
    space = Space(bedding_frame(3), np.array([10.0, 5.0, 5.0]), 30)
    flags = np.zeros((30, 40, 50), np.uint8)
    mark(bodies, space, (-7, 3, 100), flags, 4)
    gap, _ = draw_grains(bodies, space, (-7, 3, 100), flags.shape, reach=25.0)
    assert np.array_equal(flags == 4, gap <= 0)
    assert 0.05 < (flags == 4).mean() < 0.6


def test_balls_of_one_size_fill_their_share_of_space():
    flat = np.ones(2)
    balls = Population(1, (60.0, 60.0, 60.0), 0.5 * flat, flat, 20.0, 20.0001, (1.0, 1.0), 0.0, 0.0)
    flags = np.zeros((200, 200, 200), np.uint8)
    mark(balls, Space(np.eye(3), np.full(3, 5.0), 200), (0, 0, 0), flags, 1)
    # Balls that lie at random, and may overlap: 1 - exp(-number per volume · volume of one).
    assert flags.mean() == pytest.approx(1 - np.exp(-0.5 * 4 / 3 * np.pi * 20**3 / 60**3), rel=0.05)
