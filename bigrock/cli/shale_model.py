"""``bigrock shale train`` and ``evaluate``: a network from annotated slices, and how right labels are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json, show_rows
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.volumes import Volume
    from bigrock.workflows.shale.evaluation import Evaluation

__all__ = ["Anew", "evaluate", "number", "number_list", "shale_job", "train"]

Anew = Annotated[
    bool, typer.Option("--no-resume", help="Train anew, and replace the training that is in the folder.")
]
_Stack = Annotated[str, typer.Argument(metavar="STACK", help="The grey stack: a .zarr folder or URL.")]


@command(
    "bigrock shale train stack.zarr labels.zarr model --slices 6",
    "bigrock shale train stack.zarr annotation model --config configs/shale.yaml",
)
def train(
    stack: _Stack,
    labels: Annotated[
        str, typer.Argument(metavar="LABELS", help="A label volume, or a folder of painted slices.")
    ],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of the bundle.")],
    slices: Annotated[
        int | None, typer.Option(metavar="N", help="How many slices to train on (default: 6).")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", metavar="FILE", help="Settings, such as configs/shale.yaml."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of weights and patches.")] = 0,
    no_resume: Anew = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Train a network on annotated slices, for bigrock segment --model; the same command continues."""
    import bigrock
    from bigrock.workflows.shale import train_from_slices
    from bigrock.workflows.shale.given_labels import given_labels
    from bigrock.workflows.shale.settings import ShaleSettings

    settings = ShaleSettings() if config is None else shale_job(config, source=stack, folder=model).settings
    source = bigrock.open_volume(stack)
    known, parts = given_labels(labels, source, Path(model), settings)
    trained = train_from_slices(
        source,
        known,
        model,
        slices=parts if slices is None else slices,
        classes=settings.classes,
        seed=seed,
        config=settings,
        resume=not no_resume,
        progress=o.progress_of(quiet),
    )
    told = {"model": trained.bundle.folder, "epochs": trained.epochs, "seconds": round(trained.seconds, 1)}
    if json:
        show_json({**told, "validation": dict(trained.validation)})
        return
    ious = trained.validation["iou"].items()
    show_rows([*((f"validation IoU {name}", number(value)) for name, value in ious), *told.items()])


@command(
    "bigrock shale evaluate segmentation.zarr truth.zarr --slices 12,40,77",
    "bigrock shale evaluate segmentation.zarr truth.zarr --slices 12,40,77 --stack stack.zarr --folder scores",
)
def evaluate(
    labels: Annotated[str, typer.Argument(metavar="LABELS", help="The labels to judge.")],
    truth: Annotated[str, typer.Argument(metavar="TRUTH", help="A label volume of the same stack.")],
    slices: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Slices that training has not seen (default: all)."),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="STACK", help="The grey stack, shown beside the labels.")
    ] = None,
    folder: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write evaluation.json, .csv and a page.")
    ] = None,
    json: o.Json = False,
) -> None:
    """Compare labels with the truth of some slices: IoU, Dice, confusion, porosity bias with its interval."""
    import bigrock
    from bigrock.workflows.shale import evaluate as evaluate_labels

    chosen = None if slices is None else number_list("--slices", slices)
    judged = bigrock.open_volume(labels)
    grey = None if stack is None else bigrock.open_volume(stack)
    found = evaluate_labels(judged, bigrock.open_volume(truth), slices=chosen)
    page = None if folder is None else _written(found, judged, grey, Path(folder))
    if json:
        show_json(found.to_dict())
        return
    told, bias = found.scores, found.scores["porosity_bias"]
    rows = [
        (f"{score} {name}", number(told[key][name]))
        for score, key in (("IoU", "iou"), ("Dice", "dice"))
        for name in found.classes
    ]
    rows += [("mean IoU", number(told["mean_iou"])), ("pixel accuracy", number(told["pixel_accuracy"]))]
    if bias:
        value, low, high = (number(bias[key]) for key in ("relative", "relative_low", "relative_high"))
        rows.append(("porosity bias, relative", f"{value} ({low} … {high})"))
    show_rows(rows)
    if page is not None:
        say(str(page))


def _written(found: Evaluation, labels: Volume, grey: Volume | None, folder: Path) -> Path:
    from bigrock.report import write_report
    from bigrock.workflows.shale import evaluation_sections

    folder.mkdir(parents=True, exist_ok=True)
    found.to_json(folder / "evaluation.json")
    found.to_csv(folder / "evaluation.csv")
    volumes = {"labels": labels} if grey is None else {"scan": grey, "labels": labels}
    sections = evaluation_sections(found, grey)
    return write_report(volumes, folder / "evaluation.html", title="Evaluation of labels", sections=sections)


def shale_job(config: str, **given: Any) -> Any:
    """Return the job of a configuration file of the shale workflow."""
    from bigrock.workflows import load_config

    return load_config(config, expected="shale", **given)


def number_list(option: str, text: str) -> list[int]:
    """Return the numbers of an option such as ``2,4,6``."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ParameterError(
            f"{option} {text!r} is not a list of whole numbers. Write it like {option} 2,4,6."
        )
    return [int(part) for part in parts]


def number(value: float | None) -> str:
    """Return a score as it is printed."""
    return "–" if value is None else f"{value:.4f}"
