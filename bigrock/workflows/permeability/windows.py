"""Where the windows of a permeability map lie: a lattice over the fine grid, samples, and sizes for the REV.

Geometry only. A window is a cube of the *fine* grid: that of the super-resolved core, or of the core
itself where nothing is super-resolved. Windows that are close are read and super-resolved together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid, Region, Shape

__all__ = ["Lattice", "LatticeTasks", "Task", "Window", "covering", "sampled", "scattered", "single_tasks"]


@dataclass(frozen=True, slots=True)
class Window:
    """One cube of the fine grid, and what is asked of it.

    Examples
    --------
    >>> Window((0, 0, 64), 64).region.stop
    (64, 64, 128)
    """

    start: Shape
    edge: int
    surrogate: bool = False
    physics: bool = False
    axes: str = "zyx"

    @property
    def region(self) -> Region:
        """The voxels of the fine grid."""
        z, y, x = self.start
        return Region(self.start, (z + self.edge, y + self.edge, x + self.edge))


@dataclass(frozen=True, slots=True)
class Task:
    """Windows that are read together, and the voxels of the core that hold them."""

    core: Region
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Lattice:
    """The windows of a map: cubes of `edge`, `step` apart, from the first corner as many as fit.

    Parameters
    ----------
    shape : Shape
        Extent of the fine grid.
    edge, step : int
        Of a window, and from one to the next; both multiples of `scale`.
    scale : int
        Voxels of the fine grid along one voxel of the core.

    Raises
    ------
    ParameterError
        If a window is larger than the volume, or edge and step are no multiples of the scale.

    Examples
    --------
    >>> lattice = Lattice((200, 128, 128), 64, 64, 4)
    >>> lattice.counts, lattice.left_out
    ((3, 2, 2), (8, 0, 0))
    """

    shape: Shape
    edge: int
    step: int
    scale: int = 1

    def __post_init__(self) -> None:
        if self.edge < 2 or self.step < 1:
            raise ParameterError(
                f"window={self.edge} and step={self.step} make no lattice. Give at least 2 and 1."
            )
        if self.edge > min(self.shape):
            raise ParameterError(
                f"window={self.edge} is larger than the volume of {self.shape} voxels (fine grid, {self.scale} times "
                f"that of the core): not one window fits. Give at most {min(self.shape) // self.scale * self.scale}."
            )
        for name, value in (("window", self.edge), ("step", self.step)):
            if value % self.scale:
                raise ParameterError(
                    f"{name}={value} is no multiple of the scale {self.scale} of the super-resolution: windows would "
                    f"begin within a voxel of the core. Give {value // self.scale * self.scale or self.scale} or "
                    f"{(value // self.scale + 1) * self.scale}."
                )

    @property
    def counts(self) -> Shape:
        """Windows along each axis."""
        z, y, x = ((n - self.edge) // self.step + 1 for n in self.shape)
        return z, y, x

    @property
    def left_out(self) -> Shape:
        """Voxels at the far face of each axis that no window covers."""
        z, y, x = (n - (c - 1) * self.step - self.edge for n, c in zip(self.shape, self.counts, strict=True))
        return z, y, x

    @property
    def covered_share(self) -> float:
        """Share of the voxels that lie in a window.

        Examples
        --------
        >>> Lattice((32, 32, 32), 16, 32).covered_share
        0.125
        """
        lengths = [(c - 1) * min(self.step, self.edge) + self.edge for c in self.counts]
        return math.prod(lengths) / math.prod(self.shape)


def sampled(count: int, wanted: int, seed: int) -> list[int]:
    """Return `wanted` of `count` numbers, drawn without replacement, ascending.

    Examples
    --------
    >>> sampled(3, 8, 0)
    [0, 1, 2]
    """
    drawn = np.random.default_rng(seed).permutation(count)[: max(0, wanted)]
    return sorted(drawn.tolist())


def scattered(shape: Shape, edge: int, wanted: int, scale: int, seed: int) -> list[Shape]:
    """Return the corners of `wanted` cubes of `edge`, drawn at random on the lattice of the core's voxels.

    They may overlap; fewer where the volume holds no more different ones.

    Examples
    --------
    >>> scattered((8, 8, 8), 8, 4, 1, 0)
    [(0, 0, 0)]
    """
    random = np.random.default_rng((seed, edge))
    places = [(n - edge) // scale + 1 for n in shape]
    wanted = min(wanted, math.prod(places))
    found: dict[Shape, None] = {}
    while len(found) < wanted:
        z, y, x = (int(random.integers(n)) * scale for n in places)
        found[z, y, x] = None
    return list(found)


@dataclass(frozen=True)
class LatticeTasks(Sequence[Task]):
    """All windows of a lattice, in cubes of `together` windows that are read at once; made on demand.

    Parameters
    ----------
    lattice : Lattice
        Where the windows lie.
    together : int
        Windows along each axis of a cube.
    surrogate : bool
        Whether the surrogate is asked for every window.
    physics : collection of int
        Windows (numbered in C order) for which Stokes flow is solved.
    axes : str
        Along which k is asked for.

    Examples
    --------
    >>> tasks = LatticeTasks(Lattice((8, 8, 24), 8, 8, 4), 2, True, {2})
    >>> [(task.core.stop, [w.physics for w in task.windows]) for task in tasks]
    [((2, 2, 4), [False, False]), ((2, 2, 6), [True])]
    """

    lattice: Lattice
    together: int
    surrogate: bool
    physics: Collection[int]
    axes: str = "zyx"

    @property
    def _cubes(self) -> BlockGrid:
        return BlockGrid(self.lattice.counts, (self.together,) * 3)

    def __len__(self) -> int:
        return len(self._cubes)

    def __getitem__(self, number: Any) -> Any:
        cube = self._cubes[number].core
        ranges = (range(a, b) for a, b in zip(cube.start, cube.stop, strict=True))
        windows = tuple(map(self._window, itertools.product(*ranges)))
        return Task(covering(windows, self.lattice.scale), windows)

    def _window(self, place: tuple[int, ...]) -> Window:
        lattice = self.lattice
        z, y, x = (n * lattice.step for n in place)
        number = int(np.ravel_multi_index(place, lattice.counts))
        return Window((z, y, x), lattice.edge, self.surrogate, number in self.physics, self.axes)


def single_tasks(windows: Sequence[Window], scale: int) -> list[Task]:
    """Return a task for each window: windows of other sizes, here and there.

    Examples
    --------
    >>> single_tasks([Window((0, 0, 8), 8, physics=True)], 4)[0].core.start
    (0, 0, 2)
    """
    return [Task(covering([window], scale), (window,)) for window in windows]


def covering(windows: Sequence[Window], scale: int) -> Region:
    """Return the voxels of the core that hold all windows."""
    regions = [window.region for window in windows]
    a, b, c = (min(r.start[axis] for r in regions) // scale for axis in range(3))
    d, e, f = (-(-max(r.stop[axis] for r in regions) // scale) for axis in range(3))
    return Region((a, b, c), (d, e, f))
