"""Weights in a safetensors file: every tensor once, under its first name.

MONAI's DynUNet reaches the same layers by two names. A file with both would be twice as large, and
safetensors refuses tensors that share memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bigrock.errors import BundleError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["load_weights", "save_weights"]


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights and statistics of `network` to a safetensors file."""
    from safetensors.torch import save_file

    named = network.state_dict()
    save_file({name: named[name].detach().cpu().contiguous() for name in _first_names(named)}, path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of a file into `network`.

    Raises
    ------
    BundleError
        If they are those of another network.
    """
    from safetensors.torch import load_file

    stored, named = load_file(path), network.state_dict()
    wanted = _first_names(named)
    odd = sorted(set(wanted) ^ set(stored))
    odd += [name for name in wanted if name in stored and stored[name].shape != named[name].shape]
    if odd:
        raise BundleError(
            f"{path} holds the weights of another network than its description ({len(odd)} do not fit, the first is "
            f"{odd[0]}): it cannot be run. Take the folder from where it was trained, unchanged."
        )
    network.load_state_dict(stored, strict=False)


def _first_names(named: dict[str, Tensor]) -> list[str]:
    first: dict[int, str] = {}
    for name, tensor in named.items():
        first.setdefault(tensor.data_ptr(), name)
    return list(first.values())
