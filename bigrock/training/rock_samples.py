"""What networks are shown of rocks: each sample is decided by its number alone.

So it does not matter which process makes it, or whether training was interrupted before it. All rocks
are shown once, in random order, before any is shown again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.low_resolution import low_resolution
from bigrock.training.dihedral import along_flow, any_turn
from bigrock.training.rock_settings import FineTuning, SuperResolutionTraining, SurrogateTraining
from bigrock.training.rocks import Targets, TrainingRocks

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FinePatches", "FlowImages", "FlowPairs", "coarse_of", "softened"]

Array = npt.NDArray[Any]


class _Order:
    """Which of `count` things is the next: a new permutation for every pass."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self._pass, self._order = count, seed, -1, np.empty(0, int)

    def __getitem__(self, index: int) -> int:
        number, place = divmod(index, self.count)
        if number != self._pass:
            self._pass, self._order = (
                number,
                np.random.default_rng((self.seed, number)).permutation(self.count),
            )
        return int(self._order[place])


class FinePatches:
    """Coarse and fine images of the same part of a rock, in any of 48 orientations.

    Parameters
    ----------
    rocks : TrainingRocks
        Fine images.
    scale : int
        How many times coarser what the network is given is.
    training : SuperResolutionTraining
        Patch, coarsening, seed.

    Examples
    --------
    >>> sample = FinePatches(TrainingRocks(np.ones((1, 8, 8, 8))), 4, SuperResolutionTraining())[0]
    >>> tuple(sample["image"].shape), tuple(sample["label"].shape)
    ((1, 2, 2, 2), (1, 8, 8, 8))
    """

    def __init__(self, rocks: TrainingRocks, scale: int, training: SuperResolutionTraining) -> None:
        self.rocks, self.scale, self.training = rocks, scale, training
        self._order = _Order(len(rocks), training.seed)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.training.seed, 1, index))
        fine = np.asarray(self.rocks.images[self._order[index]])
        if self.training.patch is not None:
            places = [
                rng.integers((n - self.training.patch) // self.scale + 1) * self.scale for n in fine.shape
            ]
            fine = fine[tuple(slice(p, p + self.training.patch) for p in places)]
        fine = any_turn(rng, fine)
        coarse = coarse_of(fine, self.scale, index, self.training.coarsening.options)
        return {"image": coarse, "label": _tensor(fine)}


class FlowImages:
    """Images with the flow along their first axis, and their standardised log10 k.

    Parameters
    ----------
    rocks : TrainingRocks
        Images.
    targets : Targets
        Of the rocks.
    standard : pair of float
        Mean and standard deviation of log10 k.
    training : SurrogateTraining
        Augmentation, seed.

    Examples
    --------
    >>> rocks = TrainingRocks(np.ones((1, 8, 8, 8)), [100.0])
    >>> FlowImages(rocks, rocks.targets(), (1.0, 0.5), SurrogateTraining())[0]["label"]
    tensor([2.])
    """

    def __init__(
        self,
        rocks: TrainingRocks,
        targets: Targets,
        standard: tuple[float, float],
        training: SurrogateTraining,
    ) -> None:
        self.rocks, self.targets, self.standard, self.training = rocks, targets, standard, training
        self._order = _Order(len(targets), training.seed)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        import torch

        rng = np.random.default_rng((self.training.seed, 1, index))
        number = self._order[index]
        image = self.targets.image(self.rocks.images, number)
        if self.training.augment:
            image = along_flow(rng, image)
        if rng.random() < self.training.soft:
            image = softened(rng, image)
        mean, deviation = self.standard
        label = torch.tensor([(self.targets.log10_k[number] - mean) / deviation], dtype=torch.float32)
        return {"image": _tensor(image), "label": label}


class FlowPairs:
    """Coarse images with the flow along their first axis; as label the fine image, and log10 k as its last number.

    MONAI's engine moves one tensor to the device, so the two labels are one: `FlowPairs.parts` takes
    it apart.

    Parameters
    ----------
    rocks : TrainingRocks
        Fine images.
    targets : Targets
        Of the rocks.
    scale : int
        How many times coarser what the network is given is.
    training : FineTuning
        Coarsening, seed.

    Examples
    --------
    >>> rocks = TrainingRocks(np.ones((1, 8, 8, 8)), [100.0])
    >>> sample = FlowPairs(rocks, rocks.targets(), 4, FineTuning())[0]
    >>> tuple(sample["image"].shape), tuple(sample["label"].shape)
    ((1, 2, 2, 2), (513,))
    """

    def __init__(self, rocks: TrainingRocks, targets: Targets, scale: int, training: FineTuning) -> None:
        self.rocks, self.targets, self.scale, self.training = rocks, targets, scale, training
        self._order = _Order(len(targets), training.seed)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.training.seed, 1, index))
        return self.pair(rng, self._order[index], index)

    def pair(self, rng: np.random.Generator | None, number: int, seed: int) -> dict[str, Tensor]:
        """Return a target as a sample, in a random orientation where there is a generator."""
        import torch

        fine = self.targets.image(self.rocks.images, number)
        if rng is not None:
            fine = along_flow(rng, fine)
        coarse = coarse_of(fine, self.scale, seed, self.training.coarsening.options)
        wanted = torch.tensor([self.targets.log10_k[number]], dtype=torch.float32)
        return {"image": coarse, "label": torch.cat([_tensor(fine).flatten(), wanted])}

    @staticmethod
    def parts(label: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return fine images of the shape of `like`, and log10 k (N, 1)."""
        return label[:, :-1].reshape(like.shape), label[:, -1:]


def softened(rng: np.random.Generator, image: Array) -> Array:
    """Return an image mixed with itself made 2 or 4 times coarser and enlarged again.

    Examples
    --------
    >>> soft = softened(np.random.default_rng(1), np.indices((8, 8, 8))[0] % 2)
    >>> bool(0 < soft.min() < soft.max() < 1)
    True
    """
    from torch.nn import functional

    factors = [f for f in (2, 4) if not any(n % f for n in image.shape)]
    if not factors:
        return image
    factor, share = int(rng.choice(factors)), rng.random()
    sharp = _tensor(image)[None]
    blurred = functional.interpolate(
        functional.avg_pool3d(sharp, factor), scale_factor=factor, mode="trilinear", align_corners=False
    )
    return sharp.lerp(blurred, share)[0, 0].numpy()


def coarse_of(fine: Array, scale: int, seed: int, options: Mapping[str, Any]) -> Tensor:
    """Return what a network that super-resolves is given of an image: (1, z, y, x), 0 to 1."""
    return _tensor(low_resolution(fine, factor=scale, seed=seed, **options)).clamp_(0, 1)


def _tensor(image: Array) -> Tensor:
    """Return an image as float32 (1, z, y, x)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
