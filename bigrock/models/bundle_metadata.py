"""What stands in the metadata of a bundle: MONAI's fields, and bigrock's own under one key."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

from bigrock.models.networks import SegmentationConfig
from bigrock.models.super_resolution import SuperResolutionConfig
from bigrock.models.tasks import NetworkConfig

__all__ = ["metadata_of"]

_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
_TASKS = {
    "segmentation": "Segmentation of the slices of a rock scan into the classes of its table",
    "super-resolution": "Super-resolution of a rock scan",
    "permeability": "Permeability of a rock from its image",
}


def metadata_of(config: NetworkConfig, stride: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``configs/metadata.json`` holds: MONAI's fields, and bigrock's under one key.

    Parameters
    ----------
    config : SegmentationConfig, SuperResolutionConfig or SurrogateConfig
        Gives the channels.
    stride : int
        Slices are padded to multiples of it.
    own : mapping
        What stands under ``"bigrock"``.
    """
    versions = {name: importlib.metadata.version(name) for name in ("monai", "torch", "numpy")}
    said = _said(config)
    image, pred = _formats(config, stride)
    return {
        "schema": _SCHEMA,
        "version": "1.0.0",
        "changelog": {"1.0.0": "trained by bigrock"},
        "monai_version": versions["monai"],
        "pytorch_version": versions["torch"].partition("+")[0],
        "numpy_version": versions["numpy"],
        "required_packages_version": {
            name: importlib.metadata.version(name) for name in ("pytorch-ignite", "safetensors", "pillow")
        },
        "name": f"bigrock {'slice segmentation' if config.task == 'segmentation' else config.task}",
        "task": _TASKS[config.task],
        "description": f"{_TASKS[config.task]}: {said}.",
        "authors": "bigrock",
        "copyright": "",
        "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}},
        "bigrock": dict(own),
    }


def _said(config: NetworkConfig) -> str:
    if isinstance(config, SegmentationConfig):
        return ", ".join(config.classes)
    if isinstance(config, SuperResolutionConfig):
        return f"pore fractions on a grid {config.scale} times finer"
    return f"standardised log10 of k in voxels squared along the first axis of {config.edge} voxels cubed"


def _formats(config: NetworkConfig, stride: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what MONAI wants to know of the network's input and of its output."""
    image, pred = {"0": "pore fraction"}, {"0": "pore fraction"}
    shape: list[Any] = [f"{stride}*n"] * config.ndim
    made: list[Any] = shape
    if isinstance(config, SegmentationConfig):
        middle = config.neighbours
        offsets = (f"slice {i - middle:+d}" if i != middle else "slice" for i in range(config.channels))
        image = {str(i): name for i, name in enumerate(offsets)}
        pred = {str(value): name for name, value in config.classes.items()}
    elif isinstance(config, SuperResolutionConfig):
        made = [f"{config.scale}*n"] * 3
    else:
        shape, made = [config.edge] * 3, [1]
        pred = {str(i): f"member {i}" for i in range(config.members)}
    grey = config.task == "segmentation"
    common = {"type": "image", "dtype": "float32", "is_patch_data": False}
    return (
        common
        | {
            "format": "magnitude",
            "modality": "microscopy",
            "num_channels": config.channels,
            "spatial_shape": shape,
        }
        | {"value_range": [-10, 10] if grey else [0, 1], "channel_def": image},
        common
        | {
            "format": "segmentation" if grey else "magnitude",
            "num_channels": config.outputs,
            "spatial_shape": made,
        }
        | {"value_range": [0, 1] if config.task != "permeability" else [-10, 10], "channel_def": pred},
    )
