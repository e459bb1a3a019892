"""``bigrock permeability prepare``: a set of rocks with permeabilities, to train networks on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import complain, say, show_json, show_rows
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.datasets import RockSet

__all__ = ["prepare"]

_ROCKS, _DEEPORE, _LABELS = "Synthetic rocks", "From DeePore", "Permeabilities"


@command(
    "bigrock permeability prepare rocks.zarr --count 500 --edge 64 --seed 0",
    "bigrock permeability prepare rocks.zarr --count 90 --families pack,vugs --axes zyx",
    "bigrock permeability prepare deepore.zarr --deepore DeePore_Dataset.h5",
)
def prepare(
    dest: Annotated[str, typer.Argument(metavar="DEST", help="A new .zarr folder or URL.")],
    count: Annotated[
        int | None, typer.Option(metavar="N", rich_help_panel=_ROCKS, help="How many (default: 500).")
    ] = None,
    edge: Annotated[
        int | None, typer.Option(metavar="VOXELS", rich_help_panel=_ROCKS, help="Side (default: 64).")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", rich_help_panel=_ROCKS, help="Another seed, other rocks (default: 0)."),
    ] = None,
    families: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME,...", rich_help_panel=_ROCKS, help="Textures (default: all nine)."),
    ] = None,
    deepore: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_DEEPORE, help="The complete file: its volumes are repacked."
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            rich_help_panel=_DEEPORE,
            help="Also what the authors of DeePore drop: NaN, infinite, and unlikely properties.",
        ),
    ] = False,
    parents: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_DEEPORE,
            help="A text file with the number of the parent rock of each image, one a line (default: 295 in a row "
            "are taken for one parent).",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            rich_help_panel=_LABELS,
            help="stokes, network (PoreSpy and OpenPNM), none, or file: DeePore's own (default: stokes, or file).",
        ),
    ] = None,
    axes: Annotated[
        str,
        typer.Option(metavar="AXES", rich_help_panel=_LABELS, help="Directions of the flow: zyx, or z."),
    ] = "z",
    bc: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=_LABELS, help="sealed, periodic or mirrored."),
    ] = "sealed",
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="FRACTION",
            rich_help_panel=_LABELS,
            help="How far fluxes through planes across the flow may differ.",
        ),
    ] = 1e-2,
    voxel_size: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            rich_help_panel=_LABELS,
            help="What a voxel is taken for (default: 2 um, DeePore 1 um).",
        ),
    ] = None,
    executor: o.ExecutorText = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Make rocks with known permeability, or repack a DeePore file, to train networks on.

    Interrupted, the same command goes on where it stopped. Rocks without a positive permeability are kept, and
    training leaves them out.
    """
    from bigrock.workflows.execution import executing

    how: dict[str, Any] = {
        "boundary": bc,
        "tolerance": tolerance,
        "resume": not no_resume,
        "overwrite": overwrite,
        "progress": o.progress_of(quiet),
    }
    how |= {} if voxel_size is None else {"voxel_size": voxel_size}
    rocks = {"count": count, "edge": edge, "seed": seed, "families": families}
    asked = {name: value for name, value in rocks.items() if value is not None}
    directions = tuple(o.axes_of(axes))
    with executing(executor) as where:
        how["executor"] = where
        if deepore is None:
            _refuse({"--everything": everything, "--parents": parents}, "needs --deepore FILE")
            found = _make(dest, asked, labels, directions, how)
        else:
            _refuse({f"--{n}": True for n in asked}, "is for synthetic rocks, and --deepore was given")
            found = _repack(dest, deepore, everything, parents, labels, directions, how)
    _show(found, json)


def _refuse(options: dict[str, Any], why: str) -> None:
    for option, value in options.items():
        if value:
            raise ParameterError(f"{option} {why}.")


def _make(
    dest: str, asked: dict[str, Any], labels: str | None, axes: tuple[str, ...], how: dict[str, Any]
) -> RockSet:
    from bigrock.datasets import make_rocks

    if "families" in asked:
        asked["families"] = [name.strip() for name in asked["families"].split(",")]
    asked = {"count": 500} | asked
    return make_rocks(
        dest, labels=None if labels == "none" else labels or "stokes", axes=axes, **asked, **how
    )


def _repack(
    dest: str,
    file: str,
    everything: bool,
    parents: str | None,
    labels: str | None,
    axes: tuple[str, ...],
    how: dict[str, Any],
) -> RockSet:
    from bigrock.datasets import DeePore

    if labels == "none":
        raise ParameterError("--labels none is for synthetic rocks: a DeePore file has labels.")
    if len(axes) != 1:
        raise ParameterError(f"--axes {','.join(axes)}: one direction is wanted for a DeePore file.")
    data = DeePore(file, parents=None if parents is None else _numbers(parents))
    indices = range(len(data)) if everything else None
    return data.repack(dest, indices=indices, labels=labels or "file", axis=axes[0], **how)


def _numbers(file: str) -> list[int]:
    from pathlib import Path

    try:
        return [int(line) for line in Path(file).read_text().split()]
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"--parents {file} is not a text file of whole numbers, one a line ({error})."
        ) from error


def _show(rocks: RockSet, json: bool) -> None:
    from bigrock.units import DARCY_M2, format_voxel_size

    found = rocks.summary()
    if json:
        show_json(found)
        return
    rows: list[tuple[str, Any]] = [
        ("rocks", f"{found['rocks']} of {found['edge']}³ voxels, {format_voxel_size(rocks.voxel_size)}"),
        ("textures", ", ".join(f"{name} {n}" for name, n in found["families"].items())),
        ("porosity", _span(found["porosity"])),
    ]
    for axis, k in found["k_m2"].items():
        if k is not None:
            rows.append((f"k along {axis}, mD", _span({n: 1000 * v / DARCY_M2 for n, v in k.items()})))
    show_rows([*rows, ("set", found["path"])])
    if found["without_positive_k"]:
        complain(
            f"{found['without_positive_k']} rocks have no positive permeability: training leaves them out.",
            "warning",
        )
    # Without permeabilities there is one network that can be trained.
    kind = "surrogate" if rocks.percolating.any() else "super-resolution"
    say(f"bigrock permeability train {kind} {shlex.quote(found['path'])} --out {kind}")


def _span(values: dict[str, float]) -> str:
    return f"{values['min']:.3g} … {values['max']:.3g}, median {values['median']:.3g}"
