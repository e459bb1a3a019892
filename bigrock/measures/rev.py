"""Representative elementary volume: from which size of box on the numbers no longer depend on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.kernels.box_sums import BoxGrid, BoxSums
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts, Voxel

__all__ = ["Rev"]

Values = dict[str, npt.NDArray[np.float64]]

_UNIT = 2.0**-20
_QUANTITIES = ("porosity", "chi", "surface", "curvature")


@dataclass(frozen=True)
class Rev(Measure):
    """The Minkowski functionals against box size, and ``rev_size``: the size that is enough.

    Boxes lie side by side from the origin on; only whole ones (inside the volume, and the field of
    view) count. For ``porosity``, ``chi``, ``surface`` and ``curvature`` (integral of the mean
    curvature), the last three per bulk volume:
    ``boxes``, ``mean``, ``std``, ``cv`` (std/|mean|), ``ci_low`` and ``ci_high`` (95 % confidence
    interval of the mean by Student's t, boxes taken as independent) for every ``size``, also in
    ``voxels``; of anisotropic voxels the side of the cube of equal volume. A box's χ,
    surface and curvature are the shares of the 2×2×2 cells whose low corner it owns, per volume of these cells:
    additive, and without walls between boxes. By Hadwiger's theorem every additive measure that
    does not depend on position and orientation is a sum of these four. All from one pass with one sum per smallest box;
    exact over blocks.

    ``rev_size`` is the smallest size from which on, for all sizes with at least `min_boxes` boxes,
    the coefficient of variation is at most `cv` and the mean within `drift` of that of the
    smallest boxes; None where there is none, and ``reason`` says why.

    Parameters
    ----------
    smallest : int, optional
        Side of the smallest boxes, in voxels; larger ones are 2, 3, 4, 6, 8, 12… times as long. By default
        the power of two, at least 8, of which 64 cover the longest axis.
    cv, drift : float
        The criterion.
    min_boxes : int
        With fewer boxes a coefficient of variation says nothing.
    connectivity : {26, 6}
        Of the Euler number.
    quantities : tuple of {"porosity", "chi", "surface", "curvature"}
        What is described; porosity alone takes a tenth of the time.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Raises
    ------
    ParameterError
        If a parameter is not positive, or a quantity not known.

    References
    ----------
    .. [1] Bear J., "Dynamics of Fluids in Porous Media", Elsevier, 1972.
    .. [2] Vogel H.-J., Weller U., Schlüter S., "Quantification of soil structure based on Minkowski
       functions", Comput. Geosci. 36, 2010.

    Examples
    --------
    >>> import bigrock
    >>> checks = np.indices((64, 64, 64)).sum(0) % 2 == 0
    >>> bigrock.measure(checks, "rev")["rev"]["porosity"]["rev_size"]
    8.0
    """

    smallest: int | None = None
    cv: float = 0.05
    drift: float = 0.02
    min_boxes: int = 8
    connectivity: int = 26
    quantities: tuple[str, ...] = _QUANTITIES
    field: FieldOfView | None = None
    name: ClassVar[str] = "rev"
    units: ClassVar[Mapping[str, str]] = {
        "size": "length",
        "rev_size": "length",
        **{f"porosity.{name}": "fraction" for name in ("mean", "std", "ci_low", "ci_high")},
        **{f"chi.{name}": "per volume" for name in ("mean", "std", "ci_low", "ci_high")},
        **{f"surface.{name}": "per length" for name in ("mean", "std", "ci_low", "ci_high")},
        **{f"curvature.{name}": "per area" for name in ("mean", "std", "ci_low", "ci_high")},
    }

    def __post_init__(self) -> None:
        if (
            min(self.cv, self.drift) <= 0
            or self.min_boxes < 2
            or (self.smallest is not None and self.smallest < 1)
        ):
            raise ParameterError(
                f"{self} has no meaning: cv and drift must be positive, min_boxes at least 2 and smallest at least 1."
            )
        unknown = [name for name in self.quantities if name not in _QUANTITIES]
        if unknown or not self.quantities:
            raise ParameterError(
                f"quantities {self.quantities!r} cannot be described: nothing is known of {unknown}. "
                f"Name some of {', '.join(_QUANTITIES)}."
            )

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of the boxes and cells that lie in the field of view."""
        return replace(self, field=field)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the sums over the smallest boxes."""
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        z, y, x = (side / min(voxel) for side in voxel)
        size = self.smallest or max(8, 2 ** math.ceil(math.log2(max(facts.shape) / 64)))
        only = set(self.quantities) == {"porosity"}
        return (BoxSums(size, self.connectivity, (z, y, x), self.field, volume_only=only),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        grid: BoxGrid = found.results[0]
        whole: BoxGrid | None = None if found.whole is None else found.whole[0]
        multiples = _multiples(grid.shape, grid.size)
        values = [_values(grid, whole, m, facts.voxel_size or (1.0, 1.0, 1.0)) for m in multiples]
        kept = [(m, v) for m, v in zip(multiples, values, strict=True) if v["porosity"].size]
        voxels = np.array([m * grid.size for m, _ in kept], np.int64)
        sides = voxels * math.prod(facts.voxel_size or (1.0,)) ** (1 / 3)
        described: dict[str, Any] = {"voxels": voxels, "size": sides}
        for name in self.quantities:
            table = _statistics([v[name] for _, v in kept])
            place, reason = self._smallest_enough(table)
            rev = None if place is None else float(sides[place])
            described[name] = {"rev_size": rev, "reason": reason, **table}
        criterion = f"cv <= {self.cv:g}, mean within {self.drift:g}, at least {self.min_boxes} boxes"
        return {**described, "criterion": criterion}

    def _smallest_enough(self, table: Values) -> tuple[int | None, str]:
        """Return the place of the smallest size that meets the criterion with all larger ones, and why."""
        enough = np.flatnonzero(table["boxes"] >= self.min_boxes)
        if not enough.size:
            return (
                None,
                f"no size has {self.min_boxes} boxes: the volume is too small, or the boxes too large",
            )
        reference = abs(table["mean"][0])
        with np.errstate(invalid="ignore"):
            steady = table["cv"][enough] <= self.cv
            near = np.abs(table["mean"][enough] - table["mean"][0]) <= self.drift * reference
        meets = steady & near
        if not meets[-1]:
            what = "varies" if not steady[-1] else "has a mean that drifts"
            last = table["cv"][enough[-1]]
            return None, f"the largest size with {self.min_boxes} boxes still {what} (cv {last:.3g})"
        misses = np.flatnonzero(~meets)
        first = int(misses[-1]) + 1 if misses.size else 0
        return int(enough[first]), "the criterion holds from this size on"


def _multiples(shape: Shape, size: int) -> list[int]:
    """Return 1, 2, 3, 4, 6, 8, 12… up to the largest box that fits."""
    most = min(shape) // size
    steps = sorted({2**i for i in range(most.bit_length())} | {3 * 2**i for i in range(most.bit_length())})
    return [m for m in steps if m <= most]


def _values(grid: BoxGrid, whole: BoxGrid | None, multiple: int, voxel: Voxel) -> Values:
    """Return porosity, and χ, surface and curvature per volume, of every box that counts."""
    sums, side = grid.over(multiple), multiple * grid.size
    counted = sums[..., 4] > 0
    if whole is not None:
        counted &= whole.over(multiple)[..., 0] == side**3
    voxels, euler, area, bend, cells = np.moveaxis(sums[counted].astype(np.float64), -1, 0)
    volume = cells * math.prod(voxel)
    surface, curvature = area * _UNIT * min(voxel) ** 2, bend * _UNIT * min(voxel)
    per_volume = {"chi": euler / 8, "surface": surface, "curvature": curvature}
    return {"porosity": voxels / side**3, **{name: total / volume for name, total in per_volume.items()}}


def _statistics(samples: list[npt.NDArray[np.float64]]) -> Values:
    """Return number, mean, standard deviation, cv and confidence interval by size; NaN of one box."""
    from scipy.special import stdtrit

    boxes = np.array([s.size for s in samples], np.int64)
    mean = np.array([s.mean() for s in samples])
    std = np.array([s.std(ddof=1) if s.size > 1 else np.nan for s in samples])
    with np.errstate(invalid="ignore", divide="ignore"):
        cv = std / np.abs(mean)
        half = stdtrit(boxes - 1.0, 0.975) * std / np.sqrt(boxes)
    return {
        "boxes": boxes,
        "mean": mean,
        "std": std,
        "cv": cv,
        "ci_low": mean - half,
        "ci_high": mean + half,
    }
