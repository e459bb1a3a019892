"""A trained network as a folder: weights, meaning and origin, that bigrock and MONAI's tools both run.

::

    BUNDLE/configs/metadata.json     MONAI's metadata; under "bigrock": classes, voxel size, origin, digest
    BUNDLE/configs/inference.json    the run of `python -m monai.bundle run`
    BUNDLE/models/model.safetensors  the weights
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigrock.errors import BundleError
from bigrock.models.bundle_files import inference_configuration, metadata_of
from bigrock.models.networks import SegmentationConfig, network_definition
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BUNDLE_VERSION", "Bundle", "load_bundle", "save_bundle"]

BUNDLE_VERSION = 1
"""Of what stands under "bigrock" in the metadata; a bundle of another version is refused."""

METADATA, INFERENCE, WEIGHTS = "configs/metadata.json", "configs/inference.json", "models/model.safetensors"


@dataclass(frozen=True)
class Bundle:
    """A trained network that is stored in a folder; from `load_bundle` or `save_bundle`.

    Holds no weights, so that it can be sent to workers; `network` loads them once per process.

    Attributes
    ----------
    folder : str
        Where it is stored.
    config : SegmentationConfig
        What the network is made of and what its outputs mean.
    digest : str
        SHA-256 of the weights and of everything that decides the labels.
    halo, stride : int
        Voxels around a voxel that decide its label, and the lattice on which windows must begin.
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
    config: SegmentationConfig
    digest: str
    halo: int
    stride: int
    activation_bytes: float
    weight_bytes: int
    voxel_size: Voxel | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict, hash=False)
    training: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def classes(self) -> dict[str, int]:
        """Class table: name to value."""
        return dict(self.config.classes)

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
        return {"bundle": self.digest, "classes": self.classes}


def save_bundle(
    folder: str | os.PathLike[str],
    net: nn.Module,
    config: SegmentationConfig,
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
        From `build_segmentation_net` with the same `config`, trained. Unchanged.
    config : SegmentationConfig
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
    from bigrock.models.activations import activation_bytes
    from bigrock.models.receptive import receptive_field
    from bigrock.models.weights import save_weights

    found = receptive_field(net)
    side = 4 * found.stride
    held = activation_bytes(net, (1, config.channels, side, side)) / side**2
    root = Path(folder)
    for name in ("configs", "models"):
        (root / name).mkdir(parents=True, exist_ok=True)
    fresh = root / (WEIGHTS + ".new")
    save_weights(net, fresh)
    core = {
        "config": dataclasses.asdict(config),
        "halo": found.halo,
        "stride": found.stride,
        "activation_bytes": held,
    }
    own = {
        "version": BUNDLE_VERSION,
        **core,
        "digest": _digest(fresh, core),
        "voxel_size": voxel_size,
        "provenance": dict(provenance or {}),
        "training": dict(training or {}),
    }
    # The metadata last: until it is there, the folder is that of the bundle before, with a wrong digest.
    fresh.replace(root / WEIGHTS)
    _write(root / INFERENCE, inference_configuration(config, found.stride))
    _write(root / METADATA, metadata_of(config, found.stride, own))
    return load_bundle(root)


def load_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Return the bundle at `folder`, checked: files, version, digest, channels. Loads no network.

    Parameters
    ----------
    folder : str or path-like
        A folder that `save_bundle` or `bigrock.training` made.

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
    root = Path(folder)
    missing = [name for name in (METADATA, INFERENCE, WEIGHTS) if not (root / name).is_file()]
    if missing:
        raise BundleError(
            f"{root} is no model bundle: {', '.join(missing)} not found. Give the folder that training wrote, "
            "with all of its files."
        )
    metadata = _read(root / METADATA)
    own = metadata.get("bigrock")
    if not isinstance(own, dict) or own.get("version") != BUNDLE_VERSION:
        version = own.get("version") if isinstance(own, dict) else None
        raise BundleError(
            f"{root} is a bundle of version {version}, and this bigrock reads version {BUNDLE_VERSION}: classes and "
            "windows could be misread. Use the bigrock that wrote it, or train the model anew."
        )
    try:
        bundle = _bundle(root, own)
        core = {name: own[name] for name in ("config", "halo", "stride", "activation_bytes")}
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{root / METADATA} cannot be read as a model's description ({error}): it was changed by hand, or not "
            "written to its end. Take the folder from where it was trained."
        ) from error
    _check_channels(root, metadata, bundle.config)
    if _digest(root / WEIGHTS, core) != bundle.digest:
        raise BundleError(
            f"{root} holds other weights or settings than its digest {bundle.digest[:12]}… says: the labels would not "
            "be those of the model that was tested. Take the folder from where it was trained, unchanged."
        )
    return bundle


def _bundle(root: Path, own: Mapping[str, Any]) -> Bundle:
    described = own["config"]
    voxel: Sequence[float] | None = own["voxel_size"]
    return Bundle(
        folder=str(root),
        config=SegmentationConfig(**described),
        digest=str(own["digest"]),
        halo=int(own["halo"]),
        stride=int(own["stride"]),
        activation_bytes=float(own["activation_bytes"]),
        weight_bytes=(root / WEIGHTS).stat().st_size,
        voxel_size=None if voxel is None else (float(voxel[0]), float(voxel[1]), float(voxel[2])),
        provenance=own["provenance"],
        training=own["training"],
    )


def _check_channels(root: Path, metadata: Mapping[str, Any], config: SegmentationConfig) -> None:
    """Refuse a bundle whose parts name other channels or another network."""
    formats = metadata.get("network_data_format", {})
    said = (
        formats.get("inputs", {}).get("image", {}).get("num_channels"),
        formats.get("outputs", {}).get("pred", {}).get("num_channels"),
    )
    made = (config.channels, len(config.classes))
    if said != made:
        raise BundleError(
            f"{root} says {said[0]} channels in and {said[1]} classes out, and its network has {made[0]} and "
            f"{made[1]}: labels would get the names of others. Take the folder from where it was trained, unchanged."
        )
    if _read(root / INFERENCE).get("network_def") != network_definition(config):
        raise BundleError(
            f"{root / INFERENCE} defines another network than {METADATA}: MONAI's runner and bigrock would give "
            "other labels. Take the folder from where it was trained, unchanged."
        )


def _digest(weights: Path, core: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the weights and of what decides how they are used."""
    digest = hashlib.sha256(json.dumps(core, sort_keys=True).encode())
    with weights.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _write(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, allow_nan=False)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text + "\n")
    fresh.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise BundleError(
            f"{path} is no JSON ({error}): it was changed by hand, or not written to its end. Take the folder from "
            "where it was trained."
        ) from error
    return content if isinstance(content, dict) else {}
