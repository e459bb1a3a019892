"""What a permeability map will do, checked before anything runs: core, networks, lattice, what is solved how."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.settings import json_value, settings_of
from bigrock.errors import BundleError, ParameterError, PhaseError, VoxelSizeError
from bigrock.flow.measuring import check_numbers
from bigrock.geometry import is_whole
from bigrock.models import Bundle, SurrogateConfig, load_bundle
from bigrock.models.predicting import coarse_factor
from bigrock.models.super_resolving import check_threshold
from bigrock.volumes import source_of
from bigrock.volumes.source import Source, facts_of, required_voxel_size
from bigrock.workflows.permeability.solving import AXES, WindowSolver
from bigrock.workflows.permeability.windows import (
    Lattice,
    LatticeTasks,
    Task,
    Window,
    sampled,
    scattered,
    single_tasks,
)

__all__ = ["BundleLike", "MapPlan", "MapSettings", "planned"]

BundleLike = Bundle | str | os.PathLike[str]

_WINDOW = 64
_REV_PARTS = (0.25, 0.5, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class MapSettings:
    """How a core is mapped; the keywords of `map_permeability`.

    Examples
    --------
    >>> MapSettings(axes="z").method is None
    True
    """

    method: Literal["surrogate", "physics"] | None = None
    window: int | None = None
    step: int | None = None
    axes: str = AXES
    physics_sample: int = 8
    rev_sample: int = 4
    sees: Literal["grey", "mask"] = "grey"
    threshold: float | Literal["fraction"] = 0.5
    boundary: str = "sealed"
    tolerance: float = 1e-2
    value_range: tuple[float, float] | None = None
    backend: Literal["auto", "cpu", "gpu"] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_numbers()
        allowed = {
            "method": (None, "surrogate", "physics"),
            "sees": ("grey", "mask"),
            "boundary": ("periodic", "mirrored", "sealed"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                known = ", ".join(str(v) for v in values if v)
                raise ParameterError(f"{name}={getattr(self, name)!r} is not known. Use one of: {known}.")
        if not self.axes or set(self.axes) - set(AXES) or len(set(self.axes)) < len(self.axes):
            raise ParameterError(f"axes={self.axes!r} names no axes. Use some of z, y, x, such as 'zyx'.")
        check_threshold(self.threshold)
        if min(self.physics_sample, self.rev_sample) < 0:
            raise ParameterError(
                f"physics_sample={self.physics_sample}, rev_sample={self.rev_sample}: give 0 or more windows."
            )
        check_numbers(self.tolerance)

    def _check_numbers(self) -> None:
        for name in ("window", "step", "physics_sample", "rev_sample", "seed"):
            value = getattr(self, name)
            unset = value is None and name in ("window", "step")
            if not unset and not is_whole(value):
                raise ParameterError(f"{name}={value!r} is no whole number. Give one such as 64.")


@dataclass(frozen=True, slots=True)
class MapPlan:
    """Everything that is decided before the first window is read."""

    core: Source
    super_resolution: Kernel | None
    solver: WindowSolver
    lattice: Lattice
    settings: MapSettings
    method: Literal["surrogate", "physics"]

    @property
    def step_m(self) -> float:
        """From one window to the next, metres."""
        return self.lattice.step * self.solver.voxel_m

    @property
    def lattice_tasks(self) -> LatticeTasks:
        """The windows of the map; those that are solved by Stokes flow are all, or the sample."""
        z, y, x = self.lattice.counts
        number = z * y * x
        wanted = number if self.method == "physics" else self.settings.physics_sample
        physics = (
            range(number) if wanted >= number else frozenset(sampled(number, wanted, self.settings.seed))
        )
        return LatticeTasks(
            self.lattice, self._together, bool(self.solver.surrogate), physics, self.settings.axes
        )

    @property
    def rev_tasks(self) -> list[Task]:
        """Windows of other sizes, here and there, solved by Stokes flow along the first axis."""
        lattice, windows = self.lattice, []
        for part in _REV_PARTS:
            edge = int(part * lattice.edge) // lattice.scale * lattice.scale
            if 8 <= edge <= min(lattice.shape) and edge != lattice.edge:
                # The cost of a window grows with its volume: half as many of the larger ones.
                wanted = -(-self.settings.rev_sample // (2 if edge > lattice.edge else 1))
                places = scattered(lattice.shape, edge, wanted, lattice.scale, self.settings.seed)
                windows += [Window(place, edge, physics=True, axes=self.settings.axes[0]) for place in places]
        return single_tasks(windows, lattice.scale)

    @property
    def _together(self) -> int:
        """Windows along each axis of a task: what a network reads twice against what a kill loses."""
        if self.super_resolution is None:
            return 1
        most = 2 if self.method == "physics" else 4
        return max(1, min(most, min(self.lattice.counts) // 2, 256 // self.lattice.step))

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the numbers, as JSON."""
        kernel = self.super_resolution
        return {
            "core": json_value(self.core.identity()),
            "super_resolution": None if kernel is None else settings_of(kernel),
            "solver": settings_of(self.solver),
            "lattice": settings_of(self.lattice),
            "settings": settings_of(self.settings),
            "method": self.method,
        }


