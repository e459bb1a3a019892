"""Run a network tile by tile so that no tile shows: the same result as of the whole image at once.

Windows begin at multiples of the network's stride, counted from the corner of the volume, and reach
as far around their tile as the network looks. Only at the true border is anything made up: there,
and only there, the last voxels are repeated until the extent is a multiple of the stride. For any
number of axes, and for networks that enlarge.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Tiling", "whole_forward"]

BATCH_VOXELS = 2**18
"""Windows are put together up to this size: more makes no device faster."""

Array = npt.NDArray[Any]
Span = tuple[int, int]


@dataclass(frozen=True)
class _Tile:
    """One axis of a tile: what it owns, and the window that decides it; the window may stick out."""

    core: Span
    window: Span


@dataclass(frozen=True)
class Tiling:
    """How a volume is cut into windows of a network; the same for every block of it.

    With `halo` and `stride` of `receptive_field`, the result is that of the whole volume in one
    window: the same arithmetic on the same numbers, equal up to the rounding of float32, which
    libraries do otherwise for windows of other extent (observed: 1e-6; often bitwise).

    Parameters
    ----------
    shape : tuple of int
        Extent of the whole volume along the axes that the network looks along; any number of axes.
    halo, stride, scale : int
        Of the network.
    window_voxels : int
        About the largest window; a volume that is no larger is one window.

    Raises
    ------
    ParameterError
        If the halo is negative, or stride, scale or window are not positive.

    Examples
    --------
    >>> Tiling((1000, 5000), halo=92, stride=16, window_voxels=2**20).tile
    (1008, 848)
    """

    shape: tuple[int, ...]
    halo: int
    stride: int
    scale: int = 1
    window_voxels: int = 2**21

    def __post_init__(self) -> None:
        if self.halo < 0 or min(self.stride, self.scale, self.window_voxels) < 1:
            raise ParameterError(
                f"halo {self.halo}, stride {self.stride}, scale {self.scale} and window {self.window_voxels} make no "
                "tiles. Give a halo of 0 or more, and positive numbers else."
            )

    @property
    def tile(self) -> tuple[int, ...]:
        """Voxels along each axis that one window decides: all, or as many as the window allows.

        At least two halos, or the windows would be nothing but halo.
        """
        margin = 2 * self._ceil(self.halo)
        tile = [self._ceil(n) for n in self.shape]
        left, axes = self.window_voxels, len(tile)
        for axis in sorted(range(axes), key=lambda a: tile[a]):
            side = int(left ** (1 / axes) + 1e-6)
            if tile[axis] > side:
                part = max((side - margin) // self.stride * self.stride, margin, self.stride)
                tile[axis] = min(part, tile[axis])
                left //= side
            else:
                left //= tile[axis]
            left, axes = max(1, left), axes - 1
        return tuple(tile)

    @property
    def largest_batch(self) -> int:
        """Voxels that the network is given at once, at most: small windows go together."""
        return max(BATCH_VOXELS, self.largest_window)

    @property
    def largest_window(self) -> int:
        """Voxels of the largest window."""
        sides = (
            min(self._ceil(n), t + 2 * self._ceil(self.halo))
            for n, t in zip(self.shape, self.tile, strict=True)
        )
        return math.prod(sides)

    def run(
        self,
        network: Callable[[Array, tuple[slice, ...]], Array],
        images: Array,
        held: Sequence[Span],
        core: Sequence[Span],
    ) -> Array:
        """Return what `network` makes of a block.

        Parameters
        ----------
        network : callable
            Takes (N, C, *window), C-contiguous, and which part of the window is asked for; gives
            (N, …, *part times scale).
        images : ndarray, shape (N, C, …)
            N images that do not see one another, over the region `held`.
        held, core : sequence of (start, stop)
            Along each axis, in voxels of the volume: what `images` covers, which is the core and the
            halo, clipped to the volume; and what is asked for.

        Returns
        -------
        ndarray, shape (N, …, core times scale)
        """
        axes = [self._cut(*piece) for piece in zip(core, self.shape, self.tile, strict=True)]
        result: Array | None = None
        for tile in itertools.product(*axes):
            voxels = math.prod(t.window[1] - t.window[0] for t in tile)
            batch = max(1, BATCH_VOXELS // voxels)
            part = tuple(slice(t.core[0] - t.window[0], t.core[1] - t.window[0]) for t in tile)
            place = [self._scaled(t.core, start) for t, (start, _) in zip(tile, core, strict=True)]
            for first in range(0, len(images), batch):
                given = _window(images[first : first + batch], held, tile)
                made = network(given, part)
                if result is None:
                    extent = ((stop - start) * self.scale for start, stop in core)
                    result = np.empty((len(images), *made.shape[1 : -len(tile)], *extent), made.dtype)
                into: tuple[Any, ...] = (slice(first, first + batch), ..., *place)
                result[into] = made
        assert result is not None, "a core holds at least one voxel"
        return result

    def _cut(self, core: Span, extent: int, tile: int) -> list[_Tile]:
        """Return the tiles of the volume's lattice along one axis, cut to the core."""
        tiles = []
        for begin in range(core[0] // tile * tile, core[1], tile):
            start, stop = max(core[0], begin), min(core[1], begin + tile)
            low = max(0, start - self.halo) // self.stride * self.stride
            tiles.append(_Tile((start, stop), (low, self._ceil(min(extent, stop + self.halo)))))
        return tiles

    def _ceil(self, voxels: int) -> int:
        return -(-voxels // self.stride) * self.stride

    def _scaled(self, span: Span, origin: int) -> slice:
        return slice((span[0] - origin) * self.scale, (span[1] - origin) * self.scale)


def _window(images: Array, held: Sequence[Span], tile: Sequence[_Tile]) -> Array:
    """Return the images over a window; where they end before it, the last voxels are repeated.

    At the true border that is what the whole image is given as well. Elsewhere it fills the window
    to the lattice, with voxels that the network does not look at from the tile.
    """
    index: list[slice] = []
    pads: list[Span] = [(0, 0), (0, 0)]
    for (start, stop), piece in zip(held, tile, strict=True):
        low, high = piece.window
        index.append(slice(max(low, start) - start, min(high, stop) - start))
        pads.append((max(0, start - low), max(0, high - stop)))
    part = images[(slice(None), slice(None), *index)]
    return np.pad(part, pads, mode="edge") if any(map(any, pads)) else np.ascontiguousarray(part)


def whole_forward(net: nn.Module, images: Array, stride: int) -> Array:
    """Return what `net` makes of whole images in one pass: what tiles are held against.

    Images whose extent is no multiple of `stride` are padded at the end by repeating the last voxels,
    and the result is cut back.

    Parameters
    ----------
    net : torch.nn.Module
        Padded convolutions of scale 1, in two or three dimensions.
    images : ndarray of float32, shape (N, C, …)
        Standardised.
    stride : int
        Of `receptive_field`.

    Returns
    -------
    ndarray of float32, shape (N, classes, …)
        Logits.

    Examples
    --------
    >>> from torch import nn
    >>> whole_forward(nn.MaxPool2d(1), np.zeros((1, 1, 5, 7), np.float32), stride=4).shape
    (1, 1, 5, 7)
    """
    import torch

    extent = images.shape[2:]
    tiling = Tiling(extent, 0, stride, window_voxels=images[:1, :1].size * stride ** len(extent))
    spans: list[Iterator[Any] | Span] = [(0, n) for n in extent]

    def network(batch: Array, part: tuple[Any, ...]) -> Array:
        with torch.inference_mode():
            made: Array = net(torch.from_numpy(batch)).numpy()
        return made[(..., *part)]

    return tiling.run(network, np.asarray(images, np.float32), spans, spans)  # type: ignore[arg-type]
