from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

from bigrock.report.palette import (
    CLASSES,
    class_colours,
    grey_window,
    paint_grey,
    paint_labels,
    paint_mask,
    paint_overlay,
)

PROTAN = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTAN = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)


def test_class_colours_differ_for_colour_blind_readers():
    # Simulated after Machado, Oliveira & Fernandes (2009), severity 1, in linear light.
    srgb = np.array(list(CLASSES.values())) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    for matrix in (np.eye(3), PROTAN, DEUTAN):
        seen = np.clip(linear @ matrix.T, 0, 1)
        lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))
        distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1000 * np.eye(len(lab))
        assert distance.min() > 10


def test_grey_levels_keep_their_order_and_the_window_its_ends():
    image = np.arange(1000, dtype=np.uint16).reshape(20, 50)
    low, high = grey_window([image])
    painted = paint_grey(image, (low, high))[..., 0].ravel()
    assert np.all(np.diff(painted.astype(int)) >= 0)
    assert (painted[0], painted[-1]) == (0, 255)


def test_constant_and_undefined_images_can_be_painted():
    assert paint_grey(np.full((2, 2), 7, np.uint8), grey_window([np.full((2, 2), 7, np.uint8)])).max() == 0
    hollow = np.array([[np.nan, 1.0], [2.0, 3.0]])
    assert paint_grey(hollow, grey_window([hollow]))[0, 0, 0] == 0
    assert grey_window([np.full((2, 2), np.nan)]) == (0.0, 1.0)


def test_every_class_has_its_stated_colour():
    classes = {"matrix": 3, "pore": 0, "organic matter": 7}
    labels = np.array([[0, 3, 7]])
    colours = class_colours(classes)
    assert colours[0] == "blue"
    assert [tuple(p) for p in paint_labels(labels, classes)[0].tolist()] == [
        CLASSES[colours[v]] for v in (0, 3, 7)
    ]


def test_masks_have_two_colours():
    painted = paint_mask(np.array([[True, False]]))
    assert tuple(painted[0, 0].tolist()) == CLASSES["blue"]
    assert tuple(painted[0, 1].tolist()) == CLASSES["light grey"]


def test_the_overlay_changes_pores_only_and_draws_their_outline():
    rng = np.random.default_rng(3)
    mask = ndimage.gaussian_filter(rng.random((60, 70)), 3) > 0.5
    grey = rng.integers(0, 255, mask.shape, np.uint8)
    plain, over = paint_grey(grey, (0, 255)), paint_overlay(grey, mask, (0, 255))
    assert np.array_equal(plain[~mask], over[~mask])
    outline = mask & ~ndimage.binary_erosion(mask, border_value=1)
    assert np.all(over[outline] == CLASSES["sky blue"])
    assert not np.all(over[mask & ~outline] == CLASSES["sky blue"])
