"""A trained network as a folder: weights, meaning and origin, that bigrock and MONAI's tools both run.

::

    BUNDLE/configs/metadata.json     MONAI's metadata; under "bigrock": task, settings, voxel size, origin, digest
    BUNDLE/configs/inference.json    the run of `python -m monai.bundle run`
    BUNDLE/models/model.safetensors  the weights
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bigrock.errors import BundleError
from bigrock.models.bundle_content import (
    INFERENCE,
    METADATA,
    WEIGHTS,
    check_parts,
    digest_of,
    read_json,
    write_json,
)
from bigrock.models.bundle_files import inference_configuration
from bigrock.models.bundle_metadata import metadata_of
from bigrock.models.networks import SegmentationConfig
from bigrock.models.surrogate import SurrogateConfig
from bigrock.models.tasks import NetworkConfig, config_of
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BUNDLE_VERSION", "Bundle", "load_bundle", "save_bundle"]

BUNDLE_VERSION = 1
"""Of what stands under "bigrock" in the metadata; a bundle of another version is refused."""

Config = TypeVar("Config", bound=NetworkConfig)


@dataclass(frozen=True)
class Bundle:
    """A trained network that is stored in a folder; from `load_bundle` or `save_bundle`.

    Holds no weights, so that it can be sent to workers; `network` loads them once per process.

    Attributes
    ----------
    folder : str
        Where it is stored.
    config : SegmentationConfig, SuperResolutionConfig or SurrogateConfig
        What the network is made of and what its outputs mean.
    digest : str
        SHA-256 of the weights and of everything that decides the result.
    halo, stride : int
        Voxels around a voxel that decide its result, and the lattice on which windows must begin.
    activation_bytes : float
        What a forward pass holds, per voxel of its window.
    weight_bytes : int
        Size of the weights.
    voxel_size : tuple of float or None
        Metres z, y, x of the scan that the network was trained on.
    provenance, training : dict
        What it was trained on, and how.

    Examples
    --------
    >>> Bundle("pores", SegmentationConfig({"solid": 0, "pore": 1}), "…", 92, 16, 256.0, 10**6).classes
    {'solid': 0, 'pore': 1}
    """

    folder: str
    config: NetworkConfig
    digest: str
    halo: int
    stride: int
    activation_bytes: float
    weight_bytes: int
    voxel_size: Voxel | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict, hash=False)
    training: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def task(self) -> str:
        """What it is for: "segmentation", "super-resolution" or "permeability"."""
        return self.config.task

    @property
    def classes(self) -> dict[str, int]:
        """Class table of a segmentation: name to value."""
        return dict(self.expect(SegmentationConfig).classes)

    def expect(self, kind: type[Config]) -> Config:
        """Return the configuration, which must be of the task of `kind`.

        Raises
        ------
        BundleError
            If the bundle is for another task.
        """
        if not isinstance(self.config, kind):
            raise BundleError(
                f"{self.folder} is a model for {self.task}, and one for {kind.task} is needed here. Give the folder "
                "of such a training."
            )
        return self.config

    def network(self, device: str = "cpu") -> nn.Module:
        """Return the network with its weights, ready for inference; the same object for every caller.

        Raises
        ------
        BundleError
            If the weights are not there, were changed, or belong to another network.
        """
        from bigrock.models.cache import loaded_network

        return loaded_network(self, device)

    def identity(self) -> dict[str, Any]:
        """Return what tells this network from another one, wherever its folder is."""
        classes = {"classes": self.classes} if isinstance(self.config, SegmentationConfig) else {}
        return {"bundle": self.digest, **classes}


def save_bundle(
    folder: str | os.PathLike[str],
    net: nn.Module,
    config: NetworkConfig,
    *,
    voxel_size: Voxel | None = None,
    provenance: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> Bundle:
    """Return the bundle that now stands at `folder`; a bundle that stood there is replaced.

    Measures how far the network looks (about a second) and what memory it takes.

    Parameters
    ----------
    folder : str or path-like
        Made where it is missing.
    net : torch.nn.Module
        From `build_segmentation_net`, `build_super_resolution_net` or `build_surrogate_net` with the same
        `config`, trained. Unchanged.
    config : SegmentationConfig, SuperResolutionConfig or SurrogateConfig
        What it is made of.
    voxel_size : tuple of float, optional
        Metres z, y, x of the scan it was trained on.
    provenance, training : mapping, optional
        JSON: inputs and slices; settings, seeds, scores, seconds.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        If `net` is not the network of `config`.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.models import build_segmentation_net
    >>> config = SegmentationConfig({"solid": 0, "pore": 1}, features=(2, 2, 2))
    >>> bundle = save_bundle(tempfile.mkdtemp(), build_segmentation_net(config), config)
    >>> bundle.halo, bundle.stride, load_bundle(bundle.folder) == bundle
    (20, 4, True)
    """
    from bigrock.models.weights import save_weights

    root = Path(folder)
    for name in ("configs", "models"):
        (root / name).mkdir(parents=True, exist_ok=True)
    fresh = root / (WEIGHTS + ".new")
    save_weights(net, fresh)
    core = _core(config, _measured(net, config))
    own = {
        "version": BUNDLE_VERSION,
        **core,
        "digest": digest_of(fresh, core),
        "voxel_size": voxel_size,
        "provenance": dict(provenance or {}),
        "training": dict(training or {}),
    }
    # The metadata last: until it is there, the folder is that of the bundle before, with a wrong digest.
    fresh.replace(root / WEIGHTS)
    write_json(root / INFERENCE, inference_configuration(config, core["stride"]))
    write_json(root / METADATA, metadata_of(config, core["stride"], own))
    return load_bundle(root)


def _core(config: NetworkConfig, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return what, with the weights, decides the result; without a task it is a segmentation."""
    task = {} if isinstance(config, SegmentationConfig) else {"task": config.task}
    return {"config": dataclasses.asdict(config), **measured, **task}


