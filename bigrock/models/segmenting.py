"""A network that segments slices, as a kernel: out of core, and the same labels for any blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Shape
from bigrock.kernels.backend import resolve, to_host
from bigrock.models.bundle import Bundle
from bigrock.models.networks import SegmentationConfig
from bigrock.models.tiling import Tiling
from bigrock.volumes.source import Facts, Kind

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["SegmentSlices", "segmentation_kernel"]

Array = npt.NDArray[Any]

LIBRARY_BYTES = 450 * 2**20
"""What PyTorch and MONAI take in a process, once, beside the engine."""

WINDOW_OVERHEAD = 1.5
"""Peak of a forward pass over the arrays that can be counted: what oneDNN reorders them into."""


@dataclass(frozen=True)
class SegmentSlices(Kernel):
    """Class labels of standardised slices, by the network of a bundle.

    Tile-exact: whatever the blocks and windows, the network sees all that it would see in the whole
    slice. On a CPU the labels of any blocks were bitwise those of whole slices in every test (one
    thread per block, so that sums are never split otherwise); on a GPU, or on another processor, the
    logits are the same up to the rounding of float32, and a voxel where two classes tie to seven
    digits may get the other one.

    Costs a forward pass; where slices are larger than `window_voxels`, times the share that the halos
    add (1.3 at the default window and halo 92). Blocks hold whole slices where the memory allows.

    Parameters
    ----------
    bundle : Bundle
        From `load_bundle`; in fingerprints and histories it stands by its digest.
    output : {"labels", "probability", "entropy"}
        Labels (uint8, with the class table); the softmax of one class; or the entropy of all classes
        over its maximum ln n: 0 where the network is sure, 1 where it cannot tell. The latter two are
        grey volumes of float16. Volumes have no channels, so each class is a run of its own.
    of : str, optional
        The class whose probability is asked for.
    precision : {"float32", "bf16"}
        bf16 computes 3 times faster on processors that have it (`supports_bf16`) and on GPUs, and
        changes about 1 label in 1000.
    backend : {"auto", "cpu", "gpu"}, optional
        As for `bigrock.kernels.backend.resolve`.
    window_voxels : int
        Largest window, which decides the memory: `Bundle.activation_bytes` for each voxel, in each
        thread.

    Raises
    ------
    ParameterError
        If an option is not known, or `of` is no class.

    Examples
    --------
    >>> from bigrock.models import SegmentationConfig
    >>> bundle = Bundle("pores", SegmentationConfig({"solid": 0, "pore": 1}), "1f", 92, 16, 256.0, 10**6)
    >>> SegmentSlices(bundle).halo, SegmentSlices(bundle, "probability", of="pore").output_dtype(np.dtype("f4"))
    ((0, 92, 92), dtype('float16'))
    """

    whole_slices: ClassVar[bool] = True

    bundle: Bundle
    output: Literal["labels", "probability", "entropy"] = "labels"
    of: str | None = None
    precision: Literal["float32", "bf16"] = "float32"
    backend: Literal["auto", "cpu", "gpu"] | None = None
    window_voxels: int = 2**21

    def __post_init__(self) -> None:
        self.bundle.expect(SegmentationConfig)
        if self.output not in ("labels", "probability", "entropy"):
            raise ParameterError(
                f"output={self.output!r} is not known. Use 'labels', 'probability' or 'entropy'."
            )
        if self.precision not in ("float32", "bf16"):
            raise ParameterError(f"precision={self.precision!r} is not known. Use 'float32' or 'bf16'.")
        if (self.output == "probability") != (self.of is not None):
            raise ParameterError(
                f"output={self.output!r} with of={self.of!r}: a probability is that of one class, and other outputs "
                f"are of all. Give of= with output='probability', one of: {', '.join(self.bundle.classes)}."
            )
        if self.of is not None and self.of not in self.bundle.classes:
            raise ParameterError(
                f"of={self.of!r} is no class of the model. Use one of: {', '.join(self.bundle.classes)}."
            )
        self._tiling((1, self.bundle.stride, self.bundle.stride))

    @property
    def _config(self) -> SegmentationConfig:
        return self.bundle.expect(SegmentationConfig)

    @property
    def halo(self) -> Shape:
        """Neighbouring slices, and how far the network looks within slices."""
        return (self._config.neighbours, self.bundle.halo, self.bundle.halo)

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """uint8 for labels, float16 else."""
        return np.dtype(np.uint8 if self.output == "labels" else np.float16)

    def output_kind(self, kind: Kind) -> Kind:
        """Labels, or grey levels."""
        return "labels" if self.output == "labels" else "grey"

    def output_classes(self, classes: Mapping[str, int]) -> dict[str, int]:
        """Class table of the network."""
        return self.bundle.classes

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A float32 copy where the input is none; at the first and last slice, one with that slice repeated."""
        return 4.0 * ((dtype != np.float32) + (self._config.neighbours > 0))

    def worker_bytes(self, facts: Facts, threads: int) -> float:
        """PyTorch, the weights, and one window of activations in each thread."""
        logits = 8 + 8 * len(self.bundle.classes)
        window = self._tiling(facts.shape).largest_batch * (self.bundle.activation_bytes + logits)
        return LIBRARY_BYTES + 3 * self.bundle.weight_bytes + threads * WINDOW_OVERHEAD * window

    def folders(self) -> dict[str, str]:
        """The folder of the bundle."""
        return {self.bundle.digest[:16]: self.bundle.folder}

    def __call__(self, array: Array, block: Block) -> Array:
        """Return labels, probabilities or entropies of the core."""
        from bigrock.models.inference import infer

        images = _with_neighbours(np.asarray(to_host(array), np.float32), block, self._config.neighbours)
        device = "cuda" if resolve(self.backend).name == "gpu" else "cpu"
        core, read = block.core, block.read
        return self._tiling(block.volume).run(
            lambda windows, part: infer(self, windows, part, device),
            images,
            list(zip(read.start[1:], read.stop[1:], strict=True)),
            list(zip(core.start[1:], core.stop[1:], strict=True)),
        )

    def forward(self, network: nn.Module, image: Tensor, part: tuple[slice, ...]) -> Tensor:
        """Return the logits of a part of the image."""
        logits: Tensor = network(image)[(..., *part)]
        return logits

    def answer(self, made: Tensor) -> Tensor:
        """Return labels, probabilities or entropies from logits (N, classes, y, x)."""
        import torch

        if self.output == "labels":
            return made.argmax(dim=1).to(torch.uint8)
        probability = torch.softmax(made.float(), dim=1)
        if self.of is not None:
            return probability[:, self.bundle.classes[self.of]].half()
        entropy = torch.special.entr(probability).sum(dim=1)
        return (entropy / torch.log(torch.tensor(float(made.shape[1])))).half()

    def _tiling(self, volume: Shape) -> Tiling:
        return Tiling(volume[1:], self.bundle.halo, self.bundle.stride, window_voxels=self.window_voxels)


