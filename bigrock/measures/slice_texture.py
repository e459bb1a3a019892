"""Texture of every slice: fractal dimensions and lacunarity, by which slices are chosen for labelling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.kernels.box_counting import BoxCounting
from bigrock.kernels.gliding_box import GlidingBoxes
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.measures.fractal import inside_field, known
from bigrock.measures.lacunarity import gliding_sizes
from bigrock.measures.profiles import AxisCounts
from bigrock.volumes.source import Facts

if TYPE_CHECKING:
    import pyarrow

__all__ = ["SliceTexture"]

Column = npt.NDArray[Any]


@dataclass(frozen=True)
class SliceTexture(Measure):
    """Texture of every slice across an axis: fraction of the phase, fractal dimensions, lacunarity.

    The table ``slices`` has a row for every slice, and the columns slice, position (m, or voxels where no voxel size is
    known), fraction, dimension_phase, r2_phase, dimension_interface, r2_interface and lacunarity_r
    for every size r; ``mean`` and ``std`` sum each of them up. All slices come from the one read;
    each is exactly what `bigrock.kernels.box_count` and `bigrock.kernels.lacunarity` give for it as
    an image (D in (1, 2)). What a slice does not have, such as a dimension where there is no phase,
    is null.

    Parameters
    ----------
    axis : {"z", "y", "x"}
        What the slices are across.
    sizes : tuple of int, optional
        Edges of the gliding boxes in voxels; by default 2, 4, 8 and 16 as far as four fit.
    box_sizes : tuple of int, optional
        Edges of the counted boxes; by default the powers of two up to the shorter side of a slice.
    fit : (int, int), optional
        Smallest and largest box of the fit; by default up to a quarter of that side.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    References
    ----------
    .. [1] Russell, Hanson, Ott (1980), Dimension of strange attractors, Phys. Rev. Lett. 45, 1175.
    .. [2] Plotnick, Gardner, Hargrove, Prestegaard, Perlmutter (1996), Lacunarity analysis: a
       general technique for the analysis of spatial patterns, Phys. Rev. E 53, 5461.

    Examples
    --------
    >>> import bigrock
    >>> result = bigrock.measure(np.ones((2, 16, 16), bool), SliceTexture(sizes=(2,)))["slices"]
    >>> result["slices"]["dimension_phase"].to_pylist(), result["mean"]["lacunarity_2"]
    ([2.0, 2.0], 1.0)
    """

    name: ClassVar[str] = "slices"
    units: ClassVar[Mapping[str, str]] = {"fraction": "fraction"}

    axis: Literal["z", "y", "x"] = "z"
    sizes: tuple[int, ...] | None = None
    box_sizes: tuple[int, ...] | None = None
    fit: tuple[int, int] | None = None
    field: FieldOfView | None = None

    def __post_init__(self) -> None:
        if self.axis not in ("z", "y", "x"):
            raise ParameterError(f"axis={self.axis!r} is not known. Use 'z', 'y' or 'x'.")

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return counts of voxels, of boxes, and masses of gliding boxes, slice by slice."""
        sizes = gliding_sizes(self.sizes, self._slice_shape(facts.shape))
        counting = BoxCounting(self.box_sizes, self._axis)
        return AxisCounts(), counting, GlidingBoxes(sizes, self._axis, self.field)

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the box counts of the rest, from which the interface inside a field of view follows."""
        return () if self.field is None else (BoxCounting(self.box_sizes, self._axis),)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of what lies inside a field of view."""
        return replace(self, field=field)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the table, and its summary."""
        import pyarrow

        columns = {**self._places(facts), **self._textures(found, facts)}
        measured = {name: values for name, values in columns.items() if name not in _PLACES}
        table: pyarrow.Table = pyarrow.table(
            {name: pyarrow.array(values, from_pandas=True) for name, values in columns.items()}
        )
        summaries = {"mean": np.mean, "std": np.std}
        return {
            "axis": self.axis,
            "slices": table,
            **{
                name: {column: _over_known(summary, values) for column, values in measured.items()}
                for name, summary in summaries.items()
            },
        }

    @property
    def _axis(self) -> int:
        return "zyx".index(self.axis)

    def _slice_shape(self, shape: Shape) -> Shape:
        z, y, x = (1 if i == self._axis else n for i, n in enumerate(shape))
        return z, y, x

    def _places(self, facts: Facts) -> dict[str, Column]:
        index = np.arange(facts.shape[self._axis])
        if facts.voxel_size is None:
            return {"slice": index, "position_voxels": index + 0.5}
        return {"slice": index, "position_m": (index + 0.5) * facts.voxel_size[self._axis]}

    def _textures(self, found: Found, facts: Facts) -> dict[str, Column]:
        """Return what is measured of every slice; NaN where it has none."""
        phase, _, masses = found.results
        counts, tally = phase[self._axis], inside_field(found, 1)
        whole = np.full(len(counts), math.prod(self._slice_shape(facts.shape)))
        if found.whole is not None:
            whole = found.whole[0][self._axis]
        columns = {"fraction": np.divide(counts, whole, out=np.full(len(counts), np.nan), where=whole > 0)}
        for kind in ("phase", "interface"):
            fits = [tally.fitted(kind, fit=self.fit, index=i) for i in range(len(counts))]
            columns[f"dimension_{kind}"] = np.array([fit.dimension for fit in fits])
            columns[f"r2_{kind}"] = np.array([fit.r2 for fit in fits])
        curves = zip(masses.sizes, masses.lacunarity(), strict=True)
        return columns | {f"lacunarity_{size}": values for size, values in curves}


_PLACES = ("slice", "position_m", "position_voxels")


def _over_known(summary: Any, values: Column) -> float | None:
    there = values[~np.isnan(values)]
    return known(float(summary(there))) if len(there) else None
