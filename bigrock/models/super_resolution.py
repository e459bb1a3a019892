"""The network that super-resolves: what it is made of, and its presets.

Every voxel of the result follows from the voxels around it alone: padded convolutions, no norm (or
batch norm, a constant factor once trained), and interpolation that repeats the last voxel at the true
border. So tiles meet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["PAPER_SUPER_RESOLUTION", "SuperResolutionConfig", "build_super_resolution_net"]

_CHOICES = {
    "upsample": ("subpixel", "deconv", "linear"),
    "skip": ("linear", "nearest", "none"),
    "norm": ("none", "batch"),
}


@dataclass(frozen=True)
class SuperResolutionConfig:
    """What a super-resolving network is made of, and what grey levels mean to it.

    An EDSR of MONAI's blocks: residual units at low resolution, then each step doubles the extent
    and halves the channels, and the result is added to the interpolated input.

    Parameters
    ----------
    scale : {2, 4, 8}
        How many times longer the axes of the result are.
    features : int
        Channels at low resolution.
    blocks : int
        Residual units at low resolution.
    upsample : {"subpixel", "deconv", "linear"}
        How a step doubles the extent: sub-pixel convolution (ICNR), transposed convolution, or
        interpolation before a convolution.
    skip : {"linear", "nearest", "none"}
        How the input is interpolated that the result is added to.
    norm : {"none", "batch"}
        Normalisation inside of the residual units. Norms that see the whole tile would leave seams.
    value_range : pair of float
        Grey levels of solid and of pore, which become 0 and 1. (0, 1) takes pore fractions and masks as
        they are; a scan whose solid is 210 and whose pores are 40 has (210, 40). Values beyond are cut off.

    Raises
    ------
    ParameterError
        If a value is not allowed.

    Examples
    --------
    >>> SuperResolutionConfig(scale=8).steps
    3
    """

    task: ClassVar[str] = "super-resolution"
    ndim: ClassVar[int] = 3
    channels: ClassVar[int] = 1
    outputs: ClassVar[int] = 1

    scale: int = 4
    features: int = 32
    blocks: int = 4
    upsample: Literal["subpixel", "deconv", "linear"] = "subpixel"
    skip: Literal["linear", "nearest", "none"] = "linear"
    norm: Literal["none", "batch"] = "none"
    value_range: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.scale not in (2, 4, 8):
            raise ParameterError(f"scale={self.scale} is no factor of these networks. Use 2, 4 or 8.")
        if self.features < 8 or self.blocks < 1:
            raise ParameterError(
                f"features={self.features} and blocks={self.blocks} make no network. Give 8 channels or more, and "
                "one residual unit or more."
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                said = ", ".join(map(repr, allowed))
                raise ParameterError(
                    f"{name}={getattr(self, name)!r} is not known, or leaves seams. Use {said}."
                )
        solid, pore = (float(value) for value in self.value_range)
        object.__setattr__(self, "value_range", (solid, pore))
        if not (math.isfinite(solid) and math.isfinite(pore)) or solid == pore:
            raise ParameterError(
                f"value_range={self.value_range} does not tell solid from pore. Give two grey levels, that of solid "
                "first, such as (210, 40)."
            )

    @property
    def steps(self) -> int:
        """How often the extent is doubled."""
        return int(math.log2(self.scale))

    def definition(self) -> dict[str, Any]:
        """Return the network as bundles hold it: a class by name and its arguments."""
        return {
            "_target_": "bigrock.models.super_resolution_net.SuperResolutionNet",
            "scale": self.scale,
            "features": self.features,
            "blocks": self.blocks,
            "upsample": self.upsample,
            "skip": self.skip,
            "norm": self.norm,
        }


def tail_halo(scale: int, upsample: str) -> int:
    """Return how far what follows the residual units at low resolution looks, in voxels of the input.

    Parameters
    ----------
    scale : int
        As that of `SuperResolutionConfig`.
    upsample : str
        As that of `SuperResolutionConfig`.

    Examples
    --------
    >>> [tail_halo(scale, "subpixel") for scale in (2, 4, 8)]
    [1, 3, 4]
    """
    steps = int(math.log2(scale))
    doublings = sum((1.5 if upsample == "linear" else 1) / 2**step for step in range(steps))
    return math.ceil(doublings + sum(1 / 2**step for step in range(steps - 1)))


PAPER_SUPER_RESOLUTION = SuperResolutionConfig(scale=8, features=64, blocks=16)
"""32³ to 256³ as in the paper, which states no widths: for a GPU."""


def build_super_resolution_net(config: SuperResolutionConfig) -> nn.Module:
    """Return the network of `config`, with random weights of the current torch seed.

    Takes pore fractions (N, 1, z, y, x) float32 and gives those of the finer grid, (N, 1, s·z, s·y, s·x);
    what is given may lie a little beyond 0 and 1. Untrained, it interpolates.

    Parameters
    ----------
    config : SuperResolutionConfig
        Scale and widths.

    Returns
    -------
    torch.nn.Module
        In training mode.

    References
    ----------
    Lim et al., EDSR, CVPR workshops 2017. Aitken et al., ICNR, arXiv 1707.02937.

    Examples
    --------
    >>> import torch
    >>> net = build_super_resolution_net(SuperResolutionConfig(scale=2, features=8, blocks=1))
    >>> tuple(net(torch.zeros(1, 1, 4, 5, 6)).shape)
    (1, 1, 8, 10, 12)
    """
    from bigrock.models.super_resolution_net import SuperResolutionNet

    arguments = config.definition()
    del arguments["_target_"]
    return SuperResolutionNet(**arguments)
