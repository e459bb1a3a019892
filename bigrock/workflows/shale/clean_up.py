"""Labels of a network put in order: agreement between slices, and no specks."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bigrock.engine.running import run
from bigrock.kernels import MajorityAlongZ
from bigrock.volumes import Volume, open_volume
from bigrock.volumes.stores import is_local, location
from bigrock.workflows.shale.settings import CleanUpSettings
from bigrock.workflows.shale.whole_components import remove_specks

__all__ = ["clean_up"]


def clean_up(
    labels: Volume,
    dest: str | os.PathLike[str],
    settings: CleanUpSettings,
    pores: Sequence[int],
    *,
    resume: bool = True,
    overwrite: bool = False,
    **how: Any,
) -> Volume:
    """Return the labels after the majority of neighbouring slices and without pores of a few voxels.

    Exact, the same for any blocks. Takes a pass for each of the two; what is already there is not
    made again.

    Parameters
    ----------
    labels : Volume
        Class labels.
    dest : str or path-like
        A new place for the result.
    settings : CleanUpSettings
        Which of them, and how much.
    pores : sequence of int
        Values of the classes that are pores.
    resume, overwrite
        As for `bigrock.run`.
    **how
        block, executor, ram, progress.

    Returns
    -------
    Volume

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> flicker = np.array([0, 0, 1, 0, 0], np.uint8).reshape(5, 1, 1)
    >>> stack = bigrock.ArraySource(flicker, kind="labels", classes={"solid": 0, "pore": 1})
    >>> quiet = clean_up(stack, "memory://clean-up.zarr", CleanUpSettings(majority=1), [1], progress=False)
    >>> quiet[:].ravel().tolist()
    [0, 0, 0, 0, 0]
    """
    sizes = {name: settings.min_pore_voxels for name, value in labels.classes.items() if value in pores}
    specks = bool(settings.min_pore_voxels and sizes)
    passes = {"resume": resume, "overwrite": overwrite, **how}
    if settings.majority:
        place = f"{os.fspath(dest)}.majority" if specks else dest
        labels = run(MajorityAlongZ(settings.majority), labels, place, pyramid=not specks, **passes)
    if not specks:
        return labels
    done = {"input": labels.identity(), "min_voxels": sizes}
    note = Path(f"{os.fspath(dest)}.json")
    if resume and not overwrite and note.exists() and json.loads(note.read_text()) == done:
        return open_volume(dest)
    cleaned = remove_specks(labels, dest, min_voxels=sizes, overwrite=overwrite, **how)
    if is_local(location(dest)):
        note.write_text(json.dumps(done) + "\n")
    return cleaned
