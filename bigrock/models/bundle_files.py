"""A run over a folder that MONAI's own runner does, as it stands in ``configs/inference.json``.

That of a segmentation reads the slices of a folder (TIFF, PNG or npy, in the order of their names),
standardises and pads them as bigrock does, and writes one PNG of labels per slice:

    python -m monai.bundle run --config_file BUNDLE/configs/inference.json --bundle_root BUNDLE
        --dataset_dir SLICES --output_dir LABELS

Those of the other tasks stand in `bigrock.models.bundle_volumes`.
"""

from __future__ import annotations

from typing import Any

from bigrock.models.bundle_volumes import DATA, FOLDERS, RUN, volume_run
from bigrock.models.networks import SegmentationConfig
from bigrock.models.tasks import NetworkConfig, definition_of

__all__ = ["inference_configuration"]


def inference_configuration(config: NetworkConfig, stride: int) -> dict[str, Any]:
    """Return what ``configs/inference.json`` holds: a run over a folder of slices, or of volumes.

    Parameters
    ----------
    config : SegmentationConfig, SuperResolutionConfig or SurrogateConfig
        The network, and how its input is brought to what it knows.
    stride : int
        Slices are padded to multiples of it, at the end, by repeating the last row and column.
    """
    network = {
        **FOLDERS,
        "network_def": definition_of(config),
        "network": "$@network_def.to(@device)",
        "weights": "$@bundle_root + '/models/model.safetensors'",
    }
    made = _slice_run(config, stride) if isinstance(config, SegmentationConfig) else volume_run(config)
    return network | DATA | made | RUN


def _slice_run(config: SegmentationConfig, stride: int) -> dict[str, Any]:
    k = config.neighbours
    around = f"[@files[min(max(i + d, 0), len(@files) - 1)] for d in range({-k}, {k + 1})]"
    return {
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
        "postprocessing": {"_target_": "Compose", "transforms": _postprocessing()},
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
