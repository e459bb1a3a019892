"""Measures as text: ``lacunarity sizes=3,5,9``, for the command line and configuration files."""

from __future__ import annotations

from collections.abc import Iterable

from bigrock.errors import ParameterError
from bigrock.measures.definition import Measure
from bigrock.measures.registry import MEASURES, chosen
from bigrock.workflows.option_text import built, vocabulary

__all__ = ["measure_vocabulary", "parse_measures"]


def parse_measures(texts: Iterable[str]) -> list[Measure]:
    """Return the measures that texts describe: each a name and ``key=value`` settings.

    The names are those of `bigrock.measures.MEASURES`, the keys are the fields of these measures.

    Parameters
    ----------
    texts : iterable of str
        Such as ``["porosity", "lacunarity sizes=3,5,9"]``.

    Returns
    -------
    list of Measure
        For `bigrock.measure`.

    Raises
    ------
    ParameterError
        If a measure or key is not known, a value is not allowed, or two texts contradict each other.

    Examples
    --------
    >>> parse_measures(["porosity"])
    [Porosity()]
    """
    found = []
    for text in texts:
        words = text.split()
        if not words:
            raise ParameterError(f"measure {text!r} is empty. Use some of: {', '.join(MEASURES)}.")
        found.append(built(words, "measure", MEASURES))
    return chosen(found)


def measure_vocabulary() -> dict[str, dict[str, str]]:
    """Return every measure that `parse_measures` knows, and what each of its settings may be.

    Examples
    --------
    >>> measure_vocabulary()["porosity"]
    {}
    """
    return vocabulary(MEASURES)
