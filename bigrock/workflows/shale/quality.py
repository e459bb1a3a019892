"""Is a stack of slices good enough: brightness, contrast, lost and doubled slices, shifts, curtains."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.kernels.slice_series import SliceStatistics
from bigrock.kernels.standardize import Moments
from bigrock.volumes import Source, Voxel, facts_of, source_of
from bigrock.workflows.shale.findings import Findings, find, in_words, sudden_steps
from bigrock.workflows.shale.shifts import Neighbours, neighbours

if TYPE_CHECKING:
    import pyarrow

__all__ = ["StackQuality", "stack_quality"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StackQuality:
    """The state of a stack, from `stack_quality`.

    Attributes
    ----------
    table : pyarrow.Table
        A row for every slice: slice, position_m (null where no voxel size is known), mean, std, curtains (grey
        levels); to the next slice correlation_next (of all voxels), likeness_next (shifts taken out), step_y and
        step_x (pixels); and true or false: blank, jump, doubled, lost, odd, shifted, curtained. Those of a pair stand
        at its first slice. Null is what a slice does not have.
    warnings : tuple of str
        What is wrong, in words, with the slice numbers.
    summary : dict
        brightness_drift (span of the slices' means, 5 % to 95 %, in median deviations), contrast_ratio (largest to
        smallest deviation), correlation (median), curtains (median, in median deviations), moved_y and moved_x
        (pixels, over the stack).
    shape : tuple of int
        Of the stack.
    voxel_size : tuple of float or None
        Metres z, y, x.
    steps : ndarray of float64, shape (z - 1, 2)
        How far the picture moves along y and x to the next slice, in pixels; NaN beside a blank slice.
    """

    table: pyarrow.Table
    warnings: tuple[str, ...]
    summary: dict[str, float | None]
    shape: Shape
    voxel_size: Voxel | None
    steps: Floats

    def correction(self, which: Literal["sudden", "all"] = "sudden") -> npt.NDArray[np.int64]:
        """Return by how many pixels along y and x every slice lies off; what `align_stack` takes, (z, 2).

        Parameters
        ----------
        which : {"sudden", "all"}
            "sudden": only steps that stand out by a pixel, so that rock that lies at a slant is left as it
            is. "all": every step, which sets such rock upright.

        Returns
        -------
        ndarray of int64
            The first slice lies at 0.
        """
        if which not in ("sudden", "all"):
            raise ParameterError(f"which={which!r} is not known. Use 'sudden' or 'all'.")
        steps = sudden_steps(self.steps) if which == "sudden" else np.nan_to_num(self.steps)
        return np.rint(np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])).astype(np.int64)

    def curves(self) -> dict[str, tuple[Floats, str]]:
        """Return what is worth a plot over the slices: name → values (NaN where there is none), and unit."""
        units = {"mean": "grey levels", "std": "grey levels", "curtains": "grey levels"}
        units |= {"correlation_next": "", "likeness_next": "", "step_y": "pixels", "step_x": "pixels"}
        return {
            name: (self.table[name].to_numpy(zero_copy_only=False).astype(np.float64), unit)
            for name, unit in units.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "shape": list(self.shape),
            "voxel_size_m": None if self.voxel_size is None else list(self.voxel_size),
            "warnings": list(self.warnings),
            "summary": self.summary,
            "slices": self.table.to_pydict(),
        }


def stack_quality(volume: Source | str | os.PathLike[str], **options: Any) -> StackQuality:
    """Return what is good and bad about a stack of slices, from one read out of core.

    Means, deviations, correlations and equality are exact for grey values of up to 16 bits; wider ones are read
    twice, and correlations are those of 65536 levels between their least and greatest. Shifts are found in the
    middle of the slices (up to 512 × 512 pixels) to a tenth of a pixel. Takes column sums and these middles (up
    to 256 MiB in all for stacks of up to 16,000 slices) beside the blocks, and some 20 ms per slice beside the read.

    Parameters
    ----------
    volume : Source or path
        Grey levels; slices are across z.
    **options
        As for `bigrock.reduce`: executor, block, ram, progress. None changes the result.

    Returns
    -------
    StackQuality

    Raises
    ------
    PhaseError
        If the volume is a mask or labels.
    ParameterError
        If it has fewer than two slices.
    NonFiniteError
        If a voxel is NaN or infinite.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> quality = stack_quality(Shale((8, 48, 48), level="easy"), progress=False)
    >>> quality.table.num_rows, quality.summary["contrast_ratio"] < 2
    (8, True)
    """
    from bigrock.engine.kinds import check_kinds
    from bigrock.engine.reducing import reduce
    from bigrock.kernels import GreyHistogram, Standardize
    from bigrock.kernels.slice_series import SliceSeries
    from bigrock.kernels.standardize import SliceMoments

    source = source_of(volume)
    facts = facts_of(source)
    check_kinds(Standardize(), facts)
    if facts.shape[0] < 2:
        raise ParameterError("a stack of 1 slice has no neighbours to compare. Give two slices or more.")
    series = SliceSeries()
    if facts.dtype.kind == "f" or facts.dtype.itemsize > 2:
        [histogram] = reduce(source, [GreyHistogram()], title="grey range", **options)
        series = SliceSeries(float(histogram.min), float(histogram.max))
    moments, pairs = reduce(source, [SliceMoments(), series], title="stack quality", **options)
    like = neighbours(pairs.window)
    found = find(moments, pairs, like)
    summary = _summary(moments, pairs, like)
    return StackQuality(
        _table(moments, pairs, like, found, facts.voxel_size),
        tuple(_warnings(found, summary)),
        summary,
        facts.shape,
        facts.voxel_size,
        like.steps,
    )


def _table(
    moments: Moments, pairs: SliceStatistics, like: Neighbours, found: Findings, voxel_m: Voxel | None
) -> pyarrow.Table:
    import pyarrow

    index = np.arange(len(moments.mean))
    position = index + 0.5
    columns: dict[str, npt.NDArray[Any]] = {
        "slice": index,
        "position_m": position * (np.nan if voxel_m is None else voxel_m[0]),
        "mean": moments.mean,
        "std": moments.std,
        "curtains": pairs.curtains,
        "correlation_next": np.append(pairs.correlation, np.nan),
        "likeness_next": np.append(like.next, np.nan),
        "step_y": np.append(like.steps[:, 0], np.nan),
        "step_x": np.append(like.steps[:, 1], np.nan),
    }
    columns |= {name: getattr(found, name) for name in found.__slots__}
    return pyarrow.table({n: pyarrow.array(values, from_pandas=True) for n, values in columns.items()})


def _summary(moments: Moments, pairs: SliceStatistics, like: Neighbours) -> dict[str, float | None]:
    there = moments.std > 0
    contrast = float(np.median(moments.std[there])) if there.any() else 0.0
    low, high = np.quantile(moments.mean, (0.05, 0.95))
    stripes = pairs.curtains[there & np.isfinite(pairs.curtains)]
    known = pairs.correlation[np.isfinite(pairs.correlation)]
    moved_y, moved_x = (float(np.nansum(column)) for column in like.steps.T)
    return {
        "brightness_drift": float(high - low) / contrast if contrast else None,
        "contrast_ratio": float(moments.std[there].max() / moments.std[there].min()) if contrast else None,
        "correlation": float(np.median(known)) if len(known) else None,
        "curtains": float(np.median(stripes)) / contrast if contrast and len(stripes) else None,
        "moved_y": round(moved_y, 3),
        "moved_x": round(moved_x, 3),
    }


_SAID = {
    "blank": "slices of one grey value: {}. Leave them out of the stack, or image them again.",
    "doubled": "doubled slices, the same picture as the next one: {}. Leave out one of each pair, or the rock is "
    "too thick there.",
    "lost": "slices are missing after: {}. What is measured along z is too thin there.",
    "odd": "slices unlike both neighbours, which are like each other: {}. Damaged or out of focus; annotate others.",
    "jump": "brightness or contrast jumps after: {}. Standardise the slices.",
    "shifted": "the picture jumps sideways after: {}. Align the stack (align_stack, bigrock shale align).",
    "curtained": "curtains of over a tenth of the contrast: {}. RemoveStripes takes them out.",
}


def _warnings(found: Findings, summary: dict[str, float | None]) -> list[str]:
    told = [
        text.format(in_words(np.flatnonzero(getattr(found, name)).tolist()))
        for name, text in _SAID.items()
        if getattr(found, name).any()
    ]
    drift, ratio = summary["brightness_drift"], summary["contrast_ratio"]
    if drift is not None and drift > 0.5:
        told.append(f"the slices' brightness spans {drift:.2f} times their contrast. Standardise the slices.")
    if ratio is not None and ratio > 2:
        told.append(f"the contrast of slices differs by a factor of {ratio:.1f}. Standardise the slices.")
    moved = (summary["moved_y"] or 0.0, summary["moved_x"] or 0.0)
    if max(map(abs, moved)) > 5:
        told.append(
            f"from the first slice to the last the picture moves by {moved[0]:.1f} pixels along y and {moved[1]:.1f} "
            "along x: the stage drifts, or the rock lies at a slant."
        )
    return told
