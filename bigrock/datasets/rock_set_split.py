"""Train, validation and test parts of a set of rocks: groups stay whole, families are spread evenly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["RockSplit", "refuse_odd_k", "split_rocks"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RockSplit:
    """Indices of rocks, ascending; no group has rocks in two of them."""

    train: Indices
    validation: Indices
    test: Indices


def split_rocks(
    usable: npt.NDArray[np.bool_],
    families: npt.NDArray[np.str_],
    groups: npt.NDArray[np.int64],
    *,
    shares: tuple[float, float, float],
    by: str = "group",
    seed: int = 0,
    held_out_families: Sequence[str] = (),
) -> RockSplit:
    """Return train, validation and test parts of the usable rocks.

    Groups are taken family by family, in random order within each, and each goes to the part that
    is then furthest below its share. So families are spread as evenly as whole groups allow.

    Parameters
    ----------
    usable : bool array (n,)
        Rocks that are in any part.
    families : str array (n,)
        Texture of each rock.
    groups : int array (n,)
        Parent of each rock.
    shares : three floats
        Of the rocks in train, validation and test; their sum is 1.
    by : {"group", "family"}
        What is never cut; ``"family"`` keeps whole families apart, with all groups in them.
    seed : int
        Another seed, another order.
    held_out_families : sequence of str
        All rocks of these families (and of groups that have rocks in them) are the test part. The
        others are train and validation, in proportion to their shares.

    Raises
    ------
    ParameterError
        If a family is not in the set, the shares are not three that sum to 1, or a part that has a
        share would be empty.

    Examples
    --------
    >>> groups = np.repeat(np.arange(10), 2)
    >>> parts = split_rocks(np.ones(20, bool), np.repeat("blobs", 20), groups, shares=(0.6, 0.2, 0.2))
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (12, 4, 4)
    """
    _check(families, shares, by, held_out_families)
    units = _units(families, groups, by)
    part = np.full(len(usable), -1)
    wanted = np.array(shares, float)
    held = np.isin(units, units[np.isin(families, held_out_families)])
    if len(held_out_families):
        part[held] = 2
        wanted[2] = 0
    _spread(part, units, families, usable & ~held, wanted / max(wanted.sum(), 1e-12), seed)
    part[~usable] = -1
    found = [np.flatnonzero(part == i) for i in range(3)]
    for name, share, indices in zip(("train", "validation", "test"), shares, found, strict=True):
        if share > 0 and not indices.size:
            raise ParameterError(
                f"the {name} part has a share of {share:g} and would be empty: {int(usable.sum())} usable rocks "
                f"in {len(np.unique(units[usable]))} parts that may not be cut are too few. Make more rocks, "
                f"or give that part no share."
            )
    return RockSplit(*found)


def refuse_odd_k(k: npt.NDArray[np.float64]) -> None:
    """Refuse permeabilities that no rock has.

    Parameters
    ----------
    k : ndarray of float (n,) or (n, 3)
        NaN is not labelled, 0 does not percolate.

    Raises
    ------
    ParameterError
        If one is negative or infinite; says which.

    Examples
    --------
    >>> refuse_odd_k(np.array([1.0, np.nan, 0.0]))
    """
    odd = np.argwhere((k < 0) | np.isinf(k))
    if len(odd):
        first = tuple(int(i) for i in odd[0])
        axis = f" along {'zyx'[first[1]]}" if len(first) > 1 else ""
        raise ParameterError(
            f"the permeability of rock {first[0]}{axis} is {k[first]:g}, and {len(odd)} in all are negative or "
            "infinite, which no rock is. Give k in voxels squared; NaN where it is not known, 0 where the rock does "
            "not percolate."
        )


def _check(
    families: npt.NDArray[np.str_],
    shares: tuple[float, float, float],
    by: str,
    held_out_families: Sequence[str],
) -> None:
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ParameterError(f"shares {shares} of train, validation and test do not sum to 1.")
    if by not in ("group", "family"):
        raise ParameterError(f"by {by!r} is not 'group' or 'family'.")
    if isinstance(held_out_families, str):
        raise ParameterError(f"held_out_families {held_out_families!r} is a text. Give a list of names.")
    unknown = sorted(set(held_out_families) - set(families.tolist()))
    if unknown:
        raise ParameterError(
            f"held_out_families {unknown} are not in this set. It has {sorted(set(families.tolist()))}."
        )


def _units(families: npt.NDArray[np.str_], groups: npt.NDArray[np.int64], by: str) -> Indices:
    """Return for each rock the number of what may not be cut: its group, or all that its family joins."""
    _, units = np.unique(groups, return_inverse=True)
    if by == "group":
        return units
    _, family = np.unique(families, return_inverse=True)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = int(units.max()) + int(family.max()) + 2
    joins = coo_array((np.ones(len(units)), (units, units.max() + 1 + family)), shape=(size, size))
    return np.asarray(connected_components(joins, directed=False)[1], np.int64)[units]


def _spread(
    part: Indices,
    units: Indices,
    families: npt.NDArray[np.str_],
    usable: npt.NDArray[np.bool_],
    wanted: npt.NDArray[np.float64],
    seed: int,
) -> None:
    """Give each unit, family by family, to the part that is furthest below its share."""
    names, first, counts = np.unique(units[usable], return_index=True, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(families[usable][first][shuffled], kind="stable")]
    given = np.zeros(3)
    for i in order:
        short = wanted * (given.sum() + counts[i]) - given
        chosen = int(np.argmax(np.where(wanted > 0, short, -np.inf)))
        given[chosen] += counts[i]
        part[units == names[i]] = chosen
