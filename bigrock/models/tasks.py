"""What a bundle can be for: segmentation, super-resolution, permeability; each with its network and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from bigrock.models.networks import SegmentationConfig, build_segmentation_net, network_definition
from bigrock.models.super_resolution import SuperResolutionConfig, build_super_resolution_net
from bigrock.models.surrogate import SurrogateConfig, build_surrogate_net

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TASKS", "NetworkConfig", "build_network", "config_of", "definition_of"]

NetworkConfig: TypeAlias = SegmentationConfig | SuperResolutionConfig | SurrogateConfig

TASKS: dict[str, type[NetworkConfig]] = {
    kind.task: kind for kind in (SegmentationConfig, SuperResolutionConfig, SurrogateConfig)
}


def config_of(task: str, described: Mapping[str, Any]) -> NetworkConfig:
    """Return the configuration of a task's network from what a bundle says of it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If there is no such task, or the description is that of something else.
    """
    return TASKS[task](**described)


def build_network(config: NetworkConfig) -> nn.Module:
    """Return the network of a configuration, with random weights of the current torch seed."""
    if isinstance(config, SuperResolutionConfig):
        return build_super_resolution_net(config)
    if isinstance(config, SurrogateConfig):
        return build_surrogate_net(config)
    return build_segmentation_net(config)


def definition_of(config: NetworkConfig) -> dict[str, Any]:
    """Return MONAI's definition of a network: a class by name and its arguments."""
    return network_definition(config) if isinstance(config, SegmentationConfig) else config.definition()
