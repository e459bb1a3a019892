"""Turn the settings of a kernel or reduction into JSON that fingerprints and histories can hold."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

__all__ = ["json_value", "settings_of"]


def json_value(value: Any) -> Any:
    """Return `value` as JSON: arrays become their digest, sources their identity, dataclasses dicts."""
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
        return {"array": list(value.shape), "dtype": str(value.dtype), "sha256": digest}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype):
        return str(value)
    if not isinstance(value, type) and hasattr(value, "identity"):
        return json_value(value.identity())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return settings_of(value)
    if isinstance(value, dict):
        return {str(k): json_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(v) for v in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return repr(value)


def settings_of(thing: Any) -> dict[str, Any]:
    """Return class name, code version and every field (or attribute) of a kernel or reduction."""
    settings: dict[str, Any] = {"name": type(thing).__name__}
    if hasattr(thing, "version"):
        settings["version"] = thing.version
    if dataclasses.is_dataclass(thing):
        settings |= {f.name: json_value(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    else:
        settings |= {
            name: json_value(value) for name, value in sorted(getattr(thing, "__dict__", {}).items())
        }
    return settings
