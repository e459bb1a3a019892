"""Do the chosen slices show what the stack holds: pore fraction, fractal dimension and lacunarity of every slice."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.volumes import Source, source_of
from bigrock.workflows.shale.selection import SliceChoice

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Diversity", "diverse_slices", "diversity", "slice_texture"]

Floats = npt.NDArray[np.float64]

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Diversity:
    """Whether slices span the diversity of their stack.

    Attributes
    ----------
    coverage : dict of str to float
        For each feature, the part of the stack's range (5 % to 95 %) that lies between the least and the greatest
        of the slices, 0 to 1.
    quantiles : dict of str to list of float
        For each feature, which share of the stack's slices lies at or below each slice.
    mean_distance, largest_distance : float
        From the slices of the stack to the nearest chosen one, in standard deviations of the features.
    farthest : int
        The slice that is least like any of them.
    """

    coverage: dict[str, float]
    quantiles: dict[str, list[float]]
    mean_distance: float
    largest_distance: float
    farthest: int

    @property
    def spans(self) -> bool:
        """Whether at least 70 % of the range of every feature is covered."""
        return min(self.coverage.values(), default=1.0) >= 0.7

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"spans": self.spans}


def slice_texture(
    volume: Source | str | os.PathLike[str],
    *,
    radius: int = 31,
    min_contrast: float = 0.5,
    min_pore_fraction: float = 0.05,
    **options: Any,
) -> pyarrow.Table:
    """Return pore fraction, fractal dimensions and lacunarity of every slice of a grey stack.

    Of the pores that guarded local Otsu finds, out of core, without storing them: `bigrock.measures.SliceTexture`
    through `bigrock.workflows.segment_kernel.segmentation_kernel`. Two or three reads.

    Parameters
    ----------
    volume : Source or path
        Grey levels.
    radius, min_contrast, min_pore_fraction
        As for `bigrock.kernels.LocalOtsu`.
    **options
        As for `bigrock.reduce`.

    Returns
    -------
    pyarrow.Table
        A row for every slice; see `SliceTexture`.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> slice_texture(Shale((4, 64, 64), level="easy"), radius=15, progress=False).num_rows
    4
    """
    from bigrock.measures import measure
    from bigrock.workflows.segment_kernel import segmentation_kernel
    from bigrock.workflows.settings import LocalOtsuSettings, SegmentSettings

    source = source_of(volume)
    otsu = LocalOtsuSettings(radius=radius, min_contrast=min_contrast, min_pore_fraction=min_pore_fraction)
    kernel = segmentation_kernel(SegmentSettings(local_otsu=otsu), source, **options)
    found: pyarrow.Table = measure(source, "slices", through=kernel, **options)["slices"]["slices"]
    return found


def diversity(table: pyarrow.Table, choice: SliceChoice | Iterable[int]) -> Diversity:
    """Return whether the training slices (or the slices given) span the diversity of the stack.

    Features are the pore fraction, the fractal dimension of the pores and their lacunarity at the middle box size;
    features that are the same in all slices take no part.

    Parameters
    ----------
    table : pyarrow.Table
        From `slice_texture`, or the table of the measure "slices".
    choice : SliceChoice or iterable of int
        What is judged.

    Returns
    -------
    Diversity

    Raises
    ------
    ParameterError
        If the table has no texture, or lacks a slice that is named.

    Examples
    --------
    >>> import pyarrow
    >>> values = [0.1, 0.2, 0.4]
    >>> table = pyarrow.table({"fraction": values, "dimension_phase": values, "lacunarity_2": values})
    >>> diversity(table, [0, 2]).spans, diversity(table, [0]).farthest
    (True, 2)
    """
    names, features = _features(table)
    slices = list(choice.train if isinstance(choice, SliceChoice) else choice)
    if not slices or not all(0 <= z < len(features) for z in slices):
        raise ParameterError(f"slices {slices} are not some of the {len(features)} slices of the table.")
    distances = _nearest(features, slices)
    low, high = np.quantile(features, (0.05, 0.95), axis=0)
    chosen = features[slices]
    seen = np.minimum(chosen.max(axis=0), high) - np.maximum(chosen.min(axis=0), low)
    coverage = np.clip(np.divide(seen, high - low, out=np.ones_like(seen), where=high > low), 0, 1)
    shares = (features[None] <= chosen[:, None]).mean(axis=1)
    return Diversity(
        {name: float(c) for name, c in zip(names, coverage, strict=True)},
        {name: [float(q) for q in column] for name, column in zip(names, shares.T, strict=True)},
        float(distances.mean()),
        float(distances.max()),
        int(distances.argmax()),
    )


def diverse_slices(table: pyarrow.Table, n: int) -> tuple[int, ...]:
    """Return n slices that stand for the diversity of the stack, ascending; always the same for the same table.

    Begins with the slice nearest to the median, then always the slice farthest from those chosen; then each slice gives
    way to the one with the least distance to all slices nearest to it (k-medoids), until nothing changes.

    Parameters
    ----------
    table : pyarrow.Table
        From `slice_texture`.
    n : int
        How many.

    Returns
    -------
    tuple of int

    Raises
    ------
    ParameterError
        If the stack has fewer slices, or no texture.

    References
    ----------
    T. F. Gonzalez, Clustering to minimize the maximum intercluster distance, Theoretical Computer Science 38 (1985).
    H.-S. Park, C.-H. Jun, A simple and fast algorithm for K-medoids clustering, Expert Systems with Applications 36
    (2009).

    Examples
    --------
    >>> import pyarrow
    >>> values = [0.1, 0.1, 0.1, 0.1, 0.5, 0.9, 0.9]
    >>> diverse_slices(pyarrow.table({"fraction": values, "dimension_phase": values, "lacunarity_2": values}), 3)
    (0, 4, 5)
    """
    _, features = _features(table)
    if not 1 <= n <= len(features):
        raise ParameterError(f"n={n} slices cannot be chosen of {len(features)}. Use 1 to {len(features)}.")
    chosen = [int(np.square(features - np.median(features, axis=0)).sum(axis=1).argmin())]
    while len(chosen) < n:
        distances = _nearest(features, chosen)
        distances[chosen] = -1
        chosen.append(int(distances.argmax()))
    for _ in range(_ROUNDS):
        better = _medoids(features, chosen)
        if better == chosen:
            break
        chosen = better
    return tuple(sorted(chosen))


def _medoids(features: Floats, chosen: list[int]) -> list[int]:
    """Return the middle of the slices nearest to each chosen one."""
    distances = np.linalg.norm(features[:, None] - features[chosen][None], axis=2)
    owner = distances.argmin(axis=1)
    owner[chosen] = np.arange(len(chosen))
    middles = []
    for k in range(len(chosen)):
        members = np.flatnonzero(owner == k)
        sums = [np.linalg.norm(features[members] - features[z], axis=1).sum() for z in members]
        middles.append(int(members[int(np.argmin(sums))]))
    return middles


def _nearest(features: Floats, chosen: Iterable[int]) -> Floats:
    """Return the distance of every slice to the nearest chosen one."""
    found: Floats = np.min([np.linalg.norm(features - features[z], axis=1) for z in chosen], axis=0)
    return found


def _features(table: pyarrow.Table) -> tuple[list[str], Floats]:
    """Return names and values of the features, to mean 0 and deviation 1; what a slice lacks is the mean."""
    sizes = sorted(int(n.rpartition("_")[2]) for n in table.column_names if n.startswith("lacunarity_"))
    if not sizes or not {"fraction", "dimension_phase"} <= set(table.column_names):
        raise ParameterError(
            f"the table has columns {table.column_names} and no texture of slices. Give the table of slice_texture."
        )
    names, columns = [], []
    for name in ("fraction", "dimension_phase", f"lacunarity_{sizes[len(sizes) // 2]}"):
        values = np.array([np.nan if v is None else v for v in table[name].to_pylist()], np.float64)
        there = np.isfinite(values)
        if there.any() and np.std(values[there]) > 0:
            scaled = (values - values[there].mean()) / values[there].std()
            names.append(name)
            columns.append(np.where(there, scaled, 0.0))
    return names, np.stack(columns, axis=1) if columns else np.zeros((table.num_rows, 0))
