"""Class shares put right: a network that sees rare classes more often than they are finds too many, or too few.

Patches are balanced, varied, and smaller than slices, so the shares of the classes that a network finds
on whole slices are a few percent off; of pores that is the porosity. One number for each class, added to
its logit, brings them to those of the annotated slices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.training.slices import IGNORE, TrainingSlice
from bigrock.training.validation import whole_logits

if TYPE_CHECKING:
    from torch import nn

__all__ = ["match_shares", "share_offsets"]

MOST_PIXELS = 2**21
_ROUNDS, _CLOSE = 60, 1e-3


def share_offsets(logits: npt.NDArray[Any], labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return what to add to the logits of each class, so that it is the largest as often as it is the label.

    Parameters
    ----------
    logits : ndarray, shape (pixels, classes)
        Of annotated pixels.
    labels : ndarray of uint8, shape (pixels,)
        Their classes.

    Returns
    -------
    ndarray of float64, shape (classes,)
        Zero for the first class; and for all, where a class is not among the labels or is never found.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(np.uint8([0, 1]), [900, 100])
    >>> logits = np.stack([0 * labels, 6.0 * labels - 4 + rng.normal(size=1000)], axis=1)
    >>> found = np.argmax(logits + share_offsets(logits, labels), axis=1)
    >>> int(abs(found.sum() - 100)) <= 1
    True
    """
    count = logits.shape[1]
    true = np.bincount(labels, minlength=count)
    offsets, move, error, step = np.zeros(count), np.zeros(count), math.inf, 2.0
    for _ in range(_ROUNDS):
        tried = offsets + step * move
        found = np.bincount(np.argmax(logits + tried, axis=1), minlength=count)
        # A tie moves on: few pixels lie between one count and the next.
        if true.all() and found.all() and np.abs(np.log(true / found)).max() <= error:
            offsets, move = tried, np.log(true / found)
            error = float(np.abs(move).max())
        else:
            step /= 2
        if error < _CLOSE or step < _CLOSE:
            break
    return offsets - offsets[0]


def match_shares(
    net: nn.Module, slices: Sequence[TrainingSlice], classes: int, device: Any = "cpu"
) -> list[float]:
    """Add `share_offsets` of annotated slices to the bias of a network's last layer; return them.

    Parameters
    ----------
    net : torch.nn.Module
        In evaluation mode; changed in place.
    slices : sequence of TrainingSlice
        Whole slices; of many or large ones evenly spaced pixels are looked at.
    classes : int
        Number of classes.
    device : str or torch.device
        Where the network is.

    Returns
    -------
    list of float
        For each class; zeros where the last layer has no bias.
    """
    import torch

    bias = _last_bias(net)
    if bias is None:
        return [0.0] * classes
    logits, labels = [], []
    every = -(-sum(item.label.size for item in slices) // MOST_PIXELS)
    for item, made in zip(slices, whole_logits(net, slices, device), strict=True):
        label = item.label.ravel()[::every]
        known = label != IGNORE
        logits.append(made.reshape(classes, -1).T[::every][known])
        labels.append(label[known])
    offsets = share_offsets(np.concatenate(logits), np.concatenate(labels))
    with torch.no_grad():
        bias += torch.as_tensor(offsets, dtype=bias.dtype, device=bias.device)
    return [float(value) for value in offsets]


def _last_bias(net: nn.Module) -> Any:
    """Return the bias of the layer that gives the logits, as MONAI's U-Nets name it; None where there is none."""
    from torch import nn as layers

    last = getattr(net, "output_block", None) or getattr(net, "final_conv", None)
    found = [m for m in last.modules() if isinstance(m, layers.Conv2d)] if last is not None else []
    return found[-1].bias if found else None
