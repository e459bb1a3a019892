"""The network that segments slices: what it is made of, and MONAI's U-Nets built from that.

A normalisation that looks at the whole image (instance, group, layer) makes a voxel depend on how
far its tile reaches, so tiles would not meet. The networks here use batch norm, which is a constant
factor once trained, or none.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CPU_FEATURES",
    "GPU_FEATURES",
    "SegmentationConfig",
    "build_segmentation_net",
    "network_definition",
]

CPU_FEATURES = (12, 12, 24, 48, 96)
"""Widths for training in minutes on a few cores: 0.28 million parameters."""

GPU_FEATURES = (32, 64, 128, 256, 512)
"""Widths for a GPU, those of nnU-Net: 7.9 million parameters."""

_BASIC_LEVELS = 5
_WHOLE_IMAGE_NORMS = ("instance", "group", "layer", "localresponse", "instance_nvfuser", "syncbatch")


@dataclass(frozen=True)
class SegmentationConfig:
    """What a segmenting network is made of, what it is given and what its outputs mean.

    Parameters
    ----------
    classes : dict of str to int
        Name and value of every class; the values are 0, 1, 2… as many as there are classes.
    neighbours : int
        2.5-D: how many slices on each side are given as further channels. Beyond the first and the
        last slice of the volume, that slice is repeated.
    features : tuple of int
        Channels at each level, from full resolution down; each level halves the resolution.
        `CPU_FEATURES` or `GPU_FEATURES`, or others.
    architecture : {"dynunet", "basicunet"}
        MONAI's DynUNet (strided convolutions, any number of levels) or BasicUNet (max pooling, five
        levels).
    norm : {"batch", "none"}
        Batch norm, or none (BasicUNet only: the convolutions of DynUNet have no offset of their own).
    standardize : {"slice", "volume", "none"}
        How grey levels are brought to mean 0 and deviation 1 before the network sees them.

    Raises
    ------
    ParameterError
        If a value is not allowed; for norms that would leave seams, the message says why.

    Examples
    --------
    >>> config = SegmentationConfig({"matrix": 0, "pore": 1}, neighbours=1)
    >>> config.channels, config.depth, config.stride
    (3, 4, 16)
    """

    task: ClassVar[str] = "segmentation"
    ndim: ClassVar[int] = 2

    classes: Mapping[str, int] = field(hash=False)
    neighbours: int = 0
    features: tuple[int, ...] = CPU_FEATURES
    architecture: Literal["dynunet", "basicunet"] = "dynunet"
    norm: Literal["batch", "none"] = "batch"
    standardize: Literal["slice", "volume", "none"] = "slice"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", dict(self.classes))
        object.__setattr__(self, "features", tuple(int(width) for width in self.features))
        _check_classes(self.classes)
        _check_norm(self.norm, self.architecture)
        if self.neighbours < 0:
            raise ParameterError(
                f"neighbours={self.neighbours} is negative. Give 0, 1, 2… slices on each side."
            )
        if len(self.features) < 3 or min(self.features) < 1:
            raise ParameterError(
                f"features {self.features} are no U-Net. Give the channels of three levels or more, all positive, "
                f"such as {CPU_FEATURES}."
            )
        if self.architecture == "basicunet" and len(self.features) != _BASIC_LEVELS:
            raise ParameterError(
                f"MONAI's BasicUNet has {_BASIC_LEVELS} levels, and features {self.features} name "
                f"{len(self.features)}. Give {_BASIC_LEVELS} widths, or architecture='dynunet'."
            )
        if self.standardize not in ("slice", "volume", "none"):
            raise ParameterError(
                f"standardize={self.standardize!r} is not known. Use 'slice', 'volume' or 'none'."
            )

    @property
    def channels(self) -> int:
        """Slices that the network is given at once."""
        return 1 + 2 * self.neighbours

    @property
    def outputs(self) -> int:
        """Classes: the network gives a logit for each."""
        return len(self.classes)

    @property
    def depth(self) -> int:
        """How often the resolution is halved."""
        return len(self.features) - 1

    @property
    def stride(self) -> int:
        """Voxels on which one value at the deepest level stands."""
        return int(math.prod([2] * self.depth))


def _check_classes(classes: Mapping[str, int]) -> None:
    if len(classes) < 2 or sorted(classes.values()) != list(range(len(classes))):
        raise ParameterError(
            f"class table {dict(classes)} does not number two classes or more as 0, 1, 2…: the network has one "
            f"output per class, in that order. Number them anew."
        )


def _check_norm(norm: str, architecture: str) -> None:
    if architecture not in ("dynunet", "basicunet"):
        raise ParameterError(f"architecture={architecture!r} is not known. Use 'dynunet' or 'basicunet'.")
    if norm in _WHOLE_IMAGE_NORMS:
        raise ParameterError(
            f"norm={norm!r} divides by the deviation of all that the network is given, so a voxel would get "
            f"another label in another tile (4 to 9 % of labels were seen to change). Use 'batch' or 'none'."
        )
    if norm not in ("batch", "none"):
        raise ParameterError(f"norm={norm!r} is not known. Use 'batch' or 'none'.")
    if norm == "none" and architecture == "dynunet":
        raise ParameterError(
            "norm='none' leaves DynUNet without any offset: it could not tell grey levels apart by a threshold. "
            "Use norm='batch', or architecture='basicunet'."
        )


def network_definition(config: SegmentationConfig) -> dict[str, Any]:
    """Return MONAI's definition of the network, as bundles hold it: a class by name and its arguments.

    Examples
    --------
    >>> network_definition(SegmentationConfig({"solid": 0, "pore": 1}))["_target_"]
    'monai.networks.nets.DynUNet'
    """
    shared = {"spatial_dims": 2, "in_channels": config.channels, "out_channels": len(config.classes)}
    if config.architecture == "basicunet":
        return {
            "_target_": "monai.networks.nets.BasicUNet",
            **shared,
            "features": [*config.features, config.features[0]],
            "norm": "batch" if config.norm == "batch" else None,
        }
    halvings = [2] * config.depth
    return {
        "_target_": "monai.networks.nets.DynUNet",
        **shared,
        "kernel_size": [3] * len(config.features),
        "strides": [1, *halvings],
        "upsample_kernel_size": halvings,
        "filters": list(config.features),
        "norm_name": "batch",
    }


def _use_large_pages() -> None:
    """Let torch take memory in pages of 2 MiB, unless the user has decided otherwise.

    Every layer of a large slice takes fresh memory; in pages of 4 KiB, Linux spends as long on
    handing them out as the network computes (measured: 520 against 260 ns per voxel). Torch asks at
    its first array of 2 MiB.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def build_segmentation_net(config: SegmentationConfig) -> nn.Module:
    """Return MONAI's U-Net for `config`, with random weights of the current torch seed.

    Takes (N, 1 + 2·neighbours, H, W) float32 and gives logits (N, classes, H, W). H and W must be
    multiples of ``config.stride``; `bigrock.models.whole_forward` pads other slices.

    Parameters
    ----------
    config : SegmentationConfig
        Classes, channels, widths.

    Returns
    -------
    torch.nn.Module
        In training mode.

    References
    ----------
    Ronneberger, Fischer, Brox, U-Net, MICCAI 2015. Isensee et al., nnU-Net, Nature Methods 2021.

    Examples
    --------
    >>> net = build_segmentation_net(SegmentationConfig({"solid": 0, "pore": 1}, features=(4, 8, 8)))
    >>> type(net).__name__
    'DynUNet'
    """
    _use_large_pages()
    from monai.networks import nets

    definition = network_definition(config)
    name = definition.pop("_target_").rpartition(".")[2]
    network: nn.Module = getattr(nets, name)(**definition)
    return network
