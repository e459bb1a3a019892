"""Array in, array out: what is computed on the voxels of one block, on numpy or cupy arrays.

Lower-case names are pure functions ``(image, *, parameters) -> array`` for images in memory.
Capitalised names are the same as settings: `Kernel` objects for `bigrock.run`, or `Reduction`
objects for one shared read of a volume.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.kernels.histogram import GreyHistogram, Histogram, grey_histogram
    from bigrock.kernels.otsu import LocalOtsu, local_otsu

__all__ = [
    "GreyHistogram",
    "Histogram",
    "LocalOtsu",
    "grey_histogram",
    "local_otsu",
]

_MODULES = {
    "GreyHistogram": "histogram",
    "Histogram": "histogram",
    "LocalOtsu": "otsu",
    "grey_histogram": "histogram",
    "local_otsu": "otsu",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
