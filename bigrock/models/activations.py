"""How much memory a network takes for what it computes, counted without computing it."""

from __future__ import annotations

import copy
import math
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = ["activation_bytes"]


def activation_bytes(net: nn.Module, shape: Sequence[int]) -> int:
    """Return the peak of the arrays that a float32 forward pass holds at once, its input and result included.

    The network runs without memory (on torch's *meta* device) while every array that is made is
    counted until it is let go; what a library takes inside of one operation is not seen.

    Parameters
    ----------
    net : torch.nn.Module
        Unchanged.
    shape : sequence of int
        Of the input: (N, C, …).

    Examples
    --------
    >>> from torch import nn
    >>> activation_bytes(nn.Conv2d(1, 3, 1), (1, 1, 8, 8)) == (1 + 3) * 8 * 8 * 4
    True
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    held = peak = 0
    seen: set[int] = set()

    def forget(key: int, size: int) -> None:
        nonlocal held
        seen.discard(key)
        held -= size

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal held, peak
            result = func(*args, **(kwargs or {}))
            for made in result if isinstance(result, tuple | list) else (result,):
                if isinstance(made, torch.Tensor):
                    storage = made.untyped_storage()
                    if storage._cdata not in seen:
                        seen.add(storage._cdata)
                        held += storage.nbytes()
                        peak = max(peak, held)
                        weakref.finalize(storage, forget, storage._cdata, storage.nbytes())
            return result

    probe = copy.deepcopy(net).eval().to("meta")
    image = torch.empty(tuple(shape), device="meta")
    with torch.no_grad(), Count():
        probe(image)
    return peak + 4 * math.prod(shape)