def _measured(net: nn.Module, config: NetworkConfig) -> dict[str, Any]:
    """Return how far the network looks, on which lattice, and what memory it takes per voxel given."""
    from bigrock.models.activations import activation_bytes
    from bigrock.models.receptive import receptive_field

    halo, stride, side = 0, 1, config.edge if isinstance(config, SurrogateConfig) else 0
    if not side:
        halo, stride, _ = receptive_field(net)
        side = max(8, 4 * stride)
    held = activation_bytes(net, (1, config.channels, *([side] * config.ndim)))
    return {"halo": halo, "stride": stride, "activation_bytes": held / side**config.ndim}


def load_bundle(folder: str | os.PathLike[str] | Bundle) -> Bundle:
    """Return the bundle at `folder`, checked: files, version, digest, channels. Loads no network.

    Parameters
    ----------
    folder : str or path-like
        A folder that `save_bundle` or `bigrock.training` made; a Bundle is returned as it is.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        If it is no such folder, was changed, or was written by another version; says which.

    Examples
    --------
    >>> load_bundle("nowhere")
    Traceback (most recent call last):
    bigrock.errors.BundleError: nowhere is no model bundle: configs/metadata.json, configs/inference.json, ...
    """
    if isinstance(folder, Bundle):
        return folder
    root = Path(folder)
    missing = [name for name in (METADATA, INFERENCE, WEIGHTS) if not (root / name).is_file()]
    if missing:
        raise BundleError(
            f"{root} is no model bundle: {', '.join(missing)} not found. Give the folder that training wrote, "
            "with all of its files."
        )
    metadata = read_json(root / METADATA)
    own = metadata.get("bigrock")
    if not isinstance(own, dict) or own.get("version") != BUNDLE_VERSION:
        version = own.get("version") if isinstance(own, dict) else None
        raise BundleError(
            f"{root} is a bundle of version {version}, and this bigrock reads version {BUNDLE_VERSION}: classes and "
            "windows could be misread. Use the bigrock that wrote it, or train the model anew."
        )
    try:
        bundle = _bundle(root, own)
        core = {
            name: own[name]
            for name in ("config", "halo", "stride", "activation_bytes", "task")
            if name in own
        }
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{root / METADATA} cannot be read as a model's description ({error}): it was changed by hand, or not "
            "written to its end. Take the folder from where it was trained."
        ) from error
    check_parts(root, metadata, bundle.config)
    if digest_of(root / WEIGHTS, core) != bundle.digest:
        raise BundleError(
            f"{root} holds other weights or settings than its digest {bundle.digest[:12]}… says: results would "
            "not be those of the model that was tested. Take the folder from where it was trained, unchanged."
        )
    return bundle


def _bundle(root: Path, own: Mapping[str, Any]) -> Bundle:
    described = own["config"]
    voxel: Sequence[float] | None = own["voxel_size"]
    return Bundle(
        folder=str(root),
        config=config_of(own.get("task", SegmentationConfig.task), described),
        digest=str(own["digest"]),
        halo=int(own["halo"]),
        stride=int(own["stride"]),
        activation_bytes=float(own["activation_bytes"]),
        weight_bytes=(root / WEIGHTS).stat().st_size,
        voxel_size=None if voxel is None else (float(voxel[0]), float(voxel[1]), float(voxel[2])),
        provenance=own["provenance"],
        training=own["training"],
    )