def _with_neighbours(array: Array, block: Block, neighbours: int) -> Array:
    """Return every slice of the core with its neighbours as channels: (z, 1 + 2·neighbours, y, x), a view.

    Beyond the first and the last slice of the volume, that slice is repeated.
    """
    if not neighbours:
        return array[:, None]
    below = neighbours - (block.core.start[0] - block.read.start[0])
    above = neighbours - (block.read.stop[0] - block.core.stop[0])
    if below or above:
        array = np.pad(array, ((below, above), (0, 0), (0, 0)), mode="edge")
    stacked = np.lib.stride_tricks.sliding_window_view(array, 1 + 2 * neighbours, axis=0)
    return np.moveaxis(stacked, -1, 1)


def segmentation_kernel(bundle: Bundle, **options: Any) -> Kernel:
    """Return what `bigrock.run` takes to segment a grey scan: standardise as in training, then the network.

    Parameters
    ----------
    bundle : Bundle
        From `load_bundle`.
    **options
        As for `SegmentSlices`.

    Returns
    -------
    Kernel

    Examples
    --------
    >>> from bigrock.models import SegmentationConfig
    >>> bundle = Bundle("pores", SegmentationConfig({"solid": 0, "pore": 1}), "1f", 92, 16, 256.0, 10**6)
    >>> [type(stage).__name__ for stage in segmentation_kernel(bundle).stages]
    ['Standardize', 'SegmentSlices']
    """
    from bigrock.kernels import Standardize

    segment = SegmentSlices(bundle, **options)
    per = bundle.expect(SegmentationConfig).standardize
    return segment if per == "none" else Standardize(per) | segment
