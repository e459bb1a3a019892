"""A network that super-resolves volumes, as a kernel: out of core, and the same voxels for any blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Shape
from bigrock.kernels.backend import resolve, to_host
from bigrock.kernels.pore_fractions import pores_of_fractions
from bigrock.models.bundle import Bundle
from bigrock.models.grey_levels import pore_fraction
from bigrock.models.segmenting import LIBRARY_BYTES, WINDOW_OVERHEAD
from bigrock.models.super_resolution import SuperResolutionConfig, tail_halo
from bigrock.models.tiling import Tiling
from bigrock.volumes.source import Facts, Kind

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["SuperResolve", "check_threshold", "super_resolution_kernel"]

Array = npt.NDArray[Any]

WINDOW_BYTES = 2**30
"""Activations of one window, unless another size is asked for."""

_DTYPES = ("float16", "float32", "uint8")


@dataclass(frozen=True)
class SuperResolve(Kernel):
    """The volume on a grid several times finer, by the network of a bundle.

    Takes masks, and grey volumes whose `value_range` says which levels are solid and pore. Tile-exact:
    whatever the blocks and windows, the network sees all that it would see in the whole volume; results
    are the same up to the rounding of float32 (1e-6), so a voxel of a mask can differ only where it lies
    on the threshold to six digits. The voxel size becomes finer by itself.

    Parameters
    ----------
    bundle : Bundle
        Of a super-resolution, from `load_bundle`; in fingerprints and histories it stands by its digest.
    output : {"grey", "mask"}
        Pore fractions, cut off at 0 and 1; or True where they are over `threshold`.
    threshold : float or "fraction"
        Of the mask; "fraction" lets each voxel of the input keep its pore fraction
        (`bigrock.kernels.pores_of_fractions`), which suits scans with little noise.
    dtype : {"float16", "float32", "uint8"}
        Of the pore fractions; uint8 holds them times 255, rounded.
    value_range : pair of float, optional
        Grey levels of solid and of pore in the volume that is given; None: as the bundle says. Levels
        beyond are cut off. A volume of whole numbers, or of values below -0.25 or over 1.25, needs one that
        is not (0, 1).
    precision : {"float32", "bf16"}
        bf16 computes 3 times faster on processors that have it (`supports_bf16`) and on GPUs.
    backend : {"auto", "cpu", "gpu"}, optional
        As for `bigrock.kernels.backend.resolve`.
    window_voxels : int, optional
        Largest window, in voxels of the input; None: as many as take about 1 GiB in each thread.

    Raises
    ------
    BundleError
        If the bundle is for another task.
    ParameterError
        If an option is not known.

    Examples
    --------
    >>> bundle = Bundle("fine", SuperResolutionConfig(scale=4), "1f", 12, 1, 4096.0, 10**6)
    >>> SuperResolve(bundle).halo, SuperResolve(bundle).scale
    ((12, 12, 12), 4)
    """

    bundle: Bundle
    output: Literal["grey", "mask"] = "grey"
    threshold: float | Literal["fraction"] = 0.5
    dtype: Literal["float16", "float32", "uint8"] = "float16"
    value_range: tuple[float, float] | None = None
    precision: Literal["float32", "bf16"] = "float32"
    backend: Literal["auto", "cpu", "gpu"] | None = None
    window_voxels: int | None = None

    def __post_init__(self) -> None:
        if self.value_range is not None:
            object.__setattr__(self, "value_range", tuple(map(float, self.value_range)))
            SuperResolutionConfig(value_range=self.value_range)
        self.bundle.expect(SuperResolutionConfig)
        choices = (("output", ("grey", "mask")), ("dtype", _DTYPES), ("precision", ("float32", "bf16")))
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                said = " or ".join(map(repr, allowed))
                raise ParameterError(f"{name}={getattr(self, name)!r} is not known. Use {said}.")
        check_threshold(self.threshold)
        self._tiling((1, 1, 1))

    @property
    def _config(self) -> SuperResolutionConfig:
        return self.bundle.expect(SuperResolutionConfig)

    @property
    def _tail_halo(self) -> int:
        return tail_halo(self.scale, self._config.upsample)

    @property
    def halo(self) -> Shape:
        """How far the network looks."""
        return (self.bundle.halo, self.bundle.halo, self.bundle.halo)

    @property
    def scale(self) -> int:
        """How many times longer the axes become."""
        return self._config.scale

    @property
    def levels(self) -> tuple[float, float]:
        """Grey levels of solid and of pore in what is given."""
        return self.value_range or self._config.value_range

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Bool for masks, else as asked for.

        Raises
        ------
        ParameterError
            If the input holds whole numbers, and which of them are solid and pore is not known.
        """
        if dtype.kind in "iu" and self.levels == (0.0, 1.0):
            raise ParameterError(
                f"the volume holds grey levels of type {dtype}, and the model takes pore fractions from 0 to 1: all "
                "levels would be cut off at 1. Give the levels of solid and of pore, such as value_range=(210, 40) "
                "(--value-range 210,40)."
            )
        return np.dtype(bool if self.output == "mask" else self.dtype)

    def output_kind(self, kind: Kind) -> Kind:
        """A mask, or grey levels."""
        return "mask" if self.output == "mask" else "grey"

    def accepts(self, kind: Kind) -> bool:
        """Grey levels and masks."""
        return kind != "labels"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Pore fractions in float32, and a copy while they are scaled; those of the finer grid for a mask of them."""
        return 8.0 + 4.0 * self.scale**3 * self._keeps_fractions

    def worker_bytes(self, facts: Facts, threads: int) -> float:
        """PyTorch, the weights, and one window of activations in each thread."""
        tile, seen = self._tiling(facts.shape).tile, 2 * self._tail_halo
        window = math.prod(t + seen for t in tile) * self.bundle.activation_bytes
        return LIBRARY_BYTES + 3 * self.bundle.weight_bytes + threads * WINDOW_OVERHEAD * window

    def folders(self) -> dict[str, str]:
        """The folder of the bundle."""
        return {self.bundle.digest[:16]: self.bundle.folder}

    def __call__(self, array: Array, block: Block) -> Array:
        """Return pore fractions or the mask of the core, on the finer grid."""
        from bigrock.models.inference import infer

        given = np.asarray(to_host(array))
        levels = (0.0, 1.0) if given.dtype.kind == "b" else self.levels
        fraction = pore_fraction(given, levels)
        device = "cuda" if resolve(self.backend).name == "gpu" else "cpu"
        core, read = block.core, block.read
        made = self._tiling(block.volume).run(
            lambda windows, part: infer(self, windows, part, device),
            fraction[None, None],
            list(zip(read.start, read.stop, strict=True)),
            list(zip(core.start, core.stop, strict=True)),
        )[0, 0]
        return pores_of_fractions(made, fraction[block.trim]) if self._keeps_fractions else made

    def forward(self, network: nn.Module, image: Tensor, part: tuple[slice, ...]) -> Tensor:
        """Return the finer image of a part; the network drops what no longer matters as it goes."""
        made: Tensor = network(image, part)
        return made

    def answer(self, made: Tensor) -> Tensor:
        """Return pore fractions or a mask from what the network made."""
        import torch

        if self._keeps_fractions:
            return made.float()
        if self.output == "mask":
            return made > float(self.threshold)
        fraction = made.float().clamp(0, 1)
        if self.dtype == "uint8":
            return (255 * fraction).round().to(torch.uint8)
        return fraction.half() if self.dtype == "float16" else fraction

    @property
    def _keeps_fractions(self) -> bool:
        return self.output == "mask" and self.threshold == "fraction"

    def _tiling(self, volume: Shape) -> Tiling:
        window = self.window_voxels
        if window is None:
            # Most memory goes into the finer grids, where little of the halo is left.
            side = (WINDOW_BYTES / self.bundle.activation_bytes) ** (1 / 3)
            window = int(side + 2 * (self.bundle.halo - self._tail_halo)) ** 3
        return Tiling(volume, self.bundle.halo, self.bundle.stride, self.scale, window)


def check_threshold(threshold: float | str) -> None:
    """Refuse what is neither a pore fraction nor the word.

    Raises
    ------
    ParameterError
        With what is allowed.
    """
    if threshold != "fraction" and not (isinstance(threshold, int | float) and 0 < threshold < 1):
        raise ParameterError(
            f"threshold={threshold!r} is no pore fraction between 0 and 1. Give 0.5, say, or 'fraction', so that each "
            "coarse voxel keeps its own."
        )


def super_resolution_kernel(bundle: Bundle, **options: Any) -> Kernel:
    """Return what `bigrock.run` takes to super-resolve a volume.

    Parameters
    ----------
    bundle : Bundle
        Of a super-resolution, from `load_bundle`.
    **options
        As for `SuperResolve`.

    Returns
    -------
    Kernel

    Raises
    ------
    BundleError, ParameterError
        As `SuperResolve` does.

    Examples
    --------
    >>> bundle = Bundle("fine", SuperResolutionConfig(scale=8), "1f", 13, 1, 9000.0, 10**6)
    >>> super_resolution_kernel(bundle, output="mask").output_kind("grey")
    'mask'
    """
    return SuperResolve(bundle, **options)
