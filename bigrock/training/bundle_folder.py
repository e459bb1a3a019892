"""The folder of a bundle and of the training that makes it: nothing of the user's is replaced unasked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigrock.errors import ResumeError, VolumeExistsError
from bigrock.training.loop import Fitted, fit
from bigrock.training.running import CHECKPOINT, CURVES, HISTORY, LOGS

if TYPE_CHECKING:
    from torch import nn

__all__ = ["claimed_folder", "fit_bundle"]

_TRAINING = "training"
_OURS = {CHECKPOINT, f"{CHECKPOINT}.new", HISTORY, CURVES, LOGS}


def claimed_folder(folder: str | os.PathLike[str], *, resume: bool, overwrite: bool) -> Path:
    """Return the folder of a bundle, once it is known that a training may write there.

    Parameters
    ----------
    folder : str or path-like
        Need not be there.
    resume : bool
        Whether a training that is there goes on.
    overwrite : bool
        Whether what is there may be replaced.

    Raises
    ------
    VolumeExistsError
        If it is a file, or holds something that is no training that may go on.

    Examples
    --------
    >>> claimed_folder("nowhere/model", resume=True, overwrite=False).name
    'model'
    """
    place = Path(folder).expanduser()
    there = next(part for part in (place, *place.absolute().parents) if part.exists())
    if not there.is_dir():
        raise VolumeExistsError(f"{there} is a file. Choose another folder.")
    if overwrite or there != place or not any(place.iterdir()):
        return place
    instead = "Choose another folder, or overwrite=True (--overwrite)."
    begun = (place / _TRAINING / CHECKPOINT).exists()
    if begun and not resume:
        raise VolumeExistsError(f"{place} holds such a training already. {instead}")
    # A training that was interrupted before the end of its first epoch has its folder alone.
    if not begun and not (_names(place) == {_TRAINING} and _names(place / _TRAINING) <= _OURS):
        what = "a model without its training" if (place / "configs").is_dir() else "other files"
        raise VolumeExistsError(f"{place} holds {what}, which training would replace. {instead}")
    return place


def _names(place: Path) -> set[str]:
    return {part.name for part in place.iterdir()}


def fit_bundle(
    net: nn.Module, *given: Any, folder: Path, resume: bool, overwrite: bool, **how: Any
) -> Fitted:
    """Return what `fit` does in the folder of a bundle; with `overwrite` it begins anew.

    Parameters
    ----------
    net : torch.nn.Module
        Trained in place.
    *given, **how
        As for `bigrock.training.loop.fit`.
    folder : Path
        From `claimed_folder`.
    resume, overwrite : bool
        As for `claimed_folder`.

    Raises
    ------
    ResumeError
        If the folder holds a training of other settings or data.
    """
    try:
        return fit(net, *given, folder=folder / _TRAINING, resume=resume and not overwrite, **how)
    except ResumeError as error:
        # `fit` begins anew with resume=False; here that refuses what is there.
        raise ResumeError(str(error).replace("resume=False", "overwrite=True (--overwrite)")) from error
