"""The result of `map_permeability`: grids of windows, what they say together, and its files."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import bigrock
from bigrock.geometry import Region
from bigrock.units import DARCY_M2
from bigrock.volumes import Volume, Voxel, create_volume
from bigrock.workflows.permeability.map_plan import MapPlan
from bigrock.workflows.permeability.solving import AXES
from bigrock.workflows.permeability.summary import (
    LEAST_CUBES,
    LEAST_SOLVED,
    REV_VARIATION,
    agreement,
    direct_rev,
    profile,
    settled_rev,
    statistics_of,
    upscaled,
    upscaled_rev,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PermeabilityMap"]

Array = npt.NDArray[Any]

_UNKNOWN = dict.fromkeys(("arithmetic_m2", "harmonic_m2", "geometric_m2", "darcy_m2"))


@dataclass(frozen=True, eq=False)
class PermeabilityMap:
    """What `map_permeability` found; prints nothing, and is written as volumes, JSON, CSV, Parquet and a page.

    Attributes
    ----------
    plan : MapPlan
        Core, networks, lattice and settings.
    windows : ndarray of SOLVED, (z, y, x)
        The windows of the map.
    others : ndarray of SOLVED
        Windows of other sizes, for the REV.
    folder : Path
        Where everything is.
    figures : dict
        What stands in ``map.json``: ``permeability`` by axis (upscaled k, statistics, share of windows
        that do not percolate), ``covered_share`` of the core, ``unbounded`` windows, ``porosity``,
        ``agreement`` of surrogate and physics, ``profiles``, ``rev`` (with the reason where none is reached).
    """

    plan: MapPlan
    windows: npt.NDArray[np.void]
    others: npt.NDArray[np.void]
    folder: Path
    figures: dict[str, Any]

    @classmethod
    def of(cls, plan: MapPlan, rows: npt.NDArray[np.void], folder: Path, seconds: float) -> PermeabilityMap:
        """Return the map that solved windows make."""
        lattice = plan.lattice
        own = rows[rows["edge"] == lattice.edge]
        grid = np.zeros(lattice.counts, own.dtype)
        grid[tuple((own["start"] // lattice.step).T)] = own
        others = rows[rows["edge"] != lattice.edge]
        bare = cls(plan, grid, others, folder, {})
        return cls(plan, grid, others, folder, {**bare._figures(), "seconds": round(seconds, 3)})

    @property
    def axes(self) -> str:
        """Along which k is known."""
        return self.plan.settings.axes

    def k(self, axis: str = "z") -> Array:
        """Return k of the windows in m² along an axis: an array (z, y, x) of float64; NaN where it is unbounded."""
        name = "physics_m2" if self.plan.method == "physics" else "surrogate_m2"
        k = self.windows[name][..., AXES.index(axis)]
        return np.where(np.isinf(k), np.nan, k)

    def uncertainty(self, axis: str = "z") -> Array:
        """Return the standard deviation of log10 k: (z, y, x); NaN where k is zero or unbounded.

        Of the surrogate: what its ensemble or dropout tells. Of physics: the spread of the flux over
        slices alone, which says nothing of what was super-resolved or segmented.
        """
        place = AXES.index(axis)
        if self.plan.method == "surrogate":
            return np.ascontiguousarray(self.windows["deviation"][..., place])
        told = self.windows["spread"][..., place] / math.log(10)
        return np.where(self.k(axis) > 0, told, np.nan)

    def _figures(self) -> dict[str, Any]:
        plan, lattice, solver = self.plan, self.plan.lattice, self.plan.solver
        stacked = np.stack([self.k(axis) for axis in AXES])
        scaled = upscaled(stacked)
        porosity = self.windows["porosity"]
        middle = lattice.edge / 2 * solver.voxel_m
        first = self.axes[0]
        return {
            "method": plan.method,
            "voxel_size_m": solver.voxel_m * lattice.scale,
            "fine_voxel_size_m": solver.voxel_m,
            "scale": lattice.scale,
            "window": lattice.edge,
            "step": lattice.step,
            "counts": list(lattice.counts),
            "left_out": list(lattice.left_out),
            "covered_share": lattice.covered_share,
            "threshold": plan.settings.threshold,
            "boundary": plan.settings.boundary,
            "permeability": {a: {**scaled.get(a, _UNKNOWN), **statistics_of(self.k(a))} for a in self.axes},
            "unbounded": int(np.isnan(self.k(first)).sum()),
            "kozeny_carman": statistics_of(self.windows["kozeny_carman_m2"]),
            "porosity": {"mean": float(porosity.mean()), "deviation": float(porosity.std())},
            "outside_share": float(self.windows["outside"].mean()) if solver.surrogate else None,
            "agreement": self._agreement(),
            "profiles": {a: profile(self.k(a), porosity, a, middle, plan.step_m) for a in self.axes},
            "rev": self._rev(stacked, first),
            "not_converged": int((self.windows["spread"] > plan.settings.tolerance).sum()),
        }

    def _agreement(self) -> dict[str, Any] | None:
        flat = self.windows.ravel()
        found = agreement(flat["surrogate_m2"], flat["physics_m2"], self.plan.settings.seed)
        if found is None:
            return None
        told = flat["deviation"][np.isfinite(flat["physics_m2"]) & (flat["physics_m2"] > 0)]
        return {**found, "deviation_told": float(np.sqrt(np.mean(told**2)))}

    def _rev(self, stacked: Array, axis: str) -> dict[str, Any]:
        """Return both curves, and the smallest size from which on places differ by less than a tenth, or why none."""
        place, voxel_m = AXES.index(axis), self.plan.solver.voxel_m
        rows = np.concatenate([self.windows.ravel(), self.others])
        solved = rows[np.isfinite(rows["physics_m2"][:, place])]
        direct = direct_rev(solved["edge"], solved["physics_m2"][:, place], voxel_m)
        window_m = self.plan.lattice.edge * voxel_m
        coarse = upscaled_rev(stacked, axis, window_m, self.plan.step_m, self.plan.settings.seed)
        settled, reason = settled_rev(coarse, direct, by_surrogate=self.plan.method == "surrogate")
        criterion = (
            f"variation of k at most {REV_VARIATION} from this size on, between at least {LEAST_CUBES} cubes that "
            "share no voxel, and between single windows by Stokes flow of this size or larger; where k is that of a "
            f"network, at least {LEAST_SOLVED} windows of the map's size or larger are solved by Stokes flow"
        )
        return {"axis": axis, "windows": direct, "upscaled": coarse, "edge_m": settled, "reason": reason,
                "criterion": criterion}  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the figures with what made them, as JSON."""
        return {**self.figures, "made_of": self.plan.to_dict(), "units": {"_m2": "m²", "_m": "m"}}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text, and write it to a file where a path is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def table(self) -> pa.Table:
        """Return every window as a row of a `pyarrow.Table`; empty where nothing was asked."""
        import pyarrow as pa

        rows = np.concatenate([self.windows.ravel(), self.others])
        columns: dict[str, Any] = {f"start_{a}": rows["start"][:, i] for i, a in enumerate(AXES)}
        for name in ("edge", "porosity", "kozeny_carman_m2"):
            columns[name] = rows[name]
        for name in ("physics_m2", "spread", "surrogate_m2", "deviation", "percolates"):
            head, _, unit = name.partition("_")
            for a in self.axes:
                columns[f"{head}_{a}" + (f"_{unit}" if unit else "")] = rows[name][:, AXES.index(a)]
        columns |= {"outside": rows["outside"], "seconds": rows["seconds"]}
        return pa.table(
            {name: pa.array(np.ascontiguousarray(v), from_pandas=True) for name, v in columns.items()}
        )

    def write(self) -> None:
        """Write volumes, JSON, CSV and Parquet to the folder; what is there is replaced."""
        import pyarrow.csv as csv
        import pyarrow.parquet as pq

        for axis in self.axes:
            self._store(f"permeability-{axis}", self.k(axis), f"k along {axis}", "m²")
            self._store(
                f"uncertainty-{axis}", self.uncertainty(axis), f"deviation of log10 k along {axis}", "1"
            )
        self._store("porosity", self.windows["porosity"], "porosity", "fraction")
        self._store("outside", self.windows["outside"].astype(np.uint8), "unlike what was learnt", "1 = yes")
        table = self.table()
        csv.write_csv(table, self.folder / "windows.csv")
        pq.write_table(table, self.folder / "windows.parquet")
        self.to_json(self.folder / "map.json")

    def _first_centre(self) -> Voxel:
        """Return where the centre of the first window lies: a core begins half a voxel before its translation."""
        scale, fine = self.plan.lattice.scale, self.plan.solver.voxel_m
        inward = (self.plan.lattice.edge - scale) / 2 * fine
        z, y, x = getattr(self.plan.core, "translation", (0.0, 0.0, 0.0))
        return z + inward, y + inward, x + inward

    def _store(self, name: str, values: Array, quantity: str, unit: str) -> Volume:
        """Write a grid of windows as a volume whose voxels are one step long."""
        core = self.plan.core
        entry = {
            "step": "permeability map",
            "bigrock": bigrock.__version__,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "quantity": quantity,
            "unit": unit,
            "k_unit_in_darcy": 1 / DARCY_M2,
            "first_centre_m": [self.plan.lattice.edge / 2 * self.plan.solver.voxel_m] * 3,
            **self.plan.to_dict(),
        }
        volume = create_volume(
            self.folder / f"{name}.zarr",
            values.shape,
            values.dtype,
            voxel_size=(self.plan.step_m,) * 3,
            translation=self._first_centre(),
            kind="grey",
            history=[*getattr(core, "history", ()), entry],
            complete=False,
            overwrite=True,
        )
        volume.write(Region.whole(volume.shape), np.ascontiguousarray(values))
        volume.update(complete=True, gapless=True)
        return volume
