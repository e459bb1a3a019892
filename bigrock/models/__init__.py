"""Networks as kernels: the same labels for any blocks, and a folder that MONAI's own tools run.

A `Bundle` is a folder: weights, what they were trained on, and MONAI's description of both.
`segmentation_kernel` turns it into what `bigrock.run` takes. PyTorch and MONAI load when a network
is built, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.models.bundle import BUNDLE_VERSION, Bundle, load_bundle, save_bundle
    from bigrock.models.networks import (
        CPU_FEATURES,
        GPU_FEATURES,
        SegmentationConfig,
        build_segmentation_net,
        network_definition,
    )
    from bigrock.models.receptive import ReceptiveField, receptive_field

_HOME = {
    "BUNDLE_VERSION": "bundle",
    "Bundle": "bundle",
    "CPU_FEATURES": "networks",
    "GPU_FEATURES": "networks",
    "SegmentationConfig": "networks",
    "build_segmentation_net": "networks",
    "load_bundle": "bundle",
    "network_definition": "networks",
    "receptive_field": "receptive",
    "ReceptiveField": "receptive",
    "save_bundle": "bundle",
}

__all__ = [
    "BUNDLE_VERSION",
    "Bundle",
    "CPU_FEATURES",
    "GPU_FEATURES",
    "ReceptiveField",
    "SegmentationConfig",
    "build_segmentation_net",
    "load_bundle",
    "network_definition",
    "receptive_field",
    "save_bundle",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
