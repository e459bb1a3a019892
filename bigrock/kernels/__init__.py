"""Array in, array out: what is computed on the voxels of one block, on numpy or cupy arrays.

Lower-case names are pure functions ``(image, *, parameters) -> array`` for images in memory.
Capitalised names are the same as settings: `Kernel` objects for `bigrock.run`, or `Reduction`
objects for one shared read of a volume.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Not lazy: the function has the name of its module, and whichever is imported last keeps the name.
from bigrock.kernels.standardize import Standardize, standardize

if TYPE_CHECKING:
    from bigrock.kernels.distances import Distance, distance
    from bigrock.kernels.histogram import GreyHistogram, Histogram, grey_histogram
    from bigrock.kernels.otsu import LocalOtsu, local_otsu
    from bigrock.kernels.threshold import GlobalOtsu, SelectClass, Threshold

__all__ = [
    "Distance",
    "GlobalOtsu",
    "GreyHistogram",
    "Histogram",
    "LocalOtsu",
    "SelectClass",
    "Standardize",
    "Threshold",
    "distance",
    "grey_histogram",
    "local_otsu",
    "standardize",
]

_MODULES = {
    "Distance": "distances",
    "GlobalOtsu": "threshold",
    "GreyHistogram": "histogram",
    "Histogram": "histogram",
    "LocalOtsu": "otsu",
    "SelectClass": "threshold",
    "Threshold": "threshold",
    "distance": "distances",
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
