"""The main job on a sandstone made on the spot, whose true pores are known; or on the user's scan."""

from __future__ import annotations

import os
from typing import Any

from bigrock.engine.progress import ProgressLike
from bigrock.geometry import Shape
from bigrock.workflows.segment import SegmentResult, segment
from bigrock.workflows.settings import SegmentSettings

__all__ = ["demo"]


def demo(
    folder: str | os.PathLike[str] = "bigrock-demo",
    *,
    source: str | os.PathLike[str] | None = None,
    shape: Shape = (192, 256, 256),
    seed: int = 0,
    settings: SegmentSettings | None = None,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> SegmentResult:
    """Return what the main job makes of a made-up sandstone, compared with the truth.

    The sandstone has the faults of a real scan: noise, partial volume, rings, beam hardening and a
    drifting grey level; see `bigrock.datasets.Sandstone`. About a minute on two cores, the first
    compilation of the kernels included. Calling it again finishes what is there.

    Parameters
    ----------
    folder : str or path-like
        Where volumes, numbers, figures and the page go.
    source : str or path-like, optional
        A scan to run on in place of the sandstone; the truth is not known then.
    shape, seed
        Of the sandstone: voxels along z, y, x, and which one.
    settings : SegmentSettings, optional
        The defaults otherwise.
    overwrite : bool
        Replace an earlier demo of other settings.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    SegmentResult

    Raises
    ------
    VolumeExistsError, ResumeError
        If the folder holds something else; see `segment`.

    Examples
    --------
    >>> import tempfile
    >>> result = demo(tempfile.mkdtemp() + "/demo", shape=(32, 64, 64), progress=False)
    >>> round(result.found.true_porosity, 1)
    0.2
    """
    options: dict[str, Any] = {"settings": settings, "overwrite": overwrite, "progress": progress}
    if source is not None:
        return segment(source, folder, **options)
    from bigrock.datasets import Sandstone

    rock = Sandstone(shape, seed=seed)
    return segment(rock, folder, truth=rock.truth, **options)
