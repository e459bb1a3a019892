"""Windows of a core as tasks of a pass: each reads its part of the core and a halo, and gives rows of numbers.

The fine grid exists one task at a time, in the memory of a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import SourceError
from bigrock.geometry import Block, BlockGrid
from bigrock.models.grey_levels import pore_fraction
from bigrock.volumes.source import Source
from bigrock.workflows.permeability.rows import numbered
from bigrock.workflows.permeability.solving import WindowSolver
from bigrock.workflows.permeability.windows import Task, covering

__all__ = ["WindowWork"]

Array = npt.NDArray[Any]

_KEPT = (
    "Windows that were solved before stay in the folder, and are those of this core and these settings: map another "
    "one into another folder, or with overwrite=True (--overwrite)."
)


@dataclass(frozen=True)
class WindowWork:
    """Tasks of windows, as workers see them; block number n of the grid is task number n."""

    core: Source
    super_resolution: Kernel | None
    solver: WindowSolver
    tasks: Sequence[Task]

    @property
    def folders(self) -> dict[str, str]:
        """Folders of the networks."""
        found = {} if self.super_resolution is None else self.super_resolution.folders()
        return found | {bundle.digest[:16]: bundle.folder for bundle in self.solver.surrogate}

    @property
    def grid(self) -> BlockGrid:
        """One block per task."""
        return numbered(len(self.tasks))

    def keys(self, task: int) -> list[tuple[int, ...]]:
        """Return edge and start of the windows of a task."""
        return [(window.edge, *window.start) for window in self.tasks[task].windows]

    def read(self, block: Block) -> Array:
        """Return the voxels of the core that the windows of a task lie in, with what the network looks at."""
        task = self.tasks[block.id]
        return self.core.read(self._part(task).read)

    def compute(self, block: Block, array: Array) -> npt.NDArray[np.void]:
        """Return a row for each window of a task."""
        task = self.tasks[block.id]
        part = self._part(task)
        if self.super_resolution is None:
            return self.solver.solve([array[w.region.within(part.core)] for w in task.windows], task.windows)
        try:
            fine, scale = self.super_resolution(array, part), self.super_resolution.scale
            coarse = pore_fraction(array[part.trim], self._levels(array))
        except SourceError as error:
            raise type(error)(f"at or near {part.core.start}..{part.core.stop}: {error} {_KEPT}") from None
        images = [fine[w.region.within(part.core.scaled(scale))] for w in task.windows]
        fractions = [coarse[covering([w], scale).within(part.core)] for w in task.windows]
        return self.solver.solve(images, task.windows, fractions)

    def write(self, block: Block, result: npt.NDArray[np.void], kept: list[Any]) -> None:
        """Keep the rows for the coordinator."""
        kept.append(result)

    def _levels(self, voxels: Array) -> tuple[float, float]:
        """Return the grey levels of solid and of pore in the core."""
        mask = voxels.dtype.kind == "b"
        return (0.0, 1.0) if mask else getattr(self.super_resolution, "levels", (0.0, 1.0))

    def _part(self, task: Task) -> Block:
        halo = (0, 0, 0) if self.super_resolution is None else self.super_resolution.halo
        return Block(0, task.core, task.core.grow(halo, self.core.shape), self.core.shape)
