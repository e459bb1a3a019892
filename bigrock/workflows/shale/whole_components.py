"""Classes of a stack put right by whole components: organic and inorganic pores parted, specks removed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import bigrock
from bigrock.engine.through import Through
from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Shape
from bigrock.kernels.component_shells import RelabelComponents, ShellCounts, ShellVoxels
from bigrock.measures import read_component_table
from bigrock.volumes import source_of
from bigrock.volumes.source import Source, facts_of
from bigrock.workflows.shale.numbered_components import AnyOf, FromOne, Numbers, numbered

if TYPE_CHECKING:
    from bigrock.volumes import Volume

__all__ = ["remove_specks", "split_organic_pores"]

Array = npt.NDArray[Any]
StackLike = Source | str | os.PathLike[str]


def split_organic_pores(
    labels: StackLike,
    dest: str | os.PathLike[str],
    *,
    pores: Sequence[str] = ("pore",),
    organic_matter: str = "organic matter",
    organic_pore: str = "organic pore",
    inorganic_pore: str = "inorganic pore",
    shell: int = 2,
    overwrite: bool = False,
    block: Shape | None = None,
    executor: Any = None,
    ram: str | float | None = None,
    progress: Any = None,
) -> Volume:
    """Return a label volume whose pores are organic where over half of their shell lies on organic matter.

    `bigrock.kernels.split_pores` for stacks of any size: a pore is a component (26 neighbours) of the
    whole stack, and its shell is counted over all blocks before it is judged. Exact, the same for any
    blocks. Three reads of the stack, and a label volume beside `dest` that is deleted at the end.

    Parameters
    ----------
    labels : Volume, Source or path
        A label volume with a class of organic matter.
    dest : str or path-like
        A new place for the result.
    pores : sequence of str
        The classes that are pores, of either kind.
    organic_matter : str
        The class around organic pores.
    organic_pore, inorganic_pore : str
        Classes of the result; those that the table lacks get new values, and classes of `pores`
        that are neither are dropped from it.
    shell : int
        Thickness of the shell in voxels, 1 to 3.
    overwrite, block, executor, ram, progress
        As for `bigrock.run`.

    Returns
    -------
    Volume

    Raises
    ------
    PhaseError
        If a class is not in the class table.
    ParameterError
        If `shell` is not 1, 2 or 3.

    References
    ----------
    .. [1] Loucks R.G. et al., "Morphology, genesis, and distribution of nanometer-scale pores in
       siliceous mudstones of the Mississippian Barnett Shale", J. Sediment. Res. 79, 2009.

    Examples
    --------
    >>> voxels = np.array([[[1, 2, 1, 0, 0, 2, 0]]], np.uint8)
    >>> classes = {"matrix": 0, "organic matter": 1, "pore": 2}
    >>> stack = bigrock.ArraySource(voxels, kind="labels", classes=classes)
    >>> out = split_organic_pores(stack, "memory://split-example.zarr", progress=False)
    >>> out[:].tolist(), out.classes
    ([[[1, 2, 1, 0, 0, 3, 0]]], {'matrix': 0, 'organic matter': 1, 'organic pore': 2, 'inorganic pore': 3})
    """
    source = _opened(labels, (*pores, organic_matter))
    if shell not in (1, 2, 3):
        raise ParameterError(f"shell={shell} is not allowed. Use 1, 2 or 3 voxels.")
    given = facts_of(source).classes
    values = tuple(given[name] for name in pores)
    classes = _parted(given, pores, (organic_pore, inorganic_pore))
    how = {"block": block, "executor": executor, "ram": ram, "progress": progress}
    with numbered(Through(source, AnyOf(values)), dest, how, overwrite) as components:
        [found] = bigrock.reduce(components, [ShellVoxels(source, shell)], **how)
        count = read_component_table(components).num_rows
        size, on = (np.zeros(count + 1, np.int64) for _ in range(2))
        inside = found.values == given[organic_matter]
        np.add.at(size, found.components, found.counts)
        np.add.at(on, found.components[inside], found.counts[inside])
        new = np.where(2 * on > size, classes[organic_pore], classes[inorganic_pore]).astype(np.int32)
        new[0] = -1
        kernel = RelabelComponents(Numbers(components, source), new, classes)
        return bigrock.run(kernel, source, dest, overwrite=overwrite, **how)


def remove_specks(
    labels: StackLike,
    dest: str | os.PathLike[str],
    *,
    min_voxels: int | Mapping[str, int],
    connectivity: int = 26,
    overwrite: bool = False,
    block: Shape | None = None,
    executor: Any = None,
    ram: str | float | None = None,
    progress: Any = None,
) -> Volume:
    """Return a label volume without specks: components of a class below a size become the class around them.

    A speck takes the class that most voxels of its shell (one voxel, 26 neighbours) have; of equal
    ones the first of the class table. Voxels of other specks have no vote until these have become
    something, so a speck inside of a speck becomes what is around both. A stack of nothing but
    specks stays as it is. Sizes and shells are those of the whole stack: exact, the same for any
    blocks. Three reads, and a label volume beside `dest` that is deleted at the end.

    Parameters
    ----------
    labels : Volume, Source or path
        A label volume.
    dest : str or path-like
        A new place for the result.
    min_voxels : int, or mapping of str to int
        Smallest component that stays; of all classes, or class by class (others keep all).
    connectivity : {6, 18, 26}
        Which voxels of a class touch.
    overwrite, block, executor, ram, progress
        As for `bigrock.run`.

    Returns
    -------
    Volume

    Raises
    ------
    PhaseError
        If a class is not in the class table.
    ParameterError
        If a size is less than 1, or the connectivity not known.

    Examples
    --------
    >>> voxels = np.array([[[0, 0, 2, 0, 1, 1, 1, 1]]], np.uint8)
    >>> classes = {"matrix": 0, "organic matter": 1, "pore": 2}
    >>> stack = bigrock.ArraySource(voxels, kind="labels", classes=classes)
    >>> remove_specks(stack, "memory://specks-example.zarr", min_voxels=2, progress=False)[:].tolist()
    [[[0, 0, 0, 1, 1, 1, 1, 1]]]
    """
    source = _opened(labels, tuple(min_voxels) if isinstance(min_voxels, Mapping) else ())
    classes = facts_of(source).classes
    sizes = dict(min_voxels) if isinstance(min_voxels, Mapping) else dict.fromkeys(classes, min_voxels)
    if not sizes or min(sizes.values()) < 1:
        raise ParameterError(f"min_voxels={min_voxels!r} is no size. Give numbers of voxels, 1 or more.")
    how = {"block": block, "executor": executor, "ram": ram, "progress": progress}
    with numbered(Through(source, FromOne()), dest, how, overwrite, connectivity) as components:
        table = read_component_table(components)
        values = np.concatenate([[-1], table["value"].to_numpy().astype(np.int64) - 1])
        voxels = np.concatenate([[0], table["voxels"].to_numpy().astype(np.int64)])
        least = np.ones(int(max(values.max(), *classes.values())) + 1, np.int64)
        for name, size in sizes.items():
            least[classes[name]] = size
        specks = voxels < least[values]
        specks[0] = False
        around = ShellVoxels(None, 1, len(values), specks)
        [found] = bigrock.reduce(components, [around], **how)
        new = _resolved(found, values, specks, list(classes.values()))
        kernel = RelabelComponents(
            Numbers(components, source), np.where(specks, new, -1).astype(np.int32), classes
        )
        return bigrock.run(kernel, source, dest, overwrite=overwrite, **how)


def _resolved(found: ShellCounts, values: Array, specks: Array, order: list[int]) -> Array:
    """Return what every component becomes; specks by the votes of what is known around them."""
    rank = np.full(int(values.max()) + 1, len(order), np.int64)
    rank[[v for v in order if v < len(rank)]] = [i for i, v in enumerate(order) if v < len(rank)]
    new, open_ = np.where(specks, -1, values), specks.copy()
    while open_.any():
        voting = open_[found.components] & (new[found.values] >= 0)
        if not voting.any():
            break
        base = len(rank)
        keys = found.components[voting] * base + new[found.values[voting]]
        keys, places = np.unique(keys, return_inverse=True)
        votes = np.zeros(len(keys), np.int64)
        np.add.at(votes, places, found.counts[voting])
        who, what = np.divmod(keys, base)
        best = np.lexsort((rank[what], -votes, who))
        who, firsts = np.unique(who[best], return_index=True)
        new[who] = what[best][firsts]
        open_[who] = False
    return new


def _parted(given: Mapping[str, int], pores: Sequence[str], kinds: tuple[str, str]) -> dict[str, int]:
    """Return the class table of parted pores; new classes take values that are free or become free."""
    kept = {name: value for name, value in given.items() if name not in pores or name in kinds}
    free = sorted({given[name] for name in pores if name not in kinds})
    free += [v for v in range(max(given.values()) + 2 + len(kinds)) if v not in given.values()]
    for kind in kinds:
        if kind not in kept:
            kept[kind] = free.pop(0)
    return kept


def _opened(labels: StackLike, names: Sequence[str]) -> Source:
    source = source_of(labels)
    facts = facts_of(source)
    if facts.kind != "labels" or not facts.classes:
        raise PhaseError(
            f"the volume has no class table (it holds {facts.kind}): what its values mean would be guessed. Give a "
            "label volume with a class table."
        )
    missing = [name for name in names if name not in facts.classes]
    if missing:
        raise PhaseError(f"{missing} are not classes of the volume; its classes are {dict(facts.classes)}.")
    return source
