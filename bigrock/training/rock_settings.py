"""How networks of the permeability workflow are trained; the defaults are those for minutes on two cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bigrock.kernels.low_resolution import LOW_RESOLUTION_METHODS
from bigrock.training.settings import LoopConfig, check, choice

__all__ = ["FineTuning", "SuperResolutionTraining", "SurrogateTraining"]


@dataclass(frozen=True)
class Coarsening:
    """How a coarse image is made of a fine one; see `bigrock.kernels.low_resolution`.

    Parameters
    ----------
    method : {"mean", "nearest", "trilinear", "blur"}
        Mean pooling, or another way.
    blur_voxels : float, optional
        Of "blur", in fine voxels.
    noise : float
        Standard deviation of the noise that is added.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> Coarsening().options
    {'method': 'mean', 'blur_voxels': None, 'noise': 0.0}
    """

    method: str = "mean"
    blur_voxels: float | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        choice("method", self.method, LOW_RESOLUTION_METHODS)
        check(self.noise >= 0, "noise", self.noise, "0 or more")

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of `low_resolution`."""
        return {"method": self.method, "blur_voxels": self.blur_voxels, "noise": self.noise}


@dataclass(frozen=True)
class SuperResolutionTraining(LoopConfig):
    """How a super-resolving network is trained: `LoopConfig`, and what follows.

    Parameters
    ----------
    patch : int, optional
        Fine voxels along each edge of what it is shown; a multiple of the scale. None shows whole rocks.
    loss : {"mse", "l1"}
        Of the voxels: squared (the paper) or absolute differences.
    coarsening : Coarsening
        How the coarse images are made.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> SuperResolutionTraining(patch=32).batch
    4
    """

    max_epochs: int = 40
    steps_per_epoch: int = 50
    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    gradient_clip: float | None = 1.0
    patch: int | None = None
    loss: Literal["mse", "l1"] = "mse"
    coarsening: Coarsening = Coarsening()

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self.patch is None or self.patch >= 8, "patch", self.patch, "8 voxels or more, or None")
        choice("loss", self.loss, ("mse", "l1"))


@dataclass(frozen=True)
class SurrogateTraining(LoopConfig):
    """How a surrogate is trained: `LoopConfig`, and what follows.

    Parameters
    ----------
    soft : float
        Share of the images that are blurred (coarsened, enlarged again, and mixed with the image itself),
        so that grey voxels, as networks make them, are not foreign.
    augment : bool
        Show rocks mirrored along any axes, and with the axes across the flow exchanged.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> SurrogateTraining(soft=0).batch
    16
    """

    max_epochs: int = 60
    steps_per_epoch: int = 50
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    patience: int = 60
    soft: float = 0.5
    augment: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check(0 <= self.soft <= 1, "soft", self.soft, "a share, 0 to 1")


@dataclass(frozen=True)
class FineTuning(LoopConfig):
    """How a super-resolving network is tuned to please a surrogate: `LoopConfig`, and what follows.

    The loss is ``flow · MSE(standardised log10 k) + fidelity · MSE(voxels)``.

    Parameters
    ----------
    fidelity : float
        Weight of the voxels; 0 is the paper, and lets the network learn patterns that please the surrogate
        and no flow, also where it ``sees`` "fraction" and pores move within coarse voxels alone.
    flow : float
        Weight of the permeability; 0 trains on voxels alone, the control that shows what more epochs do.
    sees : {"grey", "mask", "fraction"}
        What the surrogates are shown: pore fractions as they are made (the paper); or masks as a solver is
        given them, thresholded at one half, or such that each coarse voxel keeps its pore fraction
        (`bigrock.kernels.pores_of_fractions`). Gradients pass as if nothing were thresholded.
    coarsening : Coarsening
        How the coarse images are made.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> FineTuning(fidelity=0).learning_rate
    0.0001
    """

    max_epochs: int = 40
    steps_per_epoch: int = 50
    batch: int = 4
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    schedule: Literal["cosine", "plateau", "constant"] = "constant"
    patience: int = 30
    optimizer: Literal["adamw", "adam"] = "adam"
    fidelity: float = 10.0
    flow: float = 1.0
    sees: Literal["grey", "mask", "fraction"] = "grey"
    coarsening: Coarsening = Coarsening()

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("sees", self.sees, ("grey", "mask", "fraction"))
        least = min(self.fidelity, self.flow)
        check(
            least >= 0 and self.fidelity + self.flow > 0,
            "fidelity, flow",
            (self.fidelity, self.flow),
            "0 or more, not both 0",
        )
