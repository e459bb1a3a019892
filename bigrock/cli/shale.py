"""``bigrock shale``: from a FIB-SEM stack and a few annotated slices to organic porosity."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import complain, say, show_json, show_rows
from bigrock.cli.shale_account import account
from bigrock.cli.shale_jobs import demo, run, sweep
from bigrock.cli.shale_model import evaluate, train
from bigrock.errors import ParameterError

__all__ = ["shale"]

Stack = Annotated[str, typer.Argument(metavar="STACK", help="The grey stack: a .zarr folder or URL.")]
Train = Annotated[int, typer.Option(metavar="N", help="Training slices.")]
Test = Annotated[int, typer.Option(metavar="N", help="Test slices.")]
Apart = Annotated[
    int | None,
    typer.Option(
        metavar="SLICES",
        help="Least distance of validation and test slices from training slices (default: a tenth of the interval, "
        "at most 10).",
    ),
]
Diverse = Annotated[
    bool, typer.Option("--diverse", help="Choose training slices by texture, not at equal intervals.")
]
Radius = Annotated[int, typer.Option(metavar="PIXELS", help="Of the window of local Otsu.")]

shale = typer.Typer(
    name="shale",
    no_args_is_help=True,
    help="From a FIB-SEM stack and a few annotated slices to organic porosity, step by step.",
)


def _passes(executor: Any, block: str | None, ram: str | None, quiet: bool) -> dict[str, Any]:
    return {
        "executor": executor,
        "block": o.whole_numbers("--block", block),
        "ram": ram,
        "progress": o.progress_of(quiet),
    }


@command("bigrock shale quality stack.zarr", "bigrock shale quality stack.zarr --json")
def quality(
    stack: Stack,
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Say what is good and bad about a stack: drift, jumps, lost and doubled slices, shifts, curtains."""
    from bigrock.workflows.execution import executing
    from bigrock.workflows.shale import stack_quality

    with executing(executor) as where:
        found = stack_quality(stack, **_passes(where, block, ram, quiet))
    if json:
        show_json(found.to_dict())
        return
    show_rows((name.replace("_", " "), _short(value)) for name, value in found.summary.items())
    for warning in found.warnings:
        complain(warning, "warning")
    if not found.warnings:
        say("nothing stands out")


