"""``bigrock permeability train``, ``finetune`` and ``predict``: the networks of the permeability workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show, show_json, show_rows
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.workflows.permeability.network_settings import PermeabilitySettings
    from bigrock.workflows.permeability.network_training import NetworkResult

__all__ = ["RocksArgument", "SettingsFile", "finetune", "predict", "rocks_and_settings", "train"]

RocksArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[ROCKS]", help="A set of rocks (bigrock permeability prepare); or as --config says."
    ),
]
SettingsFile = Annotated[
    str | None,
    typer.Option("--config", "-c", metavar="FILE", help="Settings, such as configs/permeability.yaml."),
]
_Out = Annotated[str, typer.Option("--out", "-o", metavar="BUNDLE", help="Folder of the model.")]
_Seed = Annotated[int | None, typer.Option(metavar="N", help="Of weights and samples.")]


@command(
    "bigrock permeability train super-resolution rocks.zarr --out sr",
    "bigrock permeability train surrogate rocks.zarr --config configs/permeability.yaml --out surrogate",
    "bigrock permeability train direct rocks.zarr --out direct",
)
def train(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK", help="super-resolution; surrogate; or direct (a surrogate of coarse images)."
        ),
    ],
    rocks: RocksArgument = None,
    out: _Out = "model",
    config: SettingsFile = None,
    seed: _Seed = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Train a network on a set of rocks, and score it on those that it never saw.

    The folder is a bundle that `bigrock superresolve` and `bigrock permeability predict` take; MONAI's own
    runner runs it too. The same command continues a training that was interrupted.
    """
    from bigrock.workflows.permeability.network_training import train_network

    path, settings = rocks_and_settings(rocks, config)
    made = train_network(
        kind,  # type: ignore[arg-type]
        _open(path),
        out,
        settings,
        seed=seed,
        resume=not no_resume,
        overwrite=overwrite,
        progress=o.progress_of(quiet),
    )
    _show(made, json)


@command(
    "bigrock permeability finetune rocks.zarr --super-resolution sr --surrogate surrogate --out tuned",
    "bigrock permeability finetune rocks.zarr --super-resolution sr --surrogate surrogate --fidelity 0 --out paper",
    "bigrock permeability finetune rocks.zarr --super-resolution sr --out voxels-only",
)
def finetune(
    rocks: RocksArgument = None,
    super_resolution: Annotated[
        str, typer.Option("--super-resolution", metavar="BUNDLE", help="The model that is tuned; unchanged.")
    ] = "sr",
    surrogate: Annotated[
        list[str] | None,
        typer.Option(metavar="BUNDLE", help="What it shall please; repeat for several. None: voxels only."),
    ] = None,
    out: _Out = "tuned",
    fidelity: Annotated[
        float | None, typer.Option(metavar="WEIGHT", help="Of the voxels (default: 10); 0 is the paper.")
    ] = None,
    sees: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="What the surrogates are shown: grey (default, the paper), mask, or fraction: masks in which each "
            "coarse voxel keeps its pore fraction, as `permeability map --threshold fraction` makes them.",
        ),
    ] = None,
    config: SettingsFile = None,
    seed: _Seed = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Tune a super-resolution so that a frozen surrogate tells the right permeability from what it makes.

    A network that is tuned without fidelity learns patterns that please the surrogate. Whether the flow
    became better, only the solver tells: bigrock permeability evaluate.
    """
    from bigrock.workflows.permeability.network_training import tune_network

    path, settings = rocks_and_settings(rocks, config)
    made = tune_network(
        super_resolution,
        surrogate or [],
        _open(path),
        out,
        settings,
        seed=seed,
        fidelity=fidelity,
        sees=sees,  # type: ignore[arg-type]
        resume=not no_resume,
        overwrite=overwrite,
        progress=o.progress_of(quiet),
    )
    _show(made, json)


@command(
    "bigrock permeability predict mask.zarr --model surrogate",
    "bigrock permeability predict rocks.zarr --model surrogate --model holdout --axis z --json",
)
def predict(
    images: Annotated[
        str,
        typer.Argument(
            metavar="IMAGES", help="A mask or pore fractions of the extent of a rock, or a set of rocks."
        ),
    ],
    model: Annotated[
        list[str], typer.Option("--model", "-m", metavar="BUNDLE", help="A surrogate; repeat for several.")
    ],
    axis: Annotated[str, typer.Option(metavar="z|y|x|all", help="Direction of the flow.")] = "all",
    json: o.Json = False,
) -> None:
    """Tell the permeability of an image by surrogates, with its standard deviation, in a moment.

    Images that are unlike all training rocks are marked; where pores over one half do not join the two
    faces, k is 0. For volumes larger than the rocks, use bigrock permeability map.
    """
    from bigrock.workflows.permeability.predicting import predict_stored

    found = predict_stored(images, model, axis=axis)
    if json:
        show_json(found)
        return
    from rich.table import Table

    from bigrock.units import format_permeability

    table = Table("rock", "axis", "k", "± factor", "", box=None)
    for row in found["predictions"]:
        told = {
            "does not percolate": not row["percolates"],
            "unlike the training rocks": row["out_of_distribution"],
        }
        k, std = format_permeability(row["k_m2"]), row["log10_std"]
        remark = ", ".join(word for word, so in told.items() if so)
        factor = "–" if std is None else f"{10**std:.2f}"
        table.add_row(str(row["rock"]), row["axis"], k, factor, remark)
    show(table)


def rocks_and_settings(rocks: str | None, config: str | None) -> tuple[str, PermeabilitySettings | None]:
    """Return the rocks and the settings that are asked for."""
    if config is not None:
        from bigrock.workflows import load_config

        job: Any = load_config(config, expected="permeability", rocks=rocks)
        return job.rocks, job.settings
    if rocks is None:
        raise ParameterError("no rocks are given. Name a set of rocks, or a --config that does.")
    return rocks, None


def _open(path: str) -> Any:
    from bigrock.datasets import open_rocks

    return open_rocks(path)


def _show(made: NetworkResult, json: bool) -> None:
    found = made.to_dict()
    if json:
        show_json(found)
        return
    rows = [(name, found[name]) for name in ("bundle", "task", "epochs", "seconds")]
    for part in ("validation", "test"):
        rows += [(_named(part, name), _short(value)) for name, value in found[part].items()]
    reasons = {"not labelled": "not labelled", "not percolating": "that do not percolate"}
    left_out = ", ".join(f"{n} {reasons[reason]}" for reason, n in found["left_out"].items())
    show_rows([*rows, ("rocks left out", left_out or None)])
    say(f"done: {made.trained.bundle.folder}")


def _named(part: str, name: str) -> str:
    """Return what a score is called in the table."""
    known = {
        "psnr": "PSNR, dB",
        "psnr_nearest": "PSNR of the nearest voxel, dB",
        "psnr_trilinear": "PSNR of trilinear interpolation, dB",
        "psnr_cubic": "PSNR of cubic interpolation, dB",
        "r2_porosity": "r2 of a regression on porosity",
        "r2_kozeny_carman": "r2 of Kozeny-Carman, fitted",
        "r2_porosity_and_surface": "r2 of a regression on porosity and surface",
        "score": "score (higher is better)",
    }
    return f"{part} {known.get(name, name.removeprefix(f'{part} ').replace('_', ' '))}"


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
