"""Runs that MONAI's own runner does over a folder of volumes, and what all such runs share.

Each volume is one ``.npy`` file with axes z, y, x. Super-resolution writes the finer volume
(float32, ``NAME_fine.npy``); permeability writes ``NAME_log10_k.npy``: log10 of k along z in voxels
squared, of every member. The network is bigrock's own, so bigrock must be installed beside MONAI.

    python -m monai.bundle run --config_file BUNDLE/configs/inference.json --bundle_root BUNDLE
        --dataset_dir VOLUMES --output_dir RESULTS --pattern '*.npy'
"""

from __future__ import annotations

from typing import Any

from bigrock.models.super_resolution import SuperResolutionConfig
from bigrock.models.surrogate import SurrogateConfig

__all__ = ["DATA", "FOLDERS", "RUN", "volume_run"]

FOLDERS: dict[str, Any] = {
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

DATA: dict[str, Any] = {
    "files": "$sorted(glob.glob(os.path.join(@dataset_dir, @pattern)))",
    "dataloader": {
        "_target_": "DataLoader",
        "dataset": "@dataset",
        "batch_size": 1,
        "shuffle": False,
        "num_workers": 0,
    },
    "inferer": {"_target_": "SimpleInferer"},
}

RUN: dict[str, Any] = {
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


def volume_run(config: SuperResolutionConfig | SurrogateConfig) -> dict[str, Any]:
    """Return the part of a run that depends on the task: what is read, and what is written.

    Parameters
    ----------
    config : SuperResolutionConfig or SurrogateConfig
        Tells how grey levels become pore fractions, and outputs become results.
    """
    if isinstance(config, SuperResolutionConfig):
        (solid, pore), ending = config.value_range, "fine"
        result = "d['pred'][0].clamp(0, 1)"
    else:
        solid, pore, ending = 0.0, 1.0, "log10_k"
        result = f"({config.log10_k_mean!r} + {config.log10_k_std!r} * d['pred'])"
    name = "os.path.basename(d['image'].meta['filename_or_obj']).removesuffix('.npy')"
    saved = f"numpy.save(os.path.join(@output_dir, {name} + '_{ending}.npy'), numpy.asarray({result}.cpu()))"
    scaled = {"a_min": solid, "a_max": pore, "b_min": 0.0, "b_max": 1.0, "clip": True}
    return {
        "output_dir": f"$@bundle_root + '/{ending}'",
        "dataset_dir": "$@bundle_root + '/volumes'",
        "pattern": "*.npy",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image", "reader": "NumpyReader"},
                {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": "no_channel"},
                {"_target_": "ScaleIntensityRanged", "keys": "image", **scaled},
            ],
        },
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': file} for file in @files]",
            "transform": "@preprocessing",
        },
        "postprocessing": {
            "_target_": "Lambda",
            "func": f"$lambda d: (os.makedirs(@output_dir, exist_ok=True), {saved}, d)[-1]",
            "track_meta": False,
        },
    }
