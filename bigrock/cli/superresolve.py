"""``bigrock superresolve``: a volume on a finer grid, by a trained network."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume

__all__ = ["superresolve"]


@command(
    "bigrock superresolve --model permeability/super-resolution core.zarr fine.zarr",
    "bigrock superresolve --model permeability/super-resolution core.zarr pores.zarr --output mask",
    "bigrock superresolve --model permeability/super-resolution scan.zarr fine.zarr --value-range 210,40",
)
def superresolve(
    core: Annotated[
        str, typer.Argument(metavar="CORE", help="A mask or grey volume: a .zarr folder or URL.")
    ],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The volume to make.")],
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="BUNDLE", help="The folder of a trained model.")
    ],
    output: Annotated[
        str, typer.Option(metavar="WHAT", help="grey: pore fractions 0 to 1; mask: those over --threshold.")
    ] = "grey",
    threshold: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="Of the mask; or fraction: each voxel of CORE keeps its pore fraction."
        ),
    ] = "0.5",
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="Of pore fractions: float16, float32, or uint8 (times 255).")
    ] = "float16",
    value_range: Annotated[
        str | None,
        typer.Option(
            metavar="SOLID,PORE", help="Grey levels of solid and of pore (default: as the model says)."
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(metavar="NAME", help="float32, or bf16 (faster where the processor has it).")
    ] = "float32",
    pyramid: Annotated[bool, typer.Option("--pyramid", help="Store coarser levels as well.")] = False,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    backend: o.Backend = "cpu",
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Make a volume several times finer by a network, from the folder of its bundle alone; out of core.

    The same voxels for any blocks, up to rounding; the same command continues an interrupted run.
    """
    import bigrock
    from bigrock.models import load_bundle, super_resolution_kernel
    from bigrock.workflows.execution import executing

    options: dict[str, Any] = {"output": output, "threshold": o.threshold_of(threshold), "dtype": dtype}
    options |= {"precision": precision, "backend": backend}
    options["value_range"] = o.numbers("--value-range", value_range)
    kernel, source = super_resolution_kernel(load_bundle(model), **options), bigrock.open_volume(core)
    with executing(executor) as where:
        made = bigrock.run(
            kernel,
            source,
            dest,
            resume=not no_resume,
            overwrite=overwrite,
            block=o.whole_numbers("--block", block),
            executor=where,
            ram=ram,
            pyramid=pyramid,
            progress=o.progress_of(quiet),
        )
    show_volume(made, json=json)
