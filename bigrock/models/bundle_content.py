"""The files of a bundle: read, written as wholes, digested, and held against one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigrock.errors import BundleError
from bigrock.models.tasks import NetworkConfig, definition_of

__all__ = ["INFERENCE", "METADATA", "WEIGHTS", "check_parts", "digest_of", "read_json", "write_json"]

METADATA, INFERENCE, WEIGHTS = "configs/metadata.json", "configs/inference.json", "models/model.safetensors"


def check_parts(root: Path, metadata: Mapping[str, Any], config: NetworkConfig) -> None:
    """Refuse a bundle whose parts name other channels or another network."""
    formats = metadata.get("network_data_format", {})
    said = (
        formats.get("inputs", {}).get("image", {}).get("num_channels"),
        formats.get("outputs", {}).get("pred", {}).get("num_channels"),
    )
    made = (config.channels, config.outputs)
    if said != made:
        raise BundleError(
            f"{root} says {said[0]} channels in and {said[1]} channels out, and its network has {made[0]} and "
            f"{made[1]}: results would be taken for others. Take the folder from where it was trained, unchanged."
        )
    if read_json(root / INFERENCE).get("network_def") != definition_of(config):
        raise BundleError(
            f"{root / INFERENCE} defines another network than {METADATA}: MONAI's runner and bigrock would give "
            "other results. Take the folder from where it was trained, unchanged."
        )


def digest_of(weights: Path, core: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the weights and of what decides how they are used."""
    digest = hashlib.sha256(json.dumps(core, sort_keys=True).encode())
    with weights.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that is there as a whole or not at all."""
    text = json.dumps(content, indent=2, allow_nan=False)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text + "\n")
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    BundleError
        If it is no JSON.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise BundleError(
            f"{path} is no JSON ({error}): it was changed by hand, or not written to its end. Take the folder from "
            "where it was trained."
        ) from error
    return content if isinstance(content, dict) else {}
