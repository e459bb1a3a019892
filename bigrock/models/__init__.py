"""Networks as kernels: the same labels for any blocks, and a folder that MONAI's own tools run.

A `Bundle` is a folder: weights, what they were trained on, and MONAI's description of both.
`segmentation_kernel` turns it into what `bigrock.run` takes. PyTorch and MONAI load when a network
is built, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.models.networks import (
        CPU_FEATURES,
        GPU_FEATURES,
        SegmentationConfig,
        build_segmentation_net,
        network_definition,
    )

_HOME = {
    "CPU_FEATURES": "networks",
    "GPU_FEATURES": "networks",
    "SegmentationConfig": "networks",
    "build_segmentation_net": "networks",
    "network_definition": "networks",
}

__all__ = [
    "CPU_FEATURES",
    "GPU_FEATURES",
    "SegmentationConfig",
    "build_segmentation_net",
    "network_definition",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
