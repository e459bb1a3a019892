"""Dice and cross entropy that see annotated pixels only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bigrock.training.slices import IGNORE

if TYPE_CHECKING:
    from torch import Tensor

    from bigrock.training.settings import TrainingConfig

__all__ = ["SegmentationLoss"]


class SegmentationLoss:
    """Weighted sum of the Dice loss and the cross entropy; unannotated pixels (255) have no gradient.

    Dice is MONAI's, of all classes over the whole batch, so that a class that is not on a patch costs
    nothing by itself. Predictions of unannotated pixels are taken out before both.

    Parameters
    ----------
    class_weights : sequence of float, optional
        Weight of each class in the cross entropy.
    dice_weight, cross_entropy_weight : float
        Parts of the sum.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[[9.0, -9.0]], [[-9.0, 9.0]]])[None]
    >>> round(float(SegmentationLoss()(logits, torch.tensor([[[[0, 1]]]]))), 3)
    0.0
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        dice_weight: float = 1.0,
        cross_entropy_weight: float = 1.0,
    ) -> None:
        from monai.losses.dice import DiceLoss

        self.class_weights = class_weights
        self.dice_weight = dice_weight
        self.cross_entropy_weight = cross_entropy_weight
        self.dice = DiceLoss(batch=True)

    @classmethod
    def of(cls, classes: Mapping[str, int], training: TrainingConfig) -> SegmentationLoss:
        """Return the loss that settings describe; a class that they do not weigh weighs 1."""
        weights = training.class_weights
        named = sorted(classes, key=lambda name: classes[name])
        each = None if weights is None else [float(weights.get(name, 1.0)) for name in named]
        return cls(each, training.dice_weight, training.cross_entropy_weight)

    def __call__(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of logits (N, classes, …) and class values (N, 1, …), as a number in float32."""
        import torch
        from torch.nn import functional

        logits, label = logits.float(), label.long()
        known = label != IGNORE
        # Class 0 stands in for what is not annotated; it counts in neither part.
        target = torch.where(known, label, 0)
        total = logits.new_zeros(())
        if self.dice_weight:
            hot = functional.one_hot(target[:, 0], logits.shape[1]).movedim(-1, 1)
            total = total + self.dice_weight * self.dice(logits.softmax(1) * known, hot * known)
        if self.cross_entropy_weight:
            weights = None if self.class_weights is None else logits.new_tensor(self.class_weights)
            each = functional.cross_entropy(logits, target[:, 0], weights, reduction="none")[:, None] * known
            share = known if weights is None else weights[target] * known
            total = total + self.cross_entropy_weight * each.sum() / share.sum().clamp(min=1e-6)
        return total
