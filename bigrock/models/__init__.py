"""Networks as kernels: the same voxels for any blocks, and a folder that MONAI's own tools run.

A `Bundle` is a folder: weights, what they were trained on, and MONAI's description of both. It is for
one of three tasks: segmentation, super-resolution, permeability. `segmentation_kernel` and
`super_resolution_kernel` turn it into what `bigrock.run` takes. PyTorch and MONAI load when a network
is built, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.models.bundle import BUNDLE_VERSION, Bundle, load_bundle, save_bundle
    from bigrock.models.domain import Domain
    from bigrock.models.grey_levels import pore_fraction
    from bigrock.models.inference import supports_bf16
    from bigrock.models.networks import (
        CPU_FEATURES,
        GPU_FEATURES,
        SegmentationConfig,
        build_segmentation_net,
        network_definition,
    )
    from bigrock.models.predicting import Predicted, predict_permeability
    from bigrock.models.receptive import ReceptiveField, receptive_field
    from bigrock.models.segmenting import SegmentSlices, segmentation_kernel
    from bigrock.models.super_resolution import (
        PAPER_SUPER_RESOLUTION,
        SuperResolutionConfig,
        build_super_resolution_net,
    )
    from bigrock.models.super_resolving import SuperResolve, super_resolution_kernel
    from bigrock.models.surrogate import PAPER_SURROGATE, SurrogateConfig, build_surrogate_net
    from bigrock.models.tasks import NetworkConfig
    from bigrock.models.tiling import Tiling, whole_forward

_HOME = {
    "BUNDLE_VERSION": "bundle",
    "Bundle": "bundle",
    "CPU_FEATURES": "networks",
    "Domain": "domain",
    "GPU_FEATURES": "networks",
    "NetworkConfig": "tasks",
    "PAPER_SUPER_RESOLUTION": "super_resolution",
    "PAPER_SURROGATE": "surrogate",
    "Predicted": "predicting",
    "ReceptiveField": "receptive",
    "SegmentSlices": "segmenting",
    "SegmentationConfig": "networks",
    "SuperResolutionConfig": "super_resolution",
    "SuperResolve": "super_resolving",
    "SurrogateConfig": "surrogate",
    "Tiling": "tiling",
    "build_segmentation_net": "networks",
    "build_super_resolution_net": "super_resolution",
    "build_surrogate_net": "surrogate",
    "load_bundle": "bundle",
    "network_definition": "networks",
    "pore_fraction": "grey_levels",
    "predict_permeability": "predicting",
    "receptive_field": "receptive",
    "save_bundle": "bundle",
    "segmentation_kernel": "segmenting",
    "super_resolution_kernel": "super_resolving",
    "supports_bf16": "inference",
    "whole_forward": "tiling",
}

__all__ = [
    "BUNDLE_VERSION",
    "Bundle",
    "CPU_FEATURES",
    "Domain",
    "GPU_FEATURES",
    "NetworkConfig",
    "PAPER_SUPER_RESOLUTION",
    "PAPER_SURROGATE",
    "Predicted",
    "ReceptiveField",
    "SegmentSlices",
    "SegmentationConfig",
    "SuperResolutionConfig",
    "SuperResolve",
    "SurrogateConfig",
    "Tiling",
    "build_segmentation_net",
    "build_super_resolution_net",
    "build_surrogate_net",
    "load_bundle",
    "network_definition",
    "pore_fraction",
    "predict_permeability",
    "receptive_field",
    "save_bundle",
    "segmentation_kernel",
    "super_resolution_kernel",
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
