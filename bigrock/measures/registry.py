"""The measures that `bigrock.measure` knows, by name."""

from __future__ import annotations

from collections.abc import Iterable

from bigrock.errors import ParameterError
from bigrock.measures.definition import Measure
from bigrock.measures.grey_levels import HISTOGRAM
from bigrock.measures.porosity import POROSITY
from bigrock.measures.profiles import PROFILES

__all__ = ["MEASURES", "chosen"]

MEASURES: dict[str, Measure] = {m.name: m for m in (HISTOGRAM, POROSITY, PROFILES)}
"""Name → measure. Other packages may add their own before they call `bigrock.measure`."""


def chosen(what: str | Iterable[str]) -> list[Measure]:
    """Return the measures of these names, each once, in the order given.

    Raises
    ------
    ParameterError
        If a name is not known, or none is given.

    Examples
    --------
    >>> [m.name for m in chosen("porosity")]
    ['porosity']
    """
    names = [what] if isinstance(what, str) else list(dict.fromkeys(what))
    known = ", ".join(MEASURES)
    if not names:
        raise ParameterError(f"no measure is named, so nothing would be read. Name some of: {known}.")
    for name in names:
        if name not in MEASURES:
            raise ParameterError(f"measure {name!r} is not known. Use some of: {known}.")
    return [MEASURES[name] for name in names]
