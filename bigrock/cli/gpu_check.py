"""``bigrock gpu-check``: what a GPU here can do, and whether it computes what the CPU does."""

from __future__ import annotations

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import complain, show_json, show_rows

__all__ = ["gpu_check"]


@command(
    "bigrock gpu-check",
)
def gpu_check(json: o.Json = False) -> None:
    """Find the GPU, run kernels on it, and compare with the CPU. Exit code 1 where there is none.

    Standardisation, thresholds and local Otsu of a small sandstone are computed on both.
    """
    import typer

    from bigrock.workflows.gpu_check import gpu_check as check

    found = check()
    if json:
        show_json(found.to_dict())
    elif found.usable:
        show_rows([("device", found.device), *((twin.kernel, twin.told) for twin in found.twins)])
    else:
        complain(found.reason)
    if not found.passed:
        raise typer.Exit(1)
