"""How far a network looks and how its lattice is spaced, measured on the network itself.

In a copy of the network all weights are made positive and all offsets zero, so that an image of
zeros gives zeros, and what one bright line changes can neither cancel nor vanish. The output shows
how far the line is seen; lines at neighbouring positions show after how many voxels the network
repeats itself.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.models.threads import one_thread

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ReceptiveField", "receptive_field"]

_LONGEST = 8192
_WIDEST = 256
_measured: dict[str, ReceptiveField] = {}


class ReceptiveField(NamedTuple):
    """What tiles of a network need; from `receptive_field`.

    Attributes
    ----------
    halo : int
        Input voxels around a voxel that can change its output, along the axis where they are most.
    stride : int
        Input voxels after which the network repeats itself: windows must begin at multiples of it.
    scale : int
        How many times longer the axes of the output are.
    """

    halo: int
    stride: int
    scale: int = 1


def receptive_field(net: nn.Module) -> ReceptiveField:
    """Return how far `net` looks, its total stride and its scale; exact.

    Takes any convolutional network in two or three dimensions whose output has the extent of its
    input times a whole number. Costs about a forward pass of a thousand voxels squared, once per
    architecture and process.

    Parameters
    ----------
    net : torch.nn.Module
        Unchanged. Its first convolution tells channels and dimensions.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    ParameterError
        If the network has a part that looks at all of its input, such as instance norm, so that no
        halo is enough; or if its output has another extent.

    Examples
    --------
    >>> from torch import nn
    >>> receptive_field(nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 5, padding=2)))
    ReceptiveField(halo=3, stride=1, scale=1)
    """
    key = f"{type(net).__module__}.{net!r}"
    if key not in _measured:
        refuse_whole_image_parts(net)
        channels, ndim = _first_convolution(net)
        probe = _positive(net)
        with one_thread():
            axes = [_along(probe, channels, ndim, axis) for axis in range(ndim)]
        if len({found.scale for found in axes}) > 1:
            raise ParameterError(
                "the network enlarges its axes by different factors: volumes are scaled alike along all. "
                "Use a network with one factor."
            )
        stride = int(np.lcm.reduce([found.stride for found in axes]))
        _measured[key] = ReceptiveField(max(found.halo for found in axes), stride, axes[0].scale)
    return _measured[key]


def refuse_whole_image_parts(net: nn.Module) -> None:
    """Refuse a network of which a part looks at all of its input, so that tiles would not meet.

    Raises
    ------
    ParameterError
        With the part.
    """
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.instancenorm import _InstanceNorm

    for name, part in net.named_modules():
        alone = isinstance(part, _InstanceNorm | nn.GroupNorm | nn.LayerNorm)
        if alone or (isinstance(part, _BatchNorm) and part.running_mean is None):
            raise ParameterError(
                f"{name or 'the network'} is {type(part).__name__}, which divides by the deviation of all that it "
                "is given: a voxel would get another result in another tile. Use batch norm (with running "
                "statistics) or none, and train the network anew."
            )


def _first_convolution(net: nn.Module) -> tuple[int, int]:
    from torch.nn.modules.conv import _ConvNd

    for part in net.modules():
        if isinstance(part, _ConvNd):
            return part.in_channels, len(part.kernel_size)
    raise ParameterError(
        "the network has no convolution: how far it looks cannot be measured. Give another one."
    )


def _positive(net: nn.Module) -> nn.Module:
    """Return a copy in which everything adds up: positive weights, no offsets."""
    import torch

    probe = copy.deepcopy(net).eval().cpu().float()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in [*probe.named_parameters(), *probe.named_buffers()]:
            if name.endswith(("bias", "running_mean")):
                value.zero_()
            elif value.ndim > 1:
                # A line along the other axes then gains 1/1.7 at the edge of each kernel, less than 1.8
                # in all: hundreds of layers neither overflow nor underflow.
                taps = value.shape[1] * value[0, 0].numel() ** (1 - 1 / max(1, value.ndim - 2))
                value.copy_((0.75 + 0.5 * torch.rand(value.shape, generator=generator)) / (1.7 * taps))
            elif value.is_floating_point():
                value.fill_(1.0)
    return probe


def _along(probe: nn.Module, channels: int, ndim: int, axis: int) -> ReceptiveField:
    """Return what lines across one axis show."""
    width, length, phases = 1, 256, 8
    while length <= _LONGEST and phases <= length // 4:
        rest = [width] * ndim
        rest[axis] = length
        try:
            profile, scale = _profiles(probe, (channels, *rest), axis, phases)
        except (RuntimeError, ValueError):
            # The extent across is too small to be halved so often, or is no multiple of the stride.
            if width == _WIDEST:
                raise
            width *= 2
            continue
        seen = profile > 0
        if seen[:, : 2 * scale].any() or seen[:, -2 * scale :].any():
            length *= 2
            continue
        stride = _period(profile, scale)
        if stride is None:
            phases *= 2
            length = max(length, 4 * phases)
            continue
        where = np.arange(phases) + length // 2
        first = np.argmax(seen, axis=1) // scale
        last = (seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)) // scale
        return ReceptiveField(int(max((where - first).max(), (last - where).max())), stride, scale)
    raise ParameterError(
        f"the network looks further than {_LONGEST // 2} voxels, or at all of its input: no halo is enough. "
        "Use a network of convolutions without global pooling or attention."
    )


def _profiles(
    probe: nn.Module, shape: tuple[int, ...], axis: int, phases: int
) -> tuple[npt.NDArray[Any], int]:
    """Return what each of `phases` neighbouring lines changes along `axis`, and the scale."""
    import torch

    length = shape[1 + axis]
    lines = torch.zeros((phases, *shape))
    for phase in range(phases):
        lines[phase].narrow(1 + axis, length // 2 + phase, 1).fill_(1.0)
    with torch.inference_mode():
        dark = probe(torch.zeros((1, *shape)))
        seen = torch.cat([(probe(line[None]) - dark).abs() for line in lines])
    scale, rest = divmod(seen.shape[2 + axis], length)
    if rest or not scale:
        raise ParameterError(
            f"the network gives {seen.shape[2 + axis]} voxels for {length}: tiles would not meet. Use "
            "convolutions that are padded to keep the extent."
        )
    others = tuple(a for a in range(1, seen.ndim) if a != 2 + axis)
    return seen.double().sum(dim=others).numpy(), scale


def _period(profile: npt.NDArray[Any], scale: int) -> int | None:
    """Return after how many voxels the profiles repeat, shifted; None where that cannot be told yet."""
    phases = len(profile)
    for period in range(1, phases // 2 + 1):
        shifted = profile[period:, period * scale :]
        if np.allclose(shifted, profile[:-period, : -period * scale], rtol=1e-3, atol=0):
            return period
    return None
