"""Which of several named arrays in one file is the volume."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bigrock.errors import ParameterError, SourceError

__all__ = ["choose_dataset"]


def choose_dataset(shapes: Mapping[str, tuple[int, ...]], name: str | None, what: str) -> str:
    """Return the name of the array to read: the given one, or the only one with three long axes.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Every array of the file.
    name : str, optional
        What the caller asks for; a leading slash does not matter.
    what : str
        The file, for messages.

    Raises
    ------
    ParameterError
        If the name is not there, or several arrays qualify and none is named.
    SourceError
        If no array qualifies.

    Examples
    --------
    >>> choose_dataset({"image": (9, 9, 9), "voxel": ()}, None, "scan.npz")
    'image'
    """
    told = ", ".join(f"{key} {shape}" for key, shape in list(shapes.items())[:20]) or "no array at all"
    if name is not None:
        found = next((key for key in shapes if key.strip("/") == name.strip("/")), None)
        if found is None:
            raise ParameterError(f"dataset={name!r} is not in {what}. It holds {told}.")
        return found
    volumes = [key for key, shape in shapes.items() if sum(n > 1 for n in shape) == 3]
    volumes = volumes or [
        key for key, shape in shapes.items() if len(shape) in (2, 3) and math.prod(shape) > 1
    ]
    if len(volumes) > 1:
        raise ParameterError(
            f"{what} holds several arrays that can be the volume ({told}): which one is meant is not known. "
            f"Name it, such as dataset={volumes[0]!r}."
        )
    if not volumes:
        raise SourceError(f"{what} holds no array with the axes z, y, x: it holds {told}. Check the file.")
    return volumes[0]
