"""The sections of a page beside slices and profiles: one for everything that was measured and has figures.

A section is a function that takes the `Measured` quantities of one measure and returns a `Section`, or None
where they hold nothing to draw. A new one is a function in a module of its own and its line in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bigrock.report.results import Measured, Results
from bigrock.report.section import Section
from bigrock.report.sections_connectivity import connectivity_section
from bigrock.report.sections_correlation import correlation_section
from bigrock.report.sections_other import curves_section
from bigrock.report.sections_pores import pores_section
from bigrock.report.sections_profiles import class_profiles_section
from bigrock.report.sections_rev import rev_section
from bigrock.report.sections_scaling import fractal_section, lacunarity_section
from bigrock.report.sections_sizes import chords_section, sizes_section
from bigrock.report.sections_texture import texture_section

__all__ = ["SECTIONS", "sections_of"]

SECTIONS: dict[str, Callable[[Measured], Section | None]] = {
    "profiles": class_profiles_section,
    "connectivity": connectivity_section,
    "sizes": sizes_section,
    "pores": pores_section,
    "chords": chords_section,
    "correlation": correlation_section,
    "rev": rev_section,
    "fractal": fractal_section,
    "differential_fractal": partial(
        fractal_section, heading="Fractal dimension of the grey levels", file="fractal-grey"
    ),
    "lacunarity": lacunarity_section,
    "grey_lacunarity": partial(
        lacunarity_section, heading="Lacunarity of the grey levels", file="lacunarity-grey"
    ),
    "slices": texture_section,
}
"""Measure → what draws it, in the order of the page."""


_ELSEWHERE = ("histogram", "porosity")


def sections_of(results: Results) -> list[Section]:
    """Return the sections of everything that was measured and has figures: the known ones, then others.

    Examples
    --------
    >>> sections_of(Results())
    []
    """
    measured = results.measured
    made = [draw(measured[name]) for name, draw in SECTIONS.items() if name in measured]
    made += [curves_section(measured[n], n) for n in measured if n not in SECTIONS and n not in _ELSEWHERE]
    return [section for section in made if section is not None]
