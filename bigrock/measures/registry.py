"""The measures that `bigrock.measure` knows, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bigrock.errors import ParameterError
from bigrock.measures.chords import Chords
from bigrock.measures.connectivity import Connectivity
from bigrock.measures.correlation import Correlation
from bigrock.measures.definition import Measure
from bigrock.measures.euler import Euler
from bigrock.measures.fractal import DifferentialFractal, Fractal
from bigrock.measures.grey_levels import GreyLevels
from bigrock.measures.lacunarity import GreyLacunarity, Lacunarity
from bigrock.measures.minkowski import Minkowski
from bigrock.measures.pores_measure import Pores
from bigrock.measures.porosity import Porosity
from bigrock.measures.profiles import Profiles
from bigrock.measures.rev import Rev
from bigrock.measures.sizes import Sizes
from bigrock.measures.slice_texture import SliceTexture
from bigrock.measures.surface import Surface

__all__ = ["MEASURES", "chosen", "summaries"]

MEASURES: dict[str, type[Measure]] = {
    m.name: m
    for m in (
        GreyLevels,
        Porosity,
        Profiles,
        Fractal,
        DifferentialFractal,
        Lacunarity,
        GreyLacunarity,
        SliceTexture,
        Connectivity,
        Euler,
        Surface,
        Minkowski,
        Correlation,
        Chords,
        Sizes,
        Pores,
        Rev,
    )
}
"""Name → measure. Other packages may add their own before they call `bigrock.measure`."""


def chosen(what: str | Measure | Iterable[str | Measure]) -> list[Measure]:
    """Return the measures asked for, each name once, in the order given.

    Parameters
    ----------
    what : str, Measure, or iterable of these
        A name stands for the measure with its default options.

    Raises
    ------
    ParameterError
        If a name is not known or comes twice with different options, or none is given.

    Examples
    --------
    >>> chosen("porosity")
    [Porosity()]
    """
    wanted = [what] if isinstance(what, str | Measure) else list(what)
    known = ", ".join(MEASURES)
    if not wanted:
        raise ParameterError(f"no measure is named, so nothing would be read. Name some of: {known}.")
    found: dict[str, Measure] = {}
    for one in wanted:
        if not isinstance(one, Measure):
            if one not in MEASURES:
                raise ParameterError(f"measure {one!r} is not known. Use some of: {known}.")
            one = MEASURES[one]()
        if found.setdefault(one.name, one) != one:
            raise ParameterError(
                f"measure {one.name!r} is asked for twice, as {found[one.name]} and as {one}: one result would "
                "hide the other. Ask for one, or measure twice."
            )
    return list(found.values())


def summaries() -> dict[str, str]:
    """Return what every measure gives, in a few words: the beginning of its docstring.

    Examples
    --------
    >>> summaries()["porosity"]
    'Total porosity'
    """
    found = {}
    for name, measure in MEASURES.items():
        first = " ".join((measure.__doc__ or "").split("\n\n")[0].split())
        found[name] = re.split(r"[:.;](?:\s|$)", first)[0].replace("`", "")
    return found
