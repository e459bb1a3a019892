"""OME-Zarr attributes: units there and back, and what other software writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import NotAVolumeError
from bigrock.units import parse_length, parse_voxel_size
from bigrock.volumes.metadata import level_paths, ome_attributes, translation_of, voxel_size_of

DECIMALS = st.builds(
    lambda digits, power: float(f"{digits}e{power}"), st.integers(1, 10**12), st.integers(-22, -16)
)


@given(st.tuples(DECIMALS, DECIMALS, DECIMALS))
def test_voxel_sizes_come_back_bit_for_bit(voxel):
    attributes = {"ome": ome_attributes("scan", voxel, 2, "mean")}
    assert voxel_size_of(attributes, "scan.zarr") == voxel


@pytest.mark.parametrize(
    "text",
    [
        "2.25 um",
        "10, 5, 5 nm",
        "0.7 micron",
        "1 mm",
        "3.5e-7 m",
        "40 angstrom",
        "500 pm",
        "16 µm, 17 µm, 18 µm",
    ],
)
def test_voxel_sizes_of_every_unit_come_back_bit_for_bit(text):
    voxel = parse_voxel_size(text)
    assert voxel_size_of({"ome": ome_attributes("scan", voxel, 1, "mean")}, "x") == voxel


@pytest.mark.parametrize(
    ("voxel", "unit", "scale"),
    [
        (2.25e-6, "micrometer", 2.25),
        (1e-6, "micrometer", 1.0),
        (5e-9, "nanometer", 5.0),
        (4e-12, "picometer", 4.0),
        (1e-3, "micrometer", 1000.0),
    ],
)
def test_the_unit_is_the_one_that_a_reader_expects(voxel, unit, scale):
    [image] = ome_attributes("scan", (voxel,) * 3, 1, "mean")["multiscales"]
    assert [axis["unit"] for axis in image["axes"]] == [unit] * 3
    assert image["datasets"][0]["coordinateTransformations"][0]["scale"] == [scale] * 3


def test_without_voxel_size_the_axes_have_no_unit_and_none_comes_back():
    attributes = {"ome": ome_attributes("scan", None, 1, "mean")}
    assert all("unit" not in axis for axis in attributes["ome"]["multiscales"][0]["axes"])
    assert voxel_size_of(attributes, "x") is None


def test_levels_have_the_same_physical_extent():
    image = ome_attributes("scan", (2e-6, 1e-6, 1e-6), 3, "mean")["multiscales"][0]
    steps = [d["coordinateTransformations"] for d in image["datasets"]]
    assert [s[0]["scale"] for s in steps] == [[2, 1, 1], [4, 2, 2], [8, 4, 4]]
    # The near face of every level is that of the first: centre minus half a voxel.
    faces = [
        [
            t - s / 2
            for t, s in zip(
                step[1]["translation"] if len(step) > 1 else [0] * 3, step[0]["scale"], strict=True
            )
        ]
        for step in steps
    ]
    assert faces == [[-1.0, -0.5, -0.5]] * 3


@given(st.tuples(DECIMALS, DECIMALS, DECIMALS), st.tuples(*[st.sampled_from((-1, 0, 1))] * 3))
def test_translations_come_back_bit_for_bit(lengths, signs):
    first = tuple(n * sign for n, sign in zip(lengths, signs, strict=True))
    attributes = {"ome": ome_attributes("scan", (2e-6, 1e-6, 1e-6), 2, "mean", first)}
    assert translation_of(attributes, "scan.zarr") == first


def test_a_translation_moves_every_level():
    [image] = ome_attributes("map", (2e-6, 1e-6, 1e-6), 2, "mean", (3e-6, -1e-6, 0.0))["multiscales"]
    told = [d["coordinateTransformations"][1]["translation"] for d in image["datasets"]]
    assert told == [[3.0, -1.0, 0.0], [4.0, -0.5, 0.5]]


def test_a_scale_of_the_whole_image_scales_the_translation_of_its_levels():
    steps = [{"type": "scale", "scale": [8, 4, 2]}, {"type": "translation", "translation": [-3, 0, 5]}]
    whole = [{"type": "scale", "scale": [10, 10, 10]}, {"type": "translation", "translation": [1, 0, 0]}]
    image = {
        "axes": [{"name": a, "type": "space", "unit": "nanometer"} for a in "zyx"],
        "datasets": [{"path": "0", "coordinateTransformations": steps}],
        "coordinateTransformations": whole,
    }
    assert translation_of({"multiscales": [image]}, "x") == pytest.approx((-29e-9, 0, 50e-9), abs=1e-18)


def test_images_of_other_software_are_read_with_their_order_of_axes_and_global_scale():
    image = {
        "axes": [{"name": "c", "type": "channel"}]
        + [{"name": a, "type": "space", "unit": "nanometer"} for a in ("z", "y", "x")],
        "datasets": [{"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": [1, 8, 4, 2]}]}],
        "coordinateTransformations": [{"type": "scale", "scale": [1, 10, 10, 10]}],
    }
    for attributes in ({"multiscales": [image]}, {"ome": {"version": "0.5", "multiscales": [image]}}):
        assert voxel_size_of(attributes, "x") == tuple(parse_length(f"{n} nm") for n in (80, 40, 20))
        assert translation_of(attributes, "x") == (0, 0, 0)
        assert level_paths(attributes, "x") == ["s0"]


@pytest.mark.parametrize("attributes", [{}, {"ome": {}}, {"multiscales": []}, {"ome": "0.5"}])
def test_groups_that_are_no_image_are_refused(attributes):
    with pytest.raises(NotAVolumeError, match="without OME multiscales"):
        level_paths(attributes, "scan.zarr")
