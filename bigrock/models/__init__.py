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
    from bigrock.models.inference import supports_bf16
    from bigrock.models.networks import (
        CPU_FEATURES,
        GPU_FEATURES,
        SegmentationConfig,
        build_segmentation_net,
        network_definition,
    )
    from bigrock.models.receptive import ReceptiveField, receptive_field
    from bigrock.models.segmenting import SegmentSlices, segmentation_kernel
    from bigrock.models.tiling import Tiling, whole_forward

_HOME = {
    "BUNDLE_VERSION": "bundle",
    "Bundle": "bundle",
    "CPU_FEATURES": "networks",
    "GPU_FEATURES": "networks",
    "ReceptiveField": "receptive",
    "SegmentSlices": "segmenting",
    "SegmentationConfig": "networks",
    "Tiling": "tiling",
    "build_segmentation_net": "networks",
    "load_bundle": "bundle",
    "network_definition": "networks",
    "receptive_field": "receptive",
    "save_bundle": "bundle",
    "segmentation_kernel": "segmenting",
    "supports_bf16": "inference",
    "whole_forward": "tiling",
}

__all__ = [
    "BUNDLE_VERSION",
    "Bundle",
    "CPU_FEATURES",
    "GPU_FEATURES",
    "ReceptiveField",
    "SegmentSlices",
    "SegmentationConfig",
    "Tiling",
    "build_segmentation_net",
    "load_bundle",
    "network_definition",
    "receptive_field",
    "save_bundle",
    "segmentation_kernel",
    "supports_bf16",
    "whole_forward",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
