"""Lengths and densities in units that make their numbers short."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["short_density", "short_lengths"]

Array = npt.NDArray[Any]


def short_density(values: Any, unit: str) -> tuple[Array, str]:
    """Return numbers per metre, area or volume as numbers per millimetre, and that unit; others as they are.

    Parameters
    ----------
    values : array
        Numbers.
    unit : str
        "1/m", "1/m²", "1/m³", or another one.

    Examples
    --------
    >>> values, unit = short_density([5e9], "1/m³")
    >>> round(float(values[0]), 9), unit
    (5.0, '1/mm³')
    """
    power = {"1/m": 3, "1/m²": 6, "1/m³": 9}.get(unit, 0)
    return np.asarray(values, float) * 10.0**-power, unit.replace("/m", "/mm") if power else unit


def short_lengths(lengths: Any, unit: str) -> tuple[Array, str]:
    """Return lengths in the unit that makes their numbers short, and that unit.

    Parameters
    ----------
    lengths : array
        Lengths.
    unit : str
        "m", or another one, which is left as it is.

    Examples
    --------
    >>> values, unit = short_lengths([0.0, 2e-6], "m")
    >>> values.tolist(), unit
    ([0.0, 2.0], 'µm')
    """
    values = np.asarray(lengths, float)
    if unit != "m":
        return values, unit
    largest = np.nanmax(np.abs(values), initial=0.0)
    for name, exponent in (("mm", -3), ("µm", -6)):
        if largest >= 10.0**exponent:
            return values * 10.0**-exponent, name
    return values * 1e9, "nm"
