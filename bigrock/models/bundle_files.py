"""What stands in the two JSON files of a bundle: MONAI's metadata, and a run that MONAI's own runner does.

The run reads the slices of a folder (TIFF, PNG or npy, in the order of their names), standardises
and pads them as bigrock does, and writes one PNG of labels per slice:

    python -m monai.bundle run --config_file BUNDLE/configs/inference.json --bundle_root BUNDLE
        --dataset_dir SLICES --output_dir LABELS
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

from bigrock.models.networks import SegmentationConfig, network_definition

__all__ = ["inference_configuration", "metadata_of"]

_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
_TASK = "Segmentation of the slices of a rock scan into the classes of its table"


def metadata_of(config: SegmentationConfig, stride: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``configs/metadata.json`` holds: MONAI's fields, and bigrock's under one key.

    Parameters
    ----------
    config : SegmentationConfig
        Gives the channels.
    stride : int
        Slices are padded to multiples of it.
    own : mapping
        What stands under ``"bigrock"``.
    """
    versions = {name: importlib.metadata.version(name) for name in ("monai", "torch", "numpy")}
    extent = [f"{stride}*n", f"{stride}*n"]
    middle = config.neighbours
    offsets = (f"slice {i - middle:+d}" if i != middle else "slice" for i in range(config.channels))
    image = {
        "type": "image",
        "format": "magnitude",
        "modality": "microscopy",
        "num_channels": config.channels,
    }
    pred = {"type": "image", "format": "segmentation", "num_channels": len(config.classes)}
    names = {str(value): name for name, value in config.classes.items()}
    shared = {"spatial_shape": extent, "dtype": "float32", "is_patch_data": False}
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
        "name": "bigrock slice segmentation",
        "task": _TASK,
        "description": f"{_TASK}: {', '.join(config.classes)}.",
        "authors": "bigrock",
        "copyright": "",
        "network_data_format": {
            "inputs": {
                "image": image | shared | {"value_range": [-10, 10], "channel_def": dict(_numbered(offsets))}
            },
            "outputs": {"pred": pred | shared | {"value_range": [0, 1], "channel_def": names}},
        },
        "bigrock": dict(own),
    }


def _numbered(names: Any) -> Any:
    return ((str(i), name) for i, name in enumerate(names))


_FOLDERS: dict[str, Any] = {
    "imports": [
        "$import glob",
        "$import os",
        "$import numpy",
        "$import torch",
        "$from safetensors.torch import load_file",
    ],
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/slices'",
    "output_dir": "$@bundle_root + '/labels'",
    "pattern": "*",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
}

_RUN: dict[str, Any] = {
    "evaluator": {
        "_target_": "SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": "@dataloader",
        "network": "@network",
        "inferer": "@inferer",
        "postprocessing": "@postprocessing",
    },
    "initialize": ["$@network.load_state_dict(load_file(@weights), strict=False)"],
    "run": ["$@evaluator.run()"],
}


def inference_configuration(config: SegmentationConfig, stride: int) -> dict[str, Any]:
    """Return what ``configs/inference.json`` holds: a run over a folder of slices.

    Parameters
    ----------
    config : SegmentationConfig
        The network, its channels and how slices are standardised.
    stride : int
        Slices are padded to multiples of it, at the end, by repeating the last row and column.
    """
    k = config.neighbours
    around = f"[@files[min(max(i + d, 0), len(@files) - 1)] for d in range({-k}, {k + 1})]"
    return {
        **_FOLDERS,
        "network_def": network_definition(config),
        "network": "$@network_def.to(@device)",
        "weights": "$@bundle_root + '/models/model.safetensors'",
        "files": "$sorted(glob.glob(os.path.join(@dataset_dir, @pattern)))",
        "readers": [
            {"_target_": "NumpyReader"},
            {"_target_": "PILReader", "reverse_indexing": False},
        ],
        **_moments(config),
        "preprocessing": {"_target_": "Compose", "transforms": _preprocessing(config, stride)},
        "dataset": {
            "_target_": "Dataset",
            "data": f"$[{{'image': {around}, 'file': @files[i]}} for i in range(len(@files))]",
            "transform": "@preprocessing",
        },
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": 1,
            "shuffle": False,
            "num_workers": 0,
        },
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {"_target_": "Compose", "transforms": _postprocessing()},
        **_RUN,
    }


def _moments(config: SegmentationConfig) -> dict[str, Any]:
    if config.standardize != "volume":
        return {}
    return {
        "loader": {"_target_": "LoadImage", "reader": "@readers", "image_only": True},
        "stack": "$numpy.stack([numpy.asarray(@loader(f), numpy.float64) for f in @files])",
        "mean": "$float(numpy.mean(@stack))",
        "deviation": "$float(numpy.std(@stack))",
    }


def _preprocessing(config: SegmentationConfig, stride: int) -> list[dict[str, Any]]:
    scaling: dict[str, list[dict[str, Any]]] = {
        "none": [],
        "slice": [{"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True}],
        "volume": [
            {
                "_target_": "NormalizeIntensityd",
                "keys": "image",
                "subtrahend": "@mean",
                "divisor": "@deviation",
            }
        ],
    }
    return [
        {"_target_": "LoadImaged", "keys": "image", "reader": "@readers", "image_only": True},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        *scaling[config.standardize],
        {"_target_": "DivisiblePadd", "keys": "image", "k": stride, "method": "end", "mode": "replicate"},
    ]


def _postprocessing() -> list[dict[str, Any]]:
    return [
        {
            "_target_": "Invertd",
            "keys": "pred",
            "transform": "@preprocessing",
            "orig_keys": "image",
            "nearest_interp": False,
        },
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        # Several slices that are read as channels go by the name of the first.
        {
            "_target_": "Lambda",
            "func": "$lambda d: (d['pred'].meta.update(filename_or_obj=d['file']), d)[1]",
            "track_meta": False,
        },
        # MONAI's writer stores x before y.
        {"_target_": "Transposed", "keys": "pred", "indices": [0, 2, 1]},
        {
            "_target_": "SaveImaged",
            "keys": "pred",
            "output_dir": "@output_dir",
            "output_ext": ".png",
            "output_postfix": "labels",
            "output_dtype": "$numpy.uint8",
            "writer": "PILWriter",
            "resample": False,
            "separate_folder": False,
            "print_log": False,
        },
    ]
