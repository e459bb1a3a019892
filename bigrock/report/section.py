"""What a section of a page holds, and how its curves are named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bigrock.report.figures import Picture
from bigrock.report.tables import Grid

__all__ = ["Section", "curve_name", "has", "is_known"]


@dataclass(frozen=True, slots=True)
class Section:
    """Figures and tables under one heading; `columns` of figures, or as many as suit their number (0).

    Examples
    --------
    >>> Section("Lacunarity").pictures
    []
    """

    heading: str
    pictures: list[Picture] = field(default_factory=list)
    note: str = ""
    grids: dict[str, Grid] = field(default_factory=dict)
    columns: int = 0


def curve_name(*parts: str) -> str:
    """Return the name of a curve in a legend, without the parts that are empty.

    Examples
    --------
    >>> curve_name("", "interface"), curve_name("clay", "z")
    ('interface', 'clay, z')
    """
    return ", ".join(part for part in parts if part)


def has(found: Any, *names: str) -> bool:
    """Return whether a mapping holds curves of these names, none of them empty.

    Examples
    --------
    >>> has({"sizes": [1, 2], "counts": [9, 4]}, "sizes", "counts")
    True
    """
    return hasattr(found, "get") and all(
        found.get(name) is not None and np.size(found[name]) for name in names
    )


def is_known(value: Any) -> bool:
    """Return whether a value is a finite number.

    Examples
    --------
    >>> is_known(None), is_known(float("nan")), is_known(2)
    (False, False, True)
    """
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))
