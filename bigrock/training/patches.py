"""Patches of annotated slices: balanced over the classes, varied, and each decided by its number alone.

Patch i follows from the seed and i. So it does not matter which process makes it, or whether training
was interrupted before it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.training.settings import Augmentation, TrainingConfig
from bigrock.training.slices import IGNORE, TrainingSlice

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Patches"]

_SPACING = 24


class Patches:
    """A dataset of patches, for `torch.utils.data.DataLoader`: ``{"image": float32, "label": uint8}``.

    Parameters
    ----------
    slices : sequence of TrainingSlice
        Annotated, as `bigrock.training.slices.check_slices` wants them.
    config : TrainingConfig
        Extent, balance, augmentation, seed, and with them how many patches there are.

    Raises
    ------
    ParameterError
        If no pixel is annotated.

    Examples
    --------
    >>> ground = TrainingSlice(np.zeros((40, 40)), np.tile(np.uint8([0, 1]), (40, 20)))
    >>> patches = Patches([ground], TrainingConfig(patch=16))
    >>> tuple(patches[0]["image"].shape), tuple(patches[0]["label"].shape)
    ((1, 16, 16), (1, 16, 16))
    """

    def __init__(self, slices: Sequence[TrainingSlice], config: TrainingConfig) -> None:
        self.slices = list(slices)
        self.config = config
        self.margin = _margin(config.patch, config.augmentation)
        # Pixels of every slice by class: 4 bytes a pixel, and any pixel of a class is found at once.
        self._pixels = [np.argsort(s.label, axis=None, kind="stable").astype(np.uint32) for s in self.slices]
        self._counts = np.array([np.bincount(s.label.ravel(), minlength=256) for s in self.slices])
        self._present = np.flatnonzero(self._counts[:, :IGNORE].sum(0))
        if not self._present.size:
            raise ParameterError("no pixel is annotated: nothing can be learnt. Annotate some.")
        self._vary: Any = None

    def __len__(self) -> int:
        return self.config.steps * self.config.batch

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        import torch

        rng = np.random.default_rng((self.config.seed, index))
        image, label = self.cut(*self.place(rng))
        if self._vary is None:
            self._vary = _augmenting(self.config.patch, self.config.augmentation)
        image, label = self._vary(rng, image, label)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(image, np.float32)),
            "label": torch.from_numpy(np.ascontiguousarray(label, np.uint8)),
        }

    def place(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Return a slice, and the row and column at which a patch begins that holds an annotated pixel."""
        classes = self._present
        if rng.random() < self.config.balance:
            classes = rng.choice(self._present, size=1)
        many = self._counts[:, classes]
        which = int(rng.integers(many.sum()))
        flat = np.searchsorted(np.cumsum(many), which, side="right")
        number, column = divmod(int(flat), len(classes))
        first = int(self._counts[number, : classes[column]].sum())
        within = which - int(many.ravel()[:flat].sum())
        height, width = self.slices[number].label.shape
        row, col = divmod(int(self._pixels[number][first + within]), width)
        offset = rng.integers(self.config.patch, size=2)
        return (
            number,
            _begin(row - offset[0], height, self.config.patch),
            _begin(col - offset[1], width, self.config.patch),
        )

    def cut(self, number: int, row: int, column: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return image and label of a patch with its margin; beyond the slice nothing is annotated."""
        item = self.slices[number]
        spans, pads = [], []
        for start, extent in zip((row, column), item.label.shape, strict=True):
            low, high = start - self.margin, start + self.config.patch + self.margin
            spans.append(slice(max(0, low), min(extent, high)))
            pads.append((max(0, -low), max(0, high - extent)))
        image, label = item.image[:, *spans], item.label[None, *spans]
        if any(map(any, pads)):
            image = np.pad(image, [(0, 0), *pads], mode="edge")
            label = np.pad(label, [(0, 0), *pads], constant_values=IGNORE)
        return image, label


def _begin(wanted: int, extent: int, patch: int) -> int:
    """Return where a patch begins so that it lies in the slice; centred on a slice that is smaller."""
    return int(np.clip(wanted, 0, extent - patch)) if extent >= patch else (extent - patch) // 2


def _margin(patch: int, vary: Augmentation) -> int:
    """Return how far outside of a patch its warped pixels come from."""
    if not vary.warp:
        return 0
    angle = np.deg2rad(min(vary.rotate_degrees, 45.0))
    turned = patch / 2 * (np.cos(angle) + np.sin(angle) - 1)
    return int(np.ceil(turned + 2 * vary.elastic_pixels))


def _augmenting(patch: int, vary: Augmentation) -> Callable[..., tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Return a function of a generator, image and label that crops and varies them by MONAI's transforms."""
    from monai.data.meta_obj import get_track_meta, set_track_meta

    chain, state = _chain(patch, vary), np.random.RandomState()
    _share(chain, state)

    def apply(rng: np.random.Generator, image: Any, label: Any) -> tuple[Any, Any]:
        before = get_track_meta()
        set_track_meta(False)
        try:
            state.seed(int(rng.integers(2**31)))
            made = chain({"image": image, "label": label})
        finally:
            set_track_meta(before)
        return np.asarray(made["image"]), np.asarray(made["label"])

    return apply


def _share(transform: Any, state: np.random.RandomState) -> None:
    """Let a transform and all inside of it draw from one generator: seeding one for each took a third of the time."""
    from monai.transforms.transform import Randomizable

    transform.R = state
    for part in vars(transform).values():
        for inner in part if isinstance(part, list | tuple) else (part,):
            if isinstance(inner, Randomizable):
                _share(inner, state)


def _chain(patch: int, vary: Augmentation) -> Any:
    monai: Any = importlib.import_module("monai.transforms")
    both, image = ("image", "label"), ("image",)
    turn = np.deg2rad(vary.rotate_degrees)
    whole = monai.CenterSpatialCropd(both, (patch, patch))
    warped = monai.Rand2DElasticd(
        both,
        spacing=(_SPACING, _SPACING),
        magnitude_range=(0, vary.elastic_pixels),
        prob=1,
        rotate_range=turn,
        spatial_size=(patch, patch),
        # Labels are chosen, not mixed: what nobody annotated stays so.
        mode=("bilinear", "nearest"),
        padding_mode="border",
    )
    steps: list[Any] = [
        monai.OneOf([whole, warped], weights=(1 - vary.warp, vary.warp)) if vary.warp else whole
    ]
    if vary.flip:
        steps += [monai.RandFlipd(both, prob=vary.flip, spatial_axis=axis) for axis in (0, 1)]
    if vary.rotate90:
        steps.append(monai.RandRotate90d(both, prob=vary.rotate90))
    if vary.contrast:
        steps.append(monai.RandScaleIntensityd(image, factors=vary.contrast, prob=1))
    if vary.brightness:
        steps.append(monai.RandShiftIntensityd(image, offsets=vary.brightness, prob=1))
    if vary.blur:
        span = (0.3, 0.7)
        steps.append(monai.RandGaussianSmoothd(image, prob=vary.blur, sigma_x=span, sigma_y=span))
    if vary.noise:
        steps.append(monai.RandGaussianNoised(image, prob=1, std=vary.noise))
    return monai.Compose(steps)
