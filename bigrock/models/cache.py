"""The networks of this process: each is loaded once per device, whatever the number of threads and blocks.

A kernel travels with the folder and the digest of its network; the weights are read where blocks run.
"""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from bigrock.engine.shipping import local_folder
from bigrock.errors import BundleError
from bigrock.models.memory_layout import channels_last
from bigrock.models.tasks import build_network

if TYPE_CHECKING:
    from torch import nn

    from bigrock.models.bundle import Bundle

__all__ = ["forget_networks", "loaded_network"]

_log = logging.getLogger(__name__)
_lock = Lock()
_networks: dict[tuple[str, str], nn.Module] = {}


def loaded_network(bundle: Bundle, device: str = "cpu") -> nn.Module:
    """Return the network of a bundle on a device, ready for inference; loaded by the first caller.

    Parameters
    ----------
    bundle : Bundle
        Read again from its folder, so that what runs is what its digest says.
    device : str
        For `torch.device`.

    Returns
    -------
    torch.nn.Module
        In evaluation mode; shared, so it must not be changed.

    Raises
    ------
    BundleError
        If the folder is not there, or holds another network.
    """
    key = (bundle.digest, device)
    with _lock:
        if key not in _networks:
            _networks[key] = _load(bundle, device)
        return _networks[key]


def forget_networks() -> None:
    """Let go of every network of this process."""
    with _lock:
        _networks.clear()


def _load(bundle: Bundle, device: str) -> nn.Module:
    from bigrock.models.bundle import load_bundle
    from bigrock.models.bundle_content import WEIGHTS
    from bigrock.models.weights import load_weights

    there = load_bundle(local_folder(bundle.folder, bundle.digest[:16]))
    if there.digest != bundle.digest:
        raise BundleError(
            f"{there.folder} now holds the model {there.digest[:12]}…, and {bundle.digest[:12]}… was asked for: blocks "
            "would get results of different models. Load the bundle again, and start a new run."
        )
    network = build_network(there.config)
    load_weights(network, Path(there.folder) / WEIGHTS)
    network = channels_last(network.eval().requires_grad_(False).to(device))
    _log.info("loaded %s (%s…) on %s", there.folder, there.digest[:12], device)
    return network
