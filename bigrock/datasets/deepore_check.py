"""Which DeePore outputs can be trusted: impossible values, and the filter of the authors.

The authors drop a sample if any output is NaN or infinite, or if formation factor > 120, tortuosity
> 1.8, k < 1e-4 px², cementation factor < 1e-5, or relative Young modulus > 0.7 (limits of version 2; their
code for version 1 had tortuosity > 1.7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.datasets.deepore_columns import DEEPORE_PROPERTIES, Property
from bigrock.errors import ParameterError

__all__ = ["ColumnCheck", "DeePoreCheck", "check_outputs", "official_filter"]


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """What is wrong with one property: how many samples, and the finite values that were met."""

    not_finite: int
    impossible: int
    lowest: float
    highest: float
    allowed: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class DeePoreCheck:
    """What `DeePore.check` found.

    Attributes
    ----------
    wrong : dict of str to ColumnCheck
        Properties with samples that are not finite or cannot be; empty if all is well.
    possible : bool array (n, 30)
        Samples by properties, in the order of `DEEPORE_PROPERTIES`: finite and within the possible range.
    """

    wrong: dict[str, ColumnCheck]
    possible: npt.NDArray[np.bool_]

    def good(self, *names: str) -> npt.NDArray[np.bool_]:
        """Return samples whose named properties are all possible: bool (n,); all 30 by default.

        Raises
        ------
        ParameterError
            If a name is not known.
        """
        known = [p.name for p in DEEPORE_PROPERTIES]
        for name in names:
            if name not in known:
                raise ParameterError(f"property {name!r} is not known. DeePore has {', '.join(known)}.")
        columns = [known.index(name) for name in names or known]
        return np.asarray(self.possible[:, columns].all(1))

    def to_dict(self) -> dict[str, Any]:
        """Return counts and ranges as JSON."""
        return {
            name: {
                "not_finite": c.not_finite,
                "impossible": c.impossible,
                "lowest": c.lowest if np.isfinite(c.lowest) else None,
                "highest": c.highest if np.isfinite(c.highest) else None,
                "allowed": [c.allowed[0], c.allowed[1] if np.isfinite(c.allowed[1]) else None],
            }
            for name, c in self.wrong.items()
        }

    def __str__(self) -> str:
        lines = [
            f"{name}: {c.not_finite} not finite, {c.impossible} outside {c.allowed[0]:g} … {c.allowed[1]:g} "
            f"(found {c.lowest:g} … {c.highest:g})"
            for name, c in self.wrong.items()
        ]
        return "\n".join(lines) or f"all outputs of {len(self.possible)} samples are possible"


def check_outputs(parts: Iterable[npt.NDArray[np.float64]]) -> DeePoreCheck:
    """Return what is wrong with the outputs of a file.

    Parameters
    ----------
    parts : iterable of float64 arrays (m, 1515)
        All samples, some at a time.

    Examples
    --------
    >>> outputs = np.full((2, 1515), 0.9)
    >>> outputs[:, [1, 4]] = 5, 1.2
    >>> outputs[1, 11], outputs[0, 200] = 8.9, np.nan
    >>> print(check_outputs([outputs]))
    pore_sphericity: 0 not finite, 1 outside 0 … 1.01 (found 0.9 … 8.9)
    wetting_relative_permeability: 1 not finite, 0 outside 0 … 1 (found 0.9 … 0.9)
    """
    seen = [[_facts(rows, item) for item in DEEPORE_PROPERTIES] for rows in parts]
    wrong, possible = {}, []
    for i, item in enumerate(DEEPORE_PROPERTIES):
        finite = np.concatenate([part[i][0] for part in seen])
        inside = np.concatenate([part[i][1] for part in seen])
        possible.append(finite & inside)
        if not possible[-1].all():
            ends = np.array([part[i][2] for part in seen])
            wrong[item.name] = ColumnCheck(
                int((~finite).sum()),
                int((~inside).sum()),
                float(ends[:, 0].min()),
                float(ends[:, 1].max()),
                (item.low, item.high),
            )
    return DeePoreCheck(wrong, np.stack(possible, 1))


def _facts(rows: npt.NDArray[np.float64], item: Property) -> tuple[Any, Any, tuple[float, float]]:
    """Return which samples are finite, which have no finite value that is impossible, and the ends."""
    values = rows[:, item.first : item.first + item.size]
    finite = np.isfinite(values)
    margin = 1e-6
    inside = ~finite | ((values >= item.low - margin) & (values <= item.high + margin))
    known = values[finite]
    ends = (float(known.min()), float(known.max())) if known.size else (np.inf, -np.inf)
    return finite.all(1), inside.all(1), ends


def official_filter(outputs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which samples the authors keep.

    Parameters
    ----------
    outputs : float64 array (m, 1515)
        As they are stored.

    Returns
    -------
    bool array (m,)

    Examples
    --------
    >>> outputs = np.full((3, 1515), 0.5)
    >>> outputs[1, 0], outputs[2, 700] = 5e-5, np.inf
    >>> official_filter(outputs).tolist()
    [True, False, False]
    """
    k, formation, cementation, tortuosity, young = outputs[:, [0, 1, 2, 4, 14]].T
    with np.errstate(invalid="ignore"):
        dropped = (formation > 120) | (tortuosity > 1.8) | (k < 1e-4) | (cementation < 1e-5) | (young > 0.7)
    return np.asarray(np.isfinite(outputs).all(1) & ~dropped)
