"""The super-resolving network itself, of MONAI's blocks; `build_super_resolution_net` makes it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from monai.networks.blocks.convolutions import Convolution, ResidualUnit
from monai.networks.blocks.upsample import SubpixelUpsample
from torch import Tensor, nn
from torch.nn import functional

from bigrock.models.super_resolution import tail_halo

__all__ = ["SuperResolutionNet"]

_ACT = ("LeakyReLU", {"negative_slope": 0.1})
_NARROWEST = 8
_UNIT_HALO = 2

Span = tuple[int, int]


class SuperResolutionNet(nn.Module):
    """EDSR: residual units at low resolution, steps that double the extent, and a skip around all of it.

    Parameters
    ----------
    scale, features, blocks : int
        As those of `SuperResolutionConfig`.
    upsample, skip, norm : str
        As those of `SuperResolutionConfig`.
    """

    def __init__(
        self,
        scale: int,
        features: int,
        blocks: int,
        upsample: str = "subpixel",
        skip: str = "linear",
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.scale, self.skip, self.tail_halo = scale, skip, tail_halo(scale, upsample)
        widths = [max(_NARROWEST, features >> step) for step in range(int(math.log2(scale)))]
        self.head = Convolution(3, 1, features, conv_only=True)
        self.body = nn.Sequential(*(_unit(features, norm) for _ in range(blocks)))
        tail: list[nn.Module] = []
        for wide, narrow in itertools.pairwise(widths):
            tail += [_doubling(wide, narrow, upsample), nn.LeakyReLU(0.1), _unit(narrow, norm)]
        last = _doubling(widths[-1], 1, upsample)
        self.tail = nn.Sequential(*tail, last)
        if skip != "none":
            _quieten(last)

    def forward(self, image: Tensor, part: tuple[slice, ...] | None = None) -> Tensor:
        """Return the finer image, or that of a part of it: the same numbers, for less work.

        Parameters
        ----------
        image : Tensor (N, 1, z, y, x)
            At low resolution.
        part : three slices, optional
            Voxels of `image`.
        """
        whole = [(0, n) for n in image.shape[2:]]
        core = whole if part is None else [(p.start, p.stop) for p in part]

        def around(reach: int) -> list[Span]:
            return [
                (max(0, a - reach), min(n, b + reach)) for (a, b), (_, n) in zip(core, whole, strict=True)
            ]

        found = moved = self.head(image)
        held = whole
        for number, unit in enumerate(self.body):
            wanted = around(self.tail_halo + _UNIT_HALO * (len(self.body) - number))
            moved, held = unit(_cut(moved, held, wanted)), wanted
        near = around(self.tail_halo)
        fine: Tensor = self.tail(_cut(found, whole, near) + _cut(moved, held, near))
        if self.skip != "none":
            options: dict[str, Any] = (
                {"mode": "trilinear", "align_corners": False} if self.skip == "linear" else {}
            )
            given = _cut(image, whole, near)
            fine = fine + functional.interpolate(given, scale_factor=self.scale, **options)
        return _cut(fine, *([(a * self.scale, b * self.scale) for a, b in spans] for spans in (near, core)))


def _cut(tensor: Tensor, held: Sequence[Span], wanted: Sequence[Span]) -> Tensor:
    """Return the voxels `wanted` of a tensor that holds `held`."""
    places = (slice(a - start, b - start) for (a, b), (start, _) in zip(wanted, held, strict=True))
    index: tuple[Any, ...] = (..., *places)
    return tensor[index]


def _unit(width: int, norm: str) -> nn.Module:
    return ResidualUnit(
        3,
        width,
        width,
        adn_ordering="NA",
        act=_ACT,
        norm="batch" if norm == "batch" else None,
        last_conv_only=True,
    )


def _doubling(wide: int, narrow: int, kind: str) -> nn.Module:
    """Return what doubles the extent of each axis."""
    if kind == "subpixel":
        # Its pad and pool would shift the image by half a voxel and take zeros for what is beyond the border.
        return SubpixelUpsample(3, wide, narrow, 2, apply_pad_pool=False)
    if kind == "deconv":
        return nn.ConvTranspose3d(wide, narrow, 4, 2, 1)
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="trilinear", align_corners=False),
        Convolution(3, wide, narrow, conv_only=True),
    )


def _quieten(part: nn.Module) -> None:
    """Make the last convolution give little, so that the network begins almost as an interpolation."""
    convolution = next(m for m in part.modules() if isinstance(m, nn.Conv3d | nn.ConvTranspose3d))
    convolution.weight.data.mul_(0.1)
    if convolution.bias is not None:
        convolution.bias.data.zero_()
