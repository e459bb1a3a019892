"""The state of a training in one file that is there as a whole or not at all."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigrock.errors import ResumeError

__all__ = ["read_checkpoint", "write_checkpoint"]

_VERSION = 1


def write_checkpoint(path: Path, state: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Write a checkpoint: tensors, numbers and text, in the place of the one before.

    Parameters
    ----------
    path : Path
        File; its folder is made.
    state : mapping
        Of network, optimiser and history.
    identity : mapping
        Settings and data; training goes on with these alone.
    """
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        torch.save({"version": _VERSION, "identity": dict(identity), **state}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_checkpoint(path: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the state that was written, None where there is none.

    Parameters
    ----------
    path : Path
        File.
    identity : mapping
        Settings and data of the training that is to go on.

    Returns
    -------
    dict or None

    Raises
    ------
    ResumeError
        If it belongs to other settings or data, which it names, or is damaged.
    """
    import torch

    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ResumeError(
            f"{path} cannot be read ({str(error)[:80]}): it was damaged, or is no checkpoint. Train with "
            "resume=False, or in another folder."
        ) from error
    if state.pop("version", None) != _VERSION:
        raise ResumeError(
            f"{path} was written by another version of bigrock: its weights could be misread. Train with "
            "resume=False, or in another folder."
        )
    before, now = state.pop("identity"), dict(identity)
    odd = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if odd:
        raise ResumeError(
            f"{path} belongs to a training with {_differences(before, now, odd)}: its weights would be those of "
            "neither. Train with the same settings and data, with resume=False, or in another folder."
        )
    return state


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], names: list[str]) -> str:
    """Return what differs in words; of digests and whole sections the name alone."""
    told = []
    for name in names:
        was, asked = str(before.get(name)), str(now.get(name))
        told.append(f"{name}={was} (not {asked})" if max(len(was), len(asked)) <= 40 else f"other {name}")
    return ", ".join(told)
