"""The surrogate itself: 2-D or 3-D convolutions, or a lattice with a flow; `build_surrogate_net` makes it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from bigrock.models.darcy import effective_log_k
from bigrock.models.surrogate import CELL_HALVINGS

__all__ = ["SurrogateNet", "binarized", "of_fractions"]

_ACT = ("LeakyReLU", {"negative_slope": 0.1})


class SurrogateNet(nn.Module):
    """Networks side by side, each of which gives one number per image.

    Parameters
    ----------
    edge, head, members : int
        As those of `SurrogateConfig`.
    architecture, views, norm : str
        As those of `SurrogateConfig`.
    features : sequence of int
        As those of `SurrogateConfig`.
    dropout : float
        As that of `SurrogateConfig`.
    binarize : bool
        As that of `SurrogateConfig`.
    deviation : float
        `log10_k_std` of `SurrogateConfig`, which "darcy" alone needs: its conductivities have a unit.
    """

    def __init__(
        self,
        edge: int,
        architecture: str,
        views: str,
        features: Sequence[int],
        head: int,
        dropout: float,
        norm: str,
        members: int,
        binarize: bool,
        deviation: float = 1.0,
    ) -> None:
        super().__init__()
        self.binarize = binarize

        def member() -> nn.Module:
            if architecture == "darcy":
                return _Lattice(features, head, dropout, norm, deviation)
            eyes: _Channels | _Slices | _Volume
            if architecture == "conv3d":
                eyes = _Volume(features, norm)
            elif views == "shared":
                eyes = _Slices(features, norm)
            else:
                eyes = _Channels(edge, features, norm)
            return nn.Sequential(
                eyes, nn.Dropout(dropout), nn.Linear(eyes.width, head), nn.ReLU(), nn.Linear(head, 1)
            )

        self.members = nn.ModuleList(member() for _ in range(members))

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, members) of images (N, 1, z, y, x)."""
        if self.binarize:
            image = binarized(image)
        return torch.cat([member(image) for member in self.members], dim=1)


class _Channels(nn.Module):
    """Three branches; the slices of a view are the channels of its first convolution."""

    def __init__(self, edge: int, features: Sequence[int], norm: str) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_strided(2, edge, features, norm) for _ in range(3))
        self.width = features[-1]

    def forward(self, image: Tensor) -> Tensor:
        seen = zip(self.branches, _views(image), strict=True)
        return torch.stack([branch(view).mean((2, 3)) for branch, view in seen]).sum(0)


class _Slices(nn.Module):
    """Three branches; each slice of a view goes through the same convolutions."""

    def __init__(self, features: Sequence[int], norm: str) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_strided(2, 1, features, norm) for _ in range(3))
        self.width = 2 * features[-1]

    def forward(self, image: Tensor) -> Tensor:
        total = image.new_zeros(())
        seen = zip(self.branches, _views(image), (2, 3, 4), strict=True)
        for branch, view, axis in seen:
            slices = branch(view.flatten(0, 1)[:, None]).unflatten(0, view.shape[:2])
            total = total + _pooled(slices.movedim(1, axis))
        return total


class _Volume(nn.Module):
    """Strided 3-D convolutions."""

    def __init__(self, features: Sequence[int], norm: str) -> None:
        super().__init__()
        self.branch = _strided(3, 1, features, norm)
        self.width = 2 * features[-1]

    def forward(self, image: Tensor) -> Tensor:
        return _pooled(self.branch(image))


class _Lattice(nn.Module):
    """3-D convolutions that tell the conductivities of cells, and Darcy's flow through the cells."""

    def __init__(
        self, features: Sequence[int], head: int, dropout: float, norm: str, deviation: float
    ) -> None:
        super().__init__()
        self.cells = nn.Sequential(
            _strided(3, 1, features, norm, halvings=CELL_HALVINGS),
            nn.Dropout(dropout),
            nn.Conv3d(features[-1], head, 1),
            nn.ReLU(),
            nn.Conv3d(head, 3, 1),
        )
        self.unit = math.log(10) * deviation

    def forward(self, image: Tensor) -> Tensor:
        log_k = effective_log_k(self.unit * self.cells(image).float())
        return (log_k / self.unit).float()[:, None]


def _views(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the xy, xz and yz slices of (N, 1, z, y, x), each as (N, slice, …)."""
    volume = image[:, 0]
    return volume, volume.transpose(1, 2), volume.movedim(3, 1)


def _pooled(found: Tensor) -> Tensor:
    """Return two numbers of each feature of (N, features, z, y, x): its mean, and its mean as of a conductance.

    Features are taken for logarithms: side by side across the flow conductances add up, one after the
    other along it resistances do.
    """
    found = found.float()
    planes = torch.logsumexp(found, (3, 4)) - math.log(found.shape[3] * found.shape[4])
    series = math.log(found.shape[2]) - torch.logsumexp(-planes, 2)
    return torch.cat([found.mean((2, 3, 4)), series], dim=1)


def _strided(
    ndim: int, channels: int, features: Sequence[int], norm: str, halvings: int | None = None
) -> nn.Sequential:
    """Return convolutions, the first `halvings` of which (None: all) halve the extent."""
    strides = [2 if halvings is None or number < halvings else 1 for number in range(len(features))]
    return nn.Sequential(
        *(
            Convolution(
                ndim,
                given,
                made,
                strides=stride,
                adn_ordering="NA",
                act=_ACT,
                norm="batch" if norm == "batch" else None,
            )
            for given, made, stride in zip([channels, *features], features, strides, strict=False)
        )
    )


def binarized(image: Tensor) -> Tensor:
    """Return 1 where `image` is over one half, else 0; gradients pass as if nothing were done.

    Examples
    --------
    >>> image = torch.tensor([0.2, 0.7], requires_grad=True)
    >>> binarized(image).sum().backward()
    >>> image.grad
    tensor([1., 1.])
    """
    return _straight_through(image, image > 0.5)


def of_fractions(image: Tensor, fine: Tensor, factor: int) -> Tensor:
    """Return images as masks in which each coarse voxel has the pores of `fine`; gradients pass as above.

    The same mask as that of `bigrock.kernels.pores_of_fractions`.

    Parameters
    ----------
    image : Tensor (N, 1, z, y, x)
        The higher, the likelier pore.
    fine : Tensor (N, 1, z, y, x)
        True pores, 0 and 1.
    factor : int
        Voxels along a coarse one.

    Examples
    --------
    >>> image = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
    >>> of_fractions(image, (image == 3).float(), 2).flatten().tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """
    cubes = _cubes(image.detach(), factor)
    order = cubes.flatten(4).argsort(dim=-1, descending=True, stable=True)
    pores = _cubes(fine, factor).flatten(4).sum(-1, keepdim=True).round()
    chosen = torch.arange(factor**3, device=image.device) < pores
    mask = torch.zeros_like(order, dtype=torch.bool).scatter_(-1, order, chosen)
    return _straight_through(
        image, mask.reshape(cubes.shape).permute(0, 1, 4, 2, 5, 3, 6).reshape(image.shape)
    )


def _cubes(image: Tensor, factor: int) -> Tensor:
    """Return (N, z, y, x, factor, factor, factor) of (N, 1, …)."""
    many, _, *extent = image.shape
    split = [size for n in extent for size in (n // factor, factor)]
    return image.reshape(many, *split).permute(0, 1, 3, 5, 2, 4, 6)


def _straight_through(image: Tensor, mask: Tensor) -> Tensor:
    return image + (mask.to(image.dtype) - image).detach()
