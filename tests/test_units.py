"""Lengths and permeabilities: what people write, and what they read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import UnitError, VoxelSizeError
from bigrock.units import (
    DARCY_M2,
    format_length,
    format_permeability,
    format_voxel_size,
    parse_length,
    parse_voxel_size,
)


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("2.25 um", 2.25e-6),
        ("2.25um", 2.25e-6),
        ("2.25 µm", 2.25e-6),
        ("2.25 μm", 2.25e-6),
        ("0.7 micron", 0.7e-6),
        ("10nm", 1e-8),
        ("5.0E1 nm", 5e-8),
        (".5 mm", 5e-4),
        ("1 cm", 0.01),
        ("3 micrometer", 3e-6),
        ("12 Å", 1.2e-9),
        ("12 angstrom", 1.2e-9),
        ("70 pm", 7e-11),
        (4e-6, 4e-6),
        (np.float64(4e-6), 4e-6),
    ],
)
def test_lengths_are_read_exactly(text, metres):
    assert parse_length(text) == metres


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2.25",
        "um",
        "2.25 parsec",
        "2,25 um",
        "-1 um",
        "0 nm",
        "nan um",
        "1 um 2",
        float("nan"),
        0.0,
        -1.0,
    ],
)
def test_lengths_that_cannot_be_understood_are_refused(text):
    with pytest.raises(UnitError, match="length"):
        parse_length(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2 um", (2e-6, 2e-6, 2e-6)),
        ("10, 5, 5 nm", (1e-8, 5e-9, 5e-9)),
        ("10 nm, 5 nm, 0.005 um", (1e-8, 5e-9, 5e-9)),
        (2e-6, (2e-6, 2e-6, 2e-6)),
        ((1e-6, 2e-6, 3e-6), (1e-6, 2e-6, 3e-6)),
        (["1 um", 2e-6, "3 µm"], (1e-6, 2e-6, 3e-6)),
        (np.array([1e-6, 2e-6, 3e-6]), (1e-6, 2e-6, 3e-6)),
    ],
)
def test_voxel_sizes_are_z_y_x_in_metres(value, expected):
    assert parse_voxel_size(value) == expected


@pytest.mark.parametrize("value", ["1, 2 um", (1e-6, 1e-6), "1, 2, 3", 2.25, "5 m", (2.0, 2.0, 2.0)])
def test_voxel_sizes_that_cannot_be_meant_are_refused(value):
    with pytest.raises(UnitError):
        parse_voxel_size(value)


def test_a_plain_number_that_was_meant_in_micrometres_is_refused_with_the_remedy():
    with pytest.raises(UnitError, match=r"plain numbers are metres. Write the unit, such as '2.25 um'"):
        parse_voxel_size(2.25)


@given(st.floats(1e-12, 0.009))
def test_lengths_are_printed_so_that_they_can_be_read_again(metres):
    assert parse_length(format_length(metres)) == pytest.approx(metres, rel=1e-5)


@pytest.mark.parametrize(
    ("metres", "text"),
    [
        (2.25e-6, "2.25 µm"),
        (1e-6, "1 µm"),
        (5e-9, "5 nm"),
        (1.5e-3, "1.5 mm"),
        (2.0, "2 m"),
        (5e-11, "0.05 nm"),
    ],
)
def test_lengths_are_printed_in_the_unit_that_a_reader_expects(metres, text):
    assert format_length(metres) == text


def test_voxel_sizes_are_printed_with_their_axes_unless_they_are_cubes():
    assert format_voxel_size((2.25e-6,) * 3) == "2.25 µm"
    assert format_voxel_size((1e-8, 5e-9, 5e-9)) == "10 nm × 5 nm × 5 nm (z, y, x)"
    assert format_voxel_size(None) == "not stated"


def test_permeabilities_are_printed_in_three_units():
    assert DARCY_M2 == 9.869233e-13
    assert format_permeability(2 * DARCY_M2) == "1.974e-12 m² = 2 D = 2000 mD"


def test_a_voxel_size_that_is_not_stated_is_not_guessed():
    with pytest.raises(VoxelSizeError, match="no voxel size is given"):
        parse_voxel_size(None)
