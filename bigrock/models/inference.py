"""One window through a network, on a CPU or a GPU: logits become labels before they leave the device."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from bigrock.errors import BackendError
from bigrock.models.memory_layout import layout_of
from bigrock.models.threads import one_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bigrock.models.bundle import Bundle

__all__ = ["Inferring", "arithmetic", "infer", "supports_bf16"]

Array = npt.NDArray[Any]


class Inferring(Protocol):
    """A kernel that a network computes for."""

    @property
    def bundle(self) -> Bundle:
        """The network."""

    @property
    def precision(self) -> str:
        """Its arithmetic: "float32" or "bf16"."""

    def forward(self, network: nn.Module, image: Tensor, part: tuple[slice, ...]) -> Tensor:
        """Return what the network makes of a part of the image."""

    def answer(self, made: Tensor) -> Tensor:
        """Return the result for what the network made, on the same device."""


# A GPU computes one window at a time: two would need twice its memory and be no faster.
_gpu = Lock()


@functools.cache
def supports_bf16(device: str = "cpu") -> bool:
    """Return whether bf16 is faster than float32 on a device: AVX512-BF16 or AMX, or a GPU that has it.

    Examples
    --------
    >>> supports_bf16("cpu") in (True, False)
    True
    """
    import torch

    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def infer(kernel: Inferring, windows: Array, part: tuple[slice, ...], device: str) -> Array:
    """Return what the output of `kernel` is over a part of some windows.

    Parameters
    ----------
    kernel : Inferring
        Says network, precision and output.
    windows : ndarray of float32, shape (N, C, …)
        C-contiguous, with two or three axes.
    part : tuple of slice
        Voxels of the windows.
    device : {"cpu", "cuda"}
        Where to compute.

    Returns
    -------
    ndarray, shape (N, …)

    Raises
    ------
    BackendError
        If the device lacks bf16, or memory for the windows.
    """
    import torch

    network = kernel.bundle.network(device)
    image = torch.from_numpy(windows)
    layout = layout_of(image.ndim)
    with torch.inference_mode(), _turn(device), arithmetic(kernel.precision, device):
        try:
            given = image.to(device, memory_format=layout)
            return kernel.answer(kernel.forward(network, given, part)).cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise BackendError(
                f"the GPU has no memory for {len(windows)} windows of {tuple(windows.shape[2:])} voxels, which take "
                f"about {_activations(kernel, windows) / 2**30:.1f} GiB ({error}). Give a smaller window_voxels."
            ) from error


def _activations(kernel: Inferring, windows: Array) -> float:
    return windows[:, 0].size * kernel.bundle.activation_bytes


def _turn(device: str) -> AbstractContextManager[Any]:
    return one_thread() if device == "cpu" else _gpu


def arithmetic(precision: str, device: str) -> AbstractContextManager[Any]:
    """Return the context in which torch computes with a precision on a device.

    Raises
    ------
    BackendError
        If bf16 would be emulated there.
    """
    import torch

    if precision == "float32":
        return nullcontext()
    if not supports_bf16(device):
        raise BackendError(
            f"precision='bf16' on a {device} that has no bf16 arithmetic: it would be emulated and slower than "
            "float32. Use precision='float32'."
        )
    return torch.autocast(device, torch.bfloat16)
