"""What the flow solvers find, per axis, in the units that people use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from bigrock.units import DARCY_M2, format_permeability

__all__ = ["AxisPermeability", "PerAxis", "Permeability"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AxisPermeability:
    """Permeability of a sample along one axis.

    Attributes
    ----------
    axis : {"z", "y", "x"}
        Of the flow.
    k_m2, k_voxel2 : float
        Permeability in square metres, and in voxels squared; 0 where nothing percolates.
    kozeny_carman_m2 : float or None
        φ³/(5 S²), with all pores and Crofton's surface per bulk volume; None where it is not defined.
    porosity : float
        Of the sample, closed pores included.
    percolates : bool
        Whether pores join inlet and outlet, by faces of voxels.
    converged : bool
        Whether the tolerance was reached; True where there was nothing to solve.
    flux_spread : float
        Largest minus smallest flux over the planes across the flow, relative to their mean.
    residual : float
        Of the last iteration, relative to the first, in the norm of the preconditioner.
    iterations : int
        That were done.
    seconds : float
        Of processor time.
    """

    axis: str
    k_m2: float
    k_voxel2: float
    kozeny_carman_m2: float | None
    porosity: float
    percolates: bool
    converged: bool
    flux_spread: float
    residual: float
    iterations: int
    seconds: float

    @property
    def k_darcy(self) -> float:
        """In darcy."""
        return self.k_m2 / DARCY_M2

    @property
    def k_md(self) -> float:
        """In millidarcy."""
        return 1000 * self.k_darcy

    def __str__(self) -> str:
        if not self.percolates:
            return f"{self.axis}: 0 (no pores join inlet and outlet)"
        return f"{self.axis}: {format_permeability(self.k_m2)}" + (
            "" if self.converged else " (not converged)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {**asdict(self), "k_darcy": self.k_darcy, "k_md": self.k_md}


@dataclass(frozen=True, slots=True)
class PerAxis(Mapping[str, T], Generic[T]):
    """A result for each axis that was asked for: ``result["z"]``.

    Attributes
    ----------
    axes : dict
        By the name of the axis.
    boundary : str
        What surrounded the sample; see `bigrock.flow.domain`.
    """

    axes: dict[str, T]
    boundary: str

    def __getitem__(self, axis: str) -> T:
        return self.axes[axis]

    def __iter__(self) -> Iterator[str]:
        return iter(self.axes)

    def __len__(self) -> int:
        return len(self.axes)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        found: dict[str, Any] = {name: value.to_dict() for name, value in self.axes.items()}  # type: ignore[attr-defined]
        return {**found, "boundary": self.boundary}


@dataclass(frozen=True, slots=True)
class Permeability(PerAxis[AxisPermeability]):
    """Permeabilities by axis, of `bigrock.flow.permeability`: ``found["z"].k_md``.

    Attributes
    ----------
    voxel_m : float
        Edge of a voxel in metres.
    """

    voxel_m: float

    def __str__(self) -> str:
        return "\n".join(map(str, self.axes.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON: the axes, ``boundary`` and ``voxel_m``."""
        return {**PerAxis.to_dict(self), "voxel_m": self.voxel_m}