@command(
    "bigrock shale align stack.zarr aligned.zarr",
    "bigrock shale align stack.zarr aligned.zarr --outside edge",
)
def align(
    stack: Stack,
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The volume to make.")],
    outside: Annotated[
        str,
        typer.Option(
            metavar="crop|edge", help="Leave out what some slice lacks, or repeat its outermost pixels."
        ),
    ] = "crop",
    block: o.Block = None,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Move slices back by whole pixels where the stage jumped; slow drift, which may be rock, stays."""
    from bigrock.cli.info import show_volume
    from bigrock.workflows.execution import executing
    from bigrock.workflows.shale import align_stack

    with executing(executor) as where:
        passes = _passes(where, block, ram, quiet)
        made = align_stack(stack, dest, outside=outside, overwrite=overwrite, **passes)  # type: ignore[arg-type]
    show_volume(made, json=json)


@command(
    "bigrock shale slices stack.zarr --train 6", "bigrock shale slices stack.zarr --train 6 --diverse --json"
)
def slices(
    stack: Stack,
    train: Train = 6,
    test: Test = 5,
    apart: Apart = None,
    diverse: Diverse = False,
    texture: Annotated[
        bool, typer.Option("--texture", help="Measure whether the slices span the stack's diversity.")
    ] = False,
    radius: Radius = 31,
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Choose slices for training, validation and test, at equal intervals or by texture."""
    from bigrock.workflows.execution import executing

    with executing(executor) as where:
        passes = _passes(where, None, ram, quiet)
        choice, spans = _choice(stack, train, test, apart, diverse, diverse or texture, radius, passes)
    if json:
        show_json(choice.to_dict() | ({} if spans is None else {"diversity": spans.to_dict()}))
        return
    say(str(choice))
    if spans is not None:
        show_rows((f"range of {name}", f"{100 * part:.0f} %") for name, part in spans.coverage.items())
        if not spans.spans:
            complain(
                f"the training slices do not span the stack; slice {spans.farthest} is least like them. "
                "Try --diverse, or more slices.",
                "warning",
            )


@command(
    "bigrock shale annotate stack.zarr annotation --train 6",
    "bigrock shale annotate stack.zarr annotation --train 6 --classes 3 --format png",
    "bigrock shale annotate --import annotation",
)
def annotate(
    stack: Annotated[str | None, typer.Argument(metavar="[STACK]", help="The grey stack.")] = None,
    folder: Annotated[
        str | None, typer.Argument(metavar="[FOLDER]", help="A new folder for the painter.")
    ] = None,
    import_: Annotated[
        str | None,
        typer.Option(
            "--import", metavar="FOLDER", help="Check a painted folder (against STACK, where given)."
        ),
    ] = None,
    train: Train = 6,
    test: Test = 5,
    apart: Apart = None,
    diverse: Diverse = False,
    classes: Annotated[
        int,
        typer.Option(
            metavar="2|3|4", help="Matrix and pore; organic and inorganic pores; organic matter too."
        ),
    ] = 4,
    radius: Radius = 31,
    shell: Annotated[
        int, typer.Option(metavar="1|2|3", help="Pixels around a pore that decide whether it is organic.")
    ] = 2,
    format_: Annotated[str, typer.Option("--format", metavar="tif|png", help="Of the labels.")] = "tif",
    executor: o.ExecutorText = None,
    ram: o.Ram = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Write slices with labels to begin with for a painter, or read the corrected ones back with --import."""
    if import_ is not None:
        if folder is not None:
            raise ParameterError(
                "--import takes the painted folder itself: a second folder has no part in it."
            )
        _show_imported(import_, stack, json)
        return
    if stack is None or folder is None:
        raise ParameterError(
            "STACK and FOLDER are needed: what is annotated, and a new folder. Or use --import FOLDER."
        )
    from bigrock.workflows.execution import executing
    from bigrock.workflows.shale import export_annotation

    with executing(executor) as where:
        passes = _passes(where, None, ram, quiet)
        choice, _ = _choice(stack, train, test, apart, diverse, diverse, radius, passes)
        done = export_annotation(
            stack,
            folder,
            slices=choice,
            classes=classes,
            radius=radius,
            shell=shell,
            format=format_,  # type: ignore[arg-type]
            **passes,
        )
    if json:
        show_json({**done.to_dict(), "choice": choice.to_dict()})
        return
    say(str(choice))
    say(f"{len(done.slices)} slices to paint, with legend.txt, in {done.folder}")


def _choice(
    stack: str,
    train: int,
    test: int,
    apart: int | None,
    diverse: bool,
    textured: bool,
    radius: int,
    passes: dict[str, Any],
) -> tuple[Any, Any]:
    """Return the chosen slices and, where texture is measured, their diversity."""
    import bigrock
    from bigrock.workflows.shale import diversity, select_slices, slice_texture

    source = bigrock.open_volume(stack)
    depth, voxel = source.shape[0], source.voxel_size
    choice = select_slices(depth, train, voxel_size=voxel, test=test, apart=apart)
    if not textured:
        return choice, None
    table = slice_texture(source, radius=radius, **passes)
    if diverse:
        choice = select_slices(depth, train, voxel_size=voxel, test=test, apart=apart, texture=table)
    return choice, diversity(table, choice)


def _show_imported(folder: str, stack: str | None, json: bool) -> None:
    from bigrock.workflows.shale import import_annotation

    found = import_annotation(folder, stack=stack)
    if json:
        show_json(found.to_dict())
        return
    rows = [(f"slice {z} ({found.roles[z]})", _changed(c)) for z, c in found.changed.items()]
    show_rows([*rows, ("in all", _changed(found.total))])


def _changed(changed: Any) -> str:
    share = (
        "no pore pixels"
        if changed.share is None
        else f"{100 * changed.share:.2f} % of the pore pixels changed"
    )
    return f"{share}, {100 * changed.annotated / changed.pixels:.0f} % annotated"


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


for _name, _command in {
    "quality": quality,
    "align": align,
    "slices": slices,
    "annotate": annotate,
    "train": train,
    "run": run,
    "evaluate": evaluate,
    "sweep": sweep,
    "account": account,
    "demo": demo,
}.items():
    shale.command(_name, epilog=_command.examples)(_command)
