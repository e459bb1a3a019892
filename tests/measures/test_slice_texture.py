"""The texture of every slice is that of the slice as an image, for any blocks and every axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bigrock.errors import ParameterError
from bigrock.kernels import box_count, lacunarity
from bigrock.measures import SliceTexture, measure
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class Frame:
    """A field of view: everything but the first slices, and columns on the left."""

    def inside(self, region):
        z, y, x = (np.arange(a, b) for a, b in zip(region.start, region.stop, strict=True))
        return (z[:, None, None] > 1) & (x[None, None, :] > 4) & (y[None, :, None] >= 0)


def rock(shape=(18, 24, 27)) -> np.ndarray:
    # Porosity grows from nothing along every axis, so slices differ and the first ones are empty.
    ramp = sum(np.ogrid[tuple(slice(0, 0.5, n * 1j) for n in shape)])
    return np.random.default_rng(0).random(shape) < np.maximum(ramp - 0.1, 0) / 2


def same(found: list, expected: list) -> bool:
    return found == [None if np.isnan(v) else v for v in expected]


@pytest.mark.parametrize("axis", ["z", "y", "x"])
@pytest.mark.parametrize("block", [None, (7, 5, 9)])
def test_every_row_is_what_the_slice_has_as_an_image(axis, block):
    mask, number = rock(), "zyx".index(axis)
    table = measure(mask, SliceTexture(axis=axis, sizes=(2, 3)), block=block)["slices"]["slices"]
    slices = [mask.take(i, number) for i in range(mask.shape[number])]
    assert table["slice"].to_pylist() == list(range(len(slices)))
    assert same(table["fraction"].to_pylist(), [s.mean() for s in slices])
    for kind in ("phase", "interface"):
        counted = [box_count(s, kind=kind) for s in slices]
        assert same(table[f"dimension_{kind}"].to_pylist(), [c.dimension for c in counted])
        assert same(table[f"r2_{kind}"].to_pylist(), [c.r2 for c in counted])
    for i, size in enumerate((2, 3)):
        curve = [lacunarity(s, sizes=(2, 3))[i] for s in slices]
        assert same(table[f"lacunarity_{size}"].to_pylist(), curve)


def test_the_summary_is_over_the_slices_that_have_a_value():
    found = measure(rock(), SliceTexture(sizes=(2,)))["slices"]
    dimensions = [d for d in found["slices"]["dimension_phase"].to_pylist() if d is not None]
    assert found["mean"]["dimension_phase"] == pytest.approx(np.mean(dimensions))
    assert found["std"]["dimension_phase"] == pytest.approx(np.std(dimensions))
    empty = measure(np.zeros((3, 16, 16), bool), SliceTexture(sizes=(2,)))["slices"]
    assert empty["mean"]["dimension_phase"] is None
    assert empty["slices"]["lacunarity_2"].null_count == 3


def test_inside_a_field_of_view_slices_are_those_of_the_part_inside():
    mask = rock((6, 16, 21))
    cut = mask[:, :, 5:]
    sizes = {"sizes": (2,), "box_sizes": (1, 5), "fit": (1, 5)}
    table = measure(mask, SliceTexture(**sizes), field_of_view=Frame(), block=(4, 7, 9))["slices"]["slices"]
    assert table["fraction"].to_pylist()[:2] == [None, None]
    assert table["fraction"].to_pylist()[2:] == [s.mean() for s in cut[2:]]
    assert table["lacunarity_2"].to_pylist()[2:] == [lacunarity(s, sizes=(2,))[0] for s in cut[2:]]
    # The field begins at a border of the boxes of 5, so they are the same ones.
    expected = [box_count(s, sizes=(1, 5), fit=(1, 5)).dimension for s in cut[2:]]
    assert table["dimension_phase"].to_pylist()[2:] == expected


def test_positions_are_metres_where_the_voxel_size_is_known():
    volume = ArraySource(rock(), voxel_size=(10e-9, 5e-9, 5e-9))
    assert measure(volume, SliceTexture())["slices"]["slices"]["position_m"].to_pylist()[:2] == [
        0.5 * 10e-9,
        1.5 * 10e-9,
    ]
    assert measure(rock(), "slices")["slices"]["slices"]["position_voxels"].to_pylist()[:2] == [0.5, 1.5]


def test_tables_are_written_and_axes_checked(tmp_path):
    result = measure(rock(), "slices")
    result.to_json(tmp_path / "rock.json")
    assert "slices" in str(result)
    with pytest.raises(ParameterError, match="axis='w'"):
        SliceTexture(axis="w")


def test_slices_of_berea_have_dimensions_between_one_and_two(shared_data):
    from tifffile import imread

    mask = imread(next((shared_data / "berea_200_openpnm").glob("*.tif")))[:40] == 1
    table = measure(mask, "slices")["slices"]["slices"]
    for name in ("dimension_phase", "dimension_interface"):
        assert all(1 < d < 2 for d in table[name].to_pylist())
    assert all(
        a > b > 1 for a, b in zip(*(table[f"lacunarity_{r}"].to_pylist() for r in (2, 16)), strict=True)
    )
