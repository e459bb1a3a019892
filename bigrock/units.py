"""Lengths and permeabilities with their units: parse what people write, print what they read.

Everything inside bigrock is in SI: metres and square metres.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from bigrock.errors import UnitError, VoxelSizeError

__all__ = [
    "DARCY_M2",
    "format_length",
    "format_permeability",
    "format_voxel_size",
    "parse_length",
    "parse_voxel_size",
]

DARCY_M2 = 9.869233e-13
"""One darcy in square metres."""

_EXPONENT = {
    "m": 0,
    "cm": -2,
    "mm": -3,
    "um": -6,
    "µm": -6,
    "μm": -6,
    "micron": -6,
    "microns": -6,
    "nm": -9,
    "å": -10,
    "angstrom": -10,
    "pm": -12,
    "meter": 0,
    "metre": 0,
    "centimeter": -2,
    "millimeter": -3,
    "micrometer": -6,
    "nanometer": -9,
    "picometer": -12,
}
_LENGTH = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s.]+)\s*$")
_LARGEST_VOXEL_M = 0.01


def parse_length(text: str | float) -> float:
    """Return a length in metres from ``"2.25 um"``, ``"10nm"`` or a number of metres.

    Parameters
    ----------
    text : str or float
        A number with a unit (m, cm, mm, um/µm/micron, nm, Å/angstrom, pm, or the OME names such
        as ``micrometer``), or a number, which is metres.

    Returns
    -------
    float
        Metres; the decimal value that was written, correctly rounded.

    Raises
    ------
    UnitError
        If there is no unit, an unknown one, or the length is not positive and finite.

    Examples
    --------
    >>> parse_length("2.25 um")
    2.25e-06
    """
    if isinstance(text, str):
        match = _LENGTH.match(text)
        if match is None or match[2].lower() not in _EXPONENT:
            known = "m, cm, mm, um, nm, angstrom, pm"
            raise UnitError(
                f"length {text!r} is not a number followed by a unit. Write it like '2.25 um' (units: {known})."
            )
        mantissa, _, exponent = match[1].lower().partition("e")
        metres = float(f"{mantissa}e{int(exponent or 0) + _EXPONENT[match[2].lower()]}")
    else:
        metres = float(text)
    if not (math.isfinite(metres) and metres > 0):
        raise UnitError(
            f"length {text!r} is not a positive, finite number. Give a positive length such as '2.25 um'."
        )
    return metres


def parse_voxel_size(value: str | float | Sequence[str | float] | None) -> tuple[float, float, float]:
    """Return a voxel size (z, y, x) in metres.

    Parameters
    ----------
    value : str, float, or sequence or array of three
        One length for a cubic voxel, or three in the order z, y, x. A string may hold three
        lengths separated by commas; a unit after the last one applies to all that have none.
        Plain numbers are metres, as ``Volume.voxel_size`` gives them.

    Returns
    -------
    tuple of float
        z, y, x in metres.

    Raises
    ------
    UnitError
        If a length cannot be understood, is not positive, there are not one or three of them, or a
        voxel would be larger than 1 cm (a number given without its unit).
    VoxelSizeError
        If it is None, as that of a volume which states none.

    Examples
    --------
    >>> parse_voxel_size("10, 5, 5 nm")
    (1e-08, 5e-09, 5e-09)
    """
    if value is None:
        raise VoxelSizeError(
            "no voxel size is given: taking it for 1 would be wrong by orders of magnitude. Give it, such as "
            "voxel_size='2.25 um'."
        )
    parts: list[str | float]
    if isinstance(value, str):
        texts = [part.strip() for part in value.split(",")]
        unit = re.sub(r"^[-+\d.eE\s]*", "", texts[-1])
        parts = [text if re.search(r"[^\d\s.eE+-]", text) else f"{text} {unit}" for text in texts]
    elif isinstance(value, Iterable):
        parts = list(value)
    else:
        parts = [value]
    if len(parts) == 1:
        parts = parts * 3
    if len(parts) != 3:
        raise UnitError(
            f"voxel size {value!r} has {len(parts)} lengths. Give one, or three in the order z, y, x."
        )
    z, y, x = (parse_length(part) for part in parts)
    if max(z, y, x) > _LARGEST_VOXEL_M:
        raise UnitError(
            f"voxel size {value!r} is {max(z, y, x):g} m, larger than 1 cm: plain numbers are metres. "
            f"Write the unit, such as '{value} um'."
        )
    return z, y, x


def format_length(metres: float, digits: int = 6) -> str:
    """Return a length with the unit that a reader expects, such as ``"2.25 µm"``.

    Parameters
    ----------
    metres : float
        The length.
    digits : int
        Significant digits.

    Examples
    --------
    >>> format_length(2.25e-6)
    '2.25 µm'
    """
    for unit, exponent in (("m", 0), ("mm", -3), ("µm", -6), ("nm", -9)):
        scaled = metres * 10.0**-exponent
        if abs(scaled) >= 0.99999 or unit == "nm":
            return f"{scaled:.{digits}g} {unit}"
    raise AssertionError("unreachable: the last unit takes every length")


def format_voxel_size(voxel_m: tuple[float, float, float] | None) -> str:
    """Return a voxel size for people: one length for cubes, ``z × y × x`` otherwise.

    Examples
    --------
    >>> format_voxel_size((1e-8, 5e-9, 5e-9))
    '10 nm × 5 nm × 5 nm (z, y, x)'
    """
    if voxel_m is None:
        return "not stated"
    if len(set(voxel_m)) == 1:
        return format_length(voxel_m[0])
    return " × ".join(format_length(v) for v in voxel_m) + " (z, y, x)"


def format_permeability(square_metres: float) -> str:
    """Return a permeability in m², darcy and millidarcy, as they are always printed together; in nanodarcy where tight.

    Examples
    --------
    >>> format_permeability(9.869233e-13)
    '9.869e-13 m² = 1 D = 1000 mD'
    >>> format_permeability(9.869233e-20)  # below a microdarcy: shale
    '9.869e-20 m² = 1e-07 D = 100 nD'
    """
    darcy = square_metres / DARCY_M2
    fine = f"{darcy * 1e9:.4g} nD" if 0 < darcy < 1e-6 else f"{darcy * 1000:.4g} mD"
    return f"{square_metres:.4g} m² = {darcy:.4g} D = {fine}"
