"""``bigrock plan``: what a run would cost."""

from __future__ import annotations

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import show_json, show_rows
from bigrock.errors import ParameterError

__all__ = ["plan"]


@command(
    "bigrock plan core.zarr --kernel 'local-otsu radius=31'",
    "bigrock plan core.zarr --kernel 'standardize | local-otsu radius=31' --ram '4 GiB' --json",
)
def plan(
    volume: o.VolumePath,
    kernel: o.KernelText = None,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    json: o.Json = False,
) -> None:
    """Print what a run would cost: blocks, tasks, memory, disk, voxels decoded. Reads no voxel.

    Exit code 1 where it would not fit in memory.
    """
    import bigrock
    from bigrock.workflows.execution import executing
    from bigrock.workflows.kernel_text import parse_kernel

    if kernel is None:
        raise ParameterError(
            "no kernel is named, so there is nothing to plan. Give --kernel 'local-otsu radius=31'."
        )
    with executing(executor) as where:
        made = bigrock.plan(
            parse_kernel(kernel),
            bigrock.open_volume(volume),
            block=o.whole_numbers("--block", block),
            executor=where,
            ram=ram,
        )
    if json:
        show_json(made.to_dict())
    else:
        show_rows(made.rows(), title=f"{kernel} over {volume}")
