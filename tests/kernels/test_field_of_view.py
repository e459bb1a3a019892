"""Fields of view: what is inside, exactly; what is found in real and made scans; what they leave out."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

import bigrock
from bigrock.datasets import Sandstone
from bigrock.engine.settings import settings_of
from bigrock.errors import NonFiniteError, ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.kernels.field_of_view import Cylinder, MaskField, MaskOutside
from bigrock.kernels.field_of_view_detection import detect_field_of_view
from bigrock.kernels.histogram import GreyHistogram, grey_histogram
from bigrock.kernels.threshold import GlobalOtsu
from bigrock.volumes import ArraySource
from bigrock.volumes.source import Facts


@pytest.fixture(scope="module")
def rock() -> np.ndarray:
    source = Sandstone((12, 240, 256), seed=1)
    return source.read(Region.whole(source.shape))


def disc(shape, circle) -> np.ndarray:
    y, x = np.ogrid[: shape[-2], : shape[-1]]
    cy, cx, r = circle
    return np.broadcast_to((y - cy) ** 2 + (x - cx) ** 2 <= r * r, shape)


def counted(counting, volume, block):
    grid = BlockGrid(volume.shape, block, counting.halo)
    states = [counting.block(volume[b.read.slices], b) for b in grid]
    return counting.finish(reduce(counting.combine, states), Facts(volume.shape, volume.dtype))


@given(
    circle=st.tuples(st.floats(-3, 12), st.floats(-3, 12), st.floats(0.3, 15)),
    block=st.tuples(*[st.integers(1, 9)] * 3),
)
def test_blocks_of_a_cylinder_are_parts_of_its_whole(circle, block):
    shape, field = (3, 9, 11), Cylinder(*circle)
    whole = np.broadcast_to(field.inside(Region.whole(shape)), shape)
    np.testing.assert_array_equal(whole, disc(shape, circle))
    assert field.voxels(shape) == whole.sum()
    for b in BlockGrid(shape, block):
        part = np.broadcast_to(field.inside(b.core), b.core.shape)
        np.testing.assert_array_equal(part, whole[b.core.slices])


def test_a_mask_is_a_field_of_view_too(rock):
    mask = disc(rock.shape, (100, 90, 70.5)).copy()
    field, circle = MaskField(ArraySource(mask)), Cylinder(100, 90, 70.5)
    assert field.voxels(rock.shape) == circle.voxels(rock.shape) == mask.sum()
    by_mask, by_circle = (counted(GreyHistogram(f), rock, (5, 100, 101)) for f in (field, circle))
    np.testing.assert_array_equal(by_mask.counts, by_circle.counts)


def test_a_field_of_another_volume_is_refused():
    field = MaskField(ArraySource(np.ones((2, 3, 4), bool)))
    with pytest.raises(ParameterError, match="another volume"):
        field.voxels((2, 3, 5))
    with pytest.raises(ParameterError, match="another volume"):
        field.inside(Region((0, 0, 0), (2, 3, 5)))
    with pytest.raises(ParameterError, match="no mask"):
        MaskField(ArraySource(np.ones((2, 3, 4), np.uint8)))


@pytest.mark.parametrize("bad", [(0, 0, 0), (0, 0, -1), (float("nan"), 0, 1), (0, 0, float("inf"))])
def test_a_circle_that_is_none_is_refused(bad):
    with pytest.raises(ParameterError, match="no circle"):
        Cylinder(*bad)


def test_fields_have_settings_that_tell_them_apart():
    first, second = (MaskField(ArraySource(np.full((2, 2, 2), v))) for v in (True, False))
    texts = [json.dumps(settings_of(MaskOutside(f))) for f in (first, second, Cylinder(1, 2, 3))]
    assert len(set(texts)) == 3
    assert json.dumps(settings_of(MaskOutside(MaskField(ArraySource(np.ones((2, 2, 2), bool)))))) == texts[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_histograms_count_what_is_inside_only(rock, dtype):
    volume = (rock // 256 if dtype == "uint8" else rock).astype(dtype)
    field = Cylinder(120, 130, 99)
    expected = grey_histogram(volume, mask=disc(volume.shape, (120, 130, 99)))
    for block in (volume.shape, (5, 77, 100), (12, 1, 256)):
        found = counted(GreyHistogram(field), volume, block)
        np.testing.assert_array_equal(found.counts, expected.counts)
        assert (found.mean, found.std, found.min, found.max) == (
            expected.mean,
            expected.std,
            expected.min,
            expected.max,
        )


def test_numbers_that_are_none_matter_inside_only():
    volume = np.ones((2, 9, 9), np.float32)
    volume[1, 0, 0] = np.nan
    assert counted(GreyHistogram(Cylinder(4, 4, 4)), volume, (1, 4, 5)).total == Cylinder(4, 4, 4).voxels(
        volume.shape
    )
    volume[1, 4, 6] = np.nan
    with pytest.raises(NonFiniteError, match=r"the first at \(1, 4, 6\)"):
        counted(GreyHistogram(Cylinder(4, 4, 4)), volume, (1, 4, 5))


def test_the_global_threshold_of_a_round_core_ignores_the_padding(rock):
    circle = (119.0, 127.0, 100.0)
    inside = disc(rock.shape, circle)
    round_core = np.where(inside, rock, 0).astype(rock.dtype)
    kernel = GlobalOtsu(field_of_view=Cylinder(*circle))
    counting, facts = kernel.fitting(Facts(rock.shape, rock.dtype)), Facts(rock.shape, rock.dtype)
    fitted = kernel.fitted(
        counting.finish(counting.block(round_core, BlockGrid(rock.shape, rock.shape)[0]), facts)
    )
    assert fitted.threshold == threshold_otsu(rock[inside])
    assert threshold_otsu(round_core) != fitted.threshold


def test_measures_leave_out_what_lies_outside(rock):
    circle = (119.0, 127.0, 100.0)
    inside = disc(rock.shape, circle)
    pores = (rock < 20000) | ~inside
    found = bigrock.measure(pores, "porosity", field_of_view=Cylinder(*circle), block=(8, 64, 64))
    assert found["porosity"]["total"] == pytest.approx((pores & inside).sum() / inside.sum())
    grey = bigrock.measure(rock, "histogram", field_of_view=Cylinder(*circle), block=(8, 64, 64))
    assert grey["histogram"]["mean"] == pytest.approx(rock[inside].mean())


def test_the_outside_becomes_one_value_whatever_the_blocks(rock):
    field, mask = Cylinder(119, 127, 100), disc(rock.shape, (119, 127, 100))
    for volume, value in ((rock, 7), (rock > 20000, 0)):
        kernel, out = MaskOutside(field, value), np.empty_like(volume)
        for b in BlockGrid(volume.shape, (5, 100, 77)):
            out[b.core.slices] = kernel(volume[b.read.slices], b)
        np.testing.assert_array_equal(out, np.where(mask, volume, value))
    with pytest.raises(ParameterError, match="value=300"):
        MaskOutside(field, 300)(np.zeros((1, 2, 2), np.uint8), BlockGrid((1, 2, 2), (1, 2, 2))[0])


def test_the_field_of_a_real_round_core_is_found(shared_data: Path):
    image = tifffile.imread(shared_data / "carbonate_slice_grey_2d" / "35_1_u16.tif")
    found = detect_field_of_view(image)
    assert found is not None
    inside, rock = found.inside(Region.whole((1, *image.shape)))[0], image > 1
    assert (inside & ~rock).sum() < 0.001 * rock.sum()
    assert (~inside & rock).sum() < 0.001 * rock.sum()


CIRCLES = {
    "inscribed": (119.5, 127.5, 119.5),
    "off-centre": (110.3, 137.7, 90.2),
    "cut at two sides": (120, 128, 140),
    "cut at a corner": (80, 190, 120),
    "small": (120, 128, 70),
}


@pytest.mark.parametrize("name", CIRCLES)
@pytest.mark.parametrize("outside", ["padding", "air", "the mean of the rock"])
def test_circles_are_found_within_a_voxel(rock, name, outside):
    circle, rng = CIRCLES[name], np.random.default_rng(0)
    air = {
        "padding": np.zeros(rock.shape),
        "air": rng.normal(9000, 800, rock.shape),
        "the mean of the rock": rng.normal(rock.mean(), rock.std() / 4, rock.shape),
    }[outside]
    scan = np.where(disc(rock.shape, circle), rock, air.clip(0, 65535)).astype(np.uint16)
    found = detect_field_of_view(ArraySource(scan))
    assert found is not None
    np.testing.assert_allclose((found.centre_y, found.centre_x, found.radius), circle, atol=0.5)
    if outside != "the mean of the rock":
        alone = detect_field_of_view(scan[5])
        assert alone is not None
        np.testing.assert_allclose((alone.centre_y, alone.centre_x, alone.radius), circle, atol=1)


def test_large_slices_are_thinned():
    rng = np.random.default_rng(0)
    scan = np.where(disc((2100, 2200), (1000, 1100, 900)), rng.normal(100, 20, (2100, 2200)), 5)
    found = detect_field_of_view(scan.astype(np.uint8))
    assert found is not None
    np.testing.assert_allclose((found.centre_y, found.centre_x, found.radius), (1000, 1100, 900), atol=3)


@pytest.mark.parametrize("volume", ["rock", "noise", "constant", "gradient", "tiny", "half padded"])
def test_a_scan_without_a_circle_has_none(rock, volume):
    ramp = np.broadcast_to(np.arange(128.0), (128, 128))
    half = rock.copy()
    half[:, :, :100] = 0
    scan = {
        "rock": rock,
        "noise": np.random.default_rng(0).normal(100, 9, (3, 128, 128)),
        "constant": np.full((2, 128, 128), 7, np.uint8),
        "gradient": ramp,
        "tiny": np.zeros((4, 9, 9), np.uint8),
        "half padded": half,
    }[volume]
    assert detect_field_of_view(scan) is None


@pytest.mark.parametrize("name", ["berea_400/berea_400_seg.tif", "fibsem_flyem/grey_140x400x400_u8.tif"])
def test_real_scans_that_fill_the_square_have_none(shared_data: Path, name):
    assert detect_field_of_view(tifffile.imread(shared_data / name)) is None


def test_a_line_of_voxels_has_no_slices():
    with pytest.raises(ParameterError, match="no slices"):
        detect_field_of_view(np.zeros(9))
