"""``bigrock segment``: the classes of a stack, by a trained network."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume

__all__ = ["segment"]


@command(
    "bigrock segment --model shale/model stack.zarr segmentation.zarr",
    "bigrock segment --model shale/model stack.zarr entropy.zarr --output entropy",
    "bigrock segment --model shale/model stack.zarr om.zarr --output probability --of 'organic matter'",
)
def segment(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="The grey stack: a .zarr folder or URL.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The volume to make.")],
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="BUNDLE", help="The folder of a trained model.")
    ],
    output: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="labels; probability of one class; entropy (0 sure, 1 cannot tell)."
        ),
    ] = "labels",
    of: Annotated[
        str | None, typer.Option(metavar="CLASS", help="The class whose probability is asked for.")
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
    """Segment a whole stack by a network, from the folder of its bundle alone; tile-exact and out of core.

    Slices are standardised as in training. The same labels for any blocks; the same command continues
    an interrupted run.
    """
    import bigrock
    from bigrock.models import load_bundle, segmentation_kernel
    from bigrock.workflows.execution import executing

    bundle, source = load_bundle(model), bigrock.open_volume(stack)
    options: dict[str, Any] = {"output": output, "of": of, "precision": precision, "backend": backend}
    kernel = segmentation_kernel(bundle, **options)
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
