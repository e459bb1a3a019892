"""Whether a kernel makes sense of what it is given, known before a voxel is read."""

from __future__ import annotations

from typing import get_args

from bigrock.engine.kernel import Kernel, stages_of
from bigrock.errors import PhaseError
from bigrock.volumes.source import Facts, Kind

__all__ = ["check_kinds"]

_TAKES = {"grey": "grey levels", "mask": "masks", "labels": "labels"}
_IS = {"grey": "grey levels", "mask": "a mask", "labels": "a label volume"}
_TAKEN_FOR_GREY = {
    "mask": "its pores would be taken for what is bright, and pore and solid would be exchanged. "
    "Run it on the scan, or measure the mask as it is.",
    "labels": "the numbers of its classes would be taken for brightness. "
    "Run it on the scan, or take a class of the volume with SelectClass.",
}


def check_kinds(kernel: Kernel, facts: Facts) -> None:
    """Refuse a kernel of which a stage cannot make sense of the kind of volume that it is given.

    Reads no voxel. Voxels of True and False are a mask, even where a volume says that they are
    grey levels.

    Parameters
    ----------
    kernel : Kernel
        One kernel, or a chain, whose stages are asked in turn.
    facts : Facts
        Of the volume that the kernel will run over.

    Raises
    ------
    PhaseError
        With the stage, what it takes and what it would be given.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.kernels import SelectClass, Threshold
    >>> check_kinds(SelectClass(2), Facts((8, 8, 8), np.dtype("u1"), kind="labels"))
    >>> check_kinds(Threshold(90), Facts((8, 8, 8), np.dtype("u1"), kind="labels"))
    Traceback (most recent call last):
    bigrock.errors.PhaseError: Threshold takes grey levels, and the volume is a label volume: ...
    """
    kind: Kind = "mask" if facts.kind == "grey" and facts.dtype.kind == "b" else facts.kind
    given = "the volume"
    for stage in stages_of(kernel):
        if not stage.accepts(kind):
            raise _refusal(stage, kind, given)
        made = stage.output_kind(kind)
        if made != kind:
            kind, given = made, f"what {type(stage).__name__} makes"


def _refusal(stage: Kernel, kind: Kind, given: str) -> PhaseError:
    taken = [k for k in get_args(Kind) if stage.accepts(k)]
    harm = "its values would be taken for what they are not. Run it on another volume."
    if taken == ["grey"]:
        harm = _TAKEN_FOR_GREY[kind]
    takes = " or ".join(_TAKES[k] for k in taken) or "no kind of volume"
    return PhaseError(f"{type(stage).__name__} takes {takes}, and {given} is {_IS[kind]}: {harm}")
