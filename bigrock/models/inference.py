"""One window through a network, on a CPU or a GPU: logits become labels before they leave the device."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from bigrock.errors import BackendError
from bigrock.models.threads import one_thread

if TYPE_CHECKING:
    from torch import Tensor

    from bigrock.models.segmenting import SegmentSlices

__all__ = ["infer", "supports_bf16"]

Array = npt.NDArray[Any]

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


def infer(kernel: SegmentSlices, windows: Array, device: str) -> Array:
    """Return what the output of `kernel` is over some windows.

    Parameters
    ----------
    kernel : SegmentSlices
        Says network, precision and output.
    windows : ndarray of float32, shape (N, C, H, W)
        C-contiguous.
    device : {"cpu", "cuda"}
        Where to compute.

    Returns
    -------
    ndarray, shape (N, H, W)
        uint8 labels, or float16.

    Raises
    ------
    BackendError
        If the device lacks bf16, or memory for the windows.
    """
    import torch

    network = kernel.bundle.network(device)
    image = torch.from_numpy(windows)
    with torch.inference_mode(), _turn(device), _precision(kernel.precision, device):
        try:
            image = image.to(device, memory_format=torch.channels_last)
            return _output(network(image), kernel).cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise BackendError(
                f"the GPU has no memory for {len(windows)} windows of {tuple(windows.shape[2:])} voxels, which take "
                f"about {_activations(kernel, windows) / 2**30:.1f} GiB ({error}). Give a smaller window_voxels."
            ) from error


def _activations(kernel: SegmentSlices, windows: Array) -> float:
    return windows[:, 0].size * kernel.bundle.activation_bytes


def _turn(device: str) -> AbstractContextManager[Any]:
    return one_thread() if device == "cpu" else _gpu


def _precision(precision: str, device: str) -> AbstractContextManager[Any]:
    import torch

    if precision == "float32":
        return nullcontext()
    if not supports_bf16(device):
        raise BackendError(
            f"precision='bf16' on a {device} that has no bf16 arithmetic: it would be emulated and slower than "
            "float32. Use precision='float32'."
        )
    return torch.autocast(device, torch.bfloat16)


def _output(logits: Tensor, kernel: SegmentSlices) -> Tensor:
    import torch

    if kernel.output == "labels":
        return logits.argmax(dim=1).to(torch.uint8)
    probability = torch.softmax(logits.float(), dim=1)
    if kernel.of is not None:
        return probability[:, kernel.bundle.classes[kernel.of]].half()
    entropy = torch.special.entr(probability).sum(dim=1)
    return (entropy / torch.log(torch.tensor(float(logits.shape[1])))).half()
