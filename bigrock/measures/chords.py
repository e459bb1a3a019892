"""Chord lengths of the phase and of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.kernels.chords import ChordCounts, ChordLengths
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Chords"]


@dataclass(frozen=True)
class Chords(Measure):
    """Chord lengths along ``z``, ``y``, ``x``, of the ``pore`` phase and of the ``solid`` (all else).

    Each with ``mean`` (all length over half the number of ends, so without the bias of the
    border), ``mean_whole`` (of chords with both ends inside), and ``whole`` and ``cut``: numbers of
    chords of each ``length``; cut ones touch the border of the volume, or of the field of view.
    Exact.

    Parameters
    ----------
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    References
    ----------
    .. [1] Torquato S., Lu B., "Chord-length distribution function for two-phase random media",
       Phys. Rev. E 47, 1993.

    Examples
    --------
    >>> import bigrock
    >>> row = np.array([[[True, False, False, True, True, False, True]]])
    >>> bigrock.measure(row, "chords")["chords"]["solid"]["x"]["mean"]
    1.5
    """

    field: FieldOfView | None = None
    name: ClassVar[str] = "chords"
    units: ClassVar[Mapping[str, str]] = {"mean": "length", "mean_whole": "length", "length": "length"}

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of chords that are cut at the border of the field of view."""
        return replace(self, field=field)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the counts of chords by length."""
        return (ChordCounts(self.field),)

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the same of the other voxels."""
        return (ChordCounts(self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        return {
            phase: {axis: _described(chords[axis], side) for axis, side in zip("zyx", voxel, strict=True)}
            for phase, chords in (("pore", found.results[0]), ("solid", found.solid[0]))
        }


def _described(chords: ChordLengths, side: float) -> dict[str, Any]:
    mean, mean_whole = chords.mean, chords.mean_whole
    longest = np.flatnonzero(chords.whole + chords.cut)
    upto = slice(1, int(longest[-1]) + 1 if longest.size else 1)
    return {
        "mean": None if mean is None else mean * side,
        "mean_whole": None if mean_whole is None else mean_whole * side,
        "number_whole": int(chords.whole.sum()),
        "number_cut": int(chords.cut.sum()),
        "length": np.arange(chords.whole.size)[upto] * side,
        "whole": chords.whole[upto],
        "cut": chords.cut[upto],
    }