def planned(
    core: Source | npt.NDArray[Any] | str | os.PathLike[str],
    super_resolution: BundleLike | Kernel | None,
    surrogate: BundleLike | Sequence[BundleLike] | None,
    settings: MapSettings,
) -> MapPlan:
    """Return the plan of a map, or refuse what does not fit together; reads no voxel.

    Raises
    ------
    VoxelSizeError, PhaseError, ParameterError, BundleError
        As `map_permeability` says.
    """
    source = source_of(core)
    bundles = _surrogates(surrogate)
    kernel = _kernel(super_resolution, settings)
    _check_meaning(source, kernel)
    scale = 1 if kernel is None else kernel.scale
    voxel_m = _fine_voxel(source, scale)
    method = settings.method or ("surrogate" if bundles else "physics")
    if method == "surrogate" and not bundles:
        raise ParameterError(
            "method='surrogate' without a surrogate: there is nothing to predict k. Give surrogate= (--surrogate), or "
            "method='physics'."
        )
    edge = _edge(bundles, settings.window)
    z, y, x = (n * scale for n in source.shape)
    lattice = Lattice((z, y, x), edge, edge if settings.step is None else settings.step, scale)
    solver = WindowSolver(
        voxel_m,
        bundles,
        settings.sees,
        settings.threshold,
        settings.boundary,
        settings.tolerance,
        settings.backend,
    )
    return MapPlan(source, kernel, solver, lattice, settings, method)


def _surrogates(given: BundleLike | Sequence[BundleLike] | None) -> tuple[Bundle, ...]:
    several = [] if given is None else [given] if isinstance(given, Bundle | str | os.PathLike) else given
    bundles = tuple(map(load_bundle, several))
    for bundle in bundles:
        bundle.expect(SurrogateConfig)
        factor = coarse_factor(bundle)
        if factor != 1:
            raise BundleError(
                f"{bundle.folder} predicts k from coarse images, whose voxels are {factor} times longer than those of "
                "the rock that was solved: it is for scans that are not super-resolved, and a map shows it windows of "
                "the fine grid. Give a surrogate that was trained on fine images."
            )
    return bundles


def _kernel(given: BundleLike | Kernel | None, settings: MapSettings) -> Kernel | None:
    if given is None or isinstance(given, Kernel):
        return given
    from bigrock.models import super_resolution_kernel

    return super_resolution_kernel(
        load_bundle(given),
        dtype="float32",
        value_range=settings.value_range,
        backend=settings.backend,
    )


def _check_meaning(source: Source, kernel: Kernel | None) -> None:
    facts = facts_of(source)
    kind = facts.kind
    if kind == "labels" and (kernel is None or not kernel.accepts(kind)):
        said = ", ".join(f"{name} = {value}" for name, value in facts.classes.items())
        pore = facts.classes.get("pore", "VALUE")
        raise PhaseError(
            f"the core holds labels ({said or 'without a class table'}), and a mask is needed (True = pore): which "
            "class is pore is never guessed. Take that class as a mask first: bigrock run LABELS MASK --kernel "
            f"'select-class value={pore}', or bigrock.kernels.SelectClass."
        )
    if kernel is None and kind != "mask":
        raise PhaseError(
            f"the core holds {kind} levels, and without super-resolution a mask is needed (True = pore): which value "
            "is pore is never guessed. Segment the core first (bigrock run CORE MASK --kernel global-otsu), or give a "
            "network that super-resolves it, super_resolution=… (--super-resolution)."
        )
    if kernel is not None and kernel.accepts(kind):
        kernel.output_dtype(np.dtype(source.dtype))
    elif kernel is not None:
        raise PhaseError(
            f"the core holds {kind} values, and the super-resolution takes pore fractions or a mask. Convert it first."
        )


def _fine_voxel(source: Source, scale: int) -> float:
    voxel = required_voxel_size(source, "permeability")
    if max(voxel) > 1.0001 * min(voxel):
        raise VoxelSizeError(
            f"the voxels of the core are no cubes ({voxel} m, z, y, x): Stokes flow and the networks take them for "
            "cubes, and k would be wrong. Resample the core to cubic voxels first."
        )
    return voxel[0] / scale


def _edge(bundles: Sequence[Bundle], window: int | None) -> int:
    edges = {bundle.expect(SurrogateConfig).edge for bundle in bundles}
    if len(edges) > 1:
        raise BundleError(
            f"the surrogates take windows of {sorted(edges)} voxels. Give ones of the same size."
        )
    edge = edges.pop() if edges else None
    if window is not None and edge is not None and window != edge:
        raise ParameterError(
            f"window={window}, and the surrogate takes windows of {edge} voxels: it knows nothing of others. "
            "Leave the window out, or train a surrogate for it."
        )
    return window if window is not None else edge if edge is not None else _WINDOW
