"""What is found out about a window: pores, permeability by the surrogate, permeability by Stokes flow."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.kernels import pores_of_fractions
from bigrock.kernels.percolation import percolates
from bigrock.models import Bundle
from bigrock.workflows.permeability.windows import Window

__all__ = ["AXES", "SOLVED", "WindowSolver"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

AXES = "zyx"

SOLVED = np.dtype(
    [
        ("start", "<i8", 3),
        ("edge", "<i8"),
        ("porosity", "<f8"),
        ("kozeny_carman_m2", "<f8"),
        ("percolates", "?", 3),
        ("physics_m2", "<f8", 3),
        ("spread", "<f8", 3),
        ("surrogate_m2", "<f8", 3),
        ("deviation", "<f8", 3),
        ("outside", "?"),
        ("seconds", "<f8"),
    ]
)
"""One solved window. Fields of three are along z, y, x; NaN is what was not asked. `spread` is how far the
flux through the slices still differed, relative; `deviation` the surrogate's standard deviation of log10 k;
`outside` says that the surrogate knows no such rock. `physics_m2` is infinite where nothing resists."""


@dataclass(frozen=True)
class WindowSolver:
    """Answers what windows ask; sent to workers.

    A window that does not join two opposite faces has k = 0 along that axis, whoever is asked: fluid
    cannot pass. A window without solid has walls only where its sides are sealed; else nothing resists, and
    Stokes flow gives an infinite k. Kozeny–Carman's estimate stands beside every k, with Crofton's surface.

    Parameters
    ----------
    voxel_m : float
        Edge of the cubic voxels of the fine grid, metres.
    surrogate : tuple of Bundle
        Networks that predict k, as an ensemble; may be empty.
    sees : {"grey", "mask"}
        Whether the surrogate is shown grey pore fractions or what the threshold makes of them.
    threshold : float or "fraction"
        Pore fraction above which a voxel is pore; or each voxel of the core keeps its own.
    boundary, tolerance, backend
        Of `bigrock.flow.permeability`; the backend also of the surrogate.
    """

    voxel_m: float
    surrogate: tuple[Bundle, ...] = ()
    sees: Literal["grey", "mask"] = "grey"
    threshold: float | Literal["fraction"] = 0.5
    boundary: str = "sealed"
    tolerance: float = 1e-2
    backend: Literal["auto", "cpu", "gpu"] | None = None

    def solve(
        self, images: Sequence[Array], windows: Sequence[Window], fractions: Sequence[Array] = ()
    ) -> npt.NDArray[np.void]:
        """Return a row of `SOLVED` for each window.

        Parameters
        ----------
        images : sequence of ndarray, 3-D
            The voxels of each window: pore fractions, or masks.
        windows : sequence of Window
            What is asked; all of one size.
        fractions : sequence of ndarray, 3-D
            The pore fractions of the core in each window, where the rule is that they are kept.
        """
        if self.threshold == "fraction" and fractions:
            masks = [pores_of_fractions(*pair) for pair in zip(images, fractions, strict=True)]
        else:
            masks = [image if image.dtype == bool else image > self.threshold for image in images]
        rows = np.zeros(len(windows), SOLVED)
        for name in ("physics_m2", "spread", "surrogate_m2", "deviation"):
            rows[name] = np.nan
        for row, mask, window in zip(rows, masks, windows, strict=True):
            begun = time.perf_counter()
            self._describe(row, mask, window)
            if window.physics:
                self._flow(row, mask, window.axes)
            row["seconds"] = time.perf_counter() - begun
        asked = [i for i, window in enumerate(windows) if window.surrogate]
        if asked:
            begun = time.perf_counter()
            self._predict(rows, asked, windows[0].axes, masks if self.sees == "mask" else images)
            rows["seconds"][asked] += (time.perf_counter() - begun) / len(asked)
        return rows

    def _describe(self, row: Any, mask: Mask, window: Window) -> None:
        from bigrock.flow import kozeny_carman, surface_per_bulk

        row["start"], row["edge"] = window.start, window.edge
        row["porosity"] = porosity = float(mask.mean())
        row["percolates"] = list(percolates(mask).values())
        k = kozeny_carman(porosity, surface_per_bulk(mask)) * self.voxel_m**2
        row["kozeny_carman_m2"] = k if np.isfinite(k) else np.nan

    def _flow(self, row: Any, mask: Mask, axes: str) -> None:
        from bigrock.flow import ConvergenceWarning, permeability

        how: dict[str, Any] = {
            "voxel_size": self.voxel_m,
            "boundary": self.boundary,
            "tolerance": self.tolerance,
            "backend": self.backend,
        }
        if self.boundary != "sealed" and mask.all():
            # Exactly what `bigrock.flow.permeability` refuses: no wall anywhere.
            row["physics_m2"][[AXES.index(axis) for axis in axes]] = np.inf
            return
        for axis in axes:
            with warnings.catch_warnings():
                # What has not converged is counted over all windows instead.
                warnings.simplefilter("ignore", ConvergenceWarning)
                found = permeability(mask, axis=axis, **how)[axis]
            row["physics_m2"][AXES.index(axis)] = found.k_m2
            row["spread"][AXES.index(axis)] = found.flux_spread

    def _predict(self, rows: Array, asked: list[int], axes: str, images: Sequence[Array]) -> None:
        from bigrock.models import predict_permeability

        shown = np.stack([np.asarray(images[i], np.float32) for i in asked])
        for axis in axes:
            place = AXES.index(axis)
            how: dict[str, Any] = {"axis": axis, "voxel_size": self.voxel_m, "backend": self.backend}
            # By the rule of the map, which need not be the half that the prediction would take.
            flows = rows["percolates"][asked, place]
            found = predict_permeability(self.surrogate, shown, percolating=flows, **how)
            rows["surrogate_m2"][asked, place] = found.k_m2
            rows["deviation"][asked, place] = found.log10_std
            rows["outside"][asked] |= found.out_of_distribution
