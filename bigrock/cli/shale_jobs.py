"""``bigrock shale run``, ``sweep`` and ``demo``: the whole loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json, show_rows
from bigrock.cli.shale_model import Anew, number, number_list, shale_job
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from bigrock.workflows.shale.running import ShaleResult

__all__ = ["demo", "run", "sweep"]

_Labels = Annotated[
    str | None,
    typer.Option(
        metavar="PATH", help="A label volume, or a folder of painted slices (bigrock shale annotate)."
    ),
]
_Config = Annotated[
    str | None, typer.Option("--config", "-c", metavar="FILE", help="Settings, such as configs/shale.yaml.")
]
_Seed = Annotated[int | None, typer.Option(metavar="N", help="Of weights and patches.")]


@command(
    "bigrock shale run stack.zarr --labels labels.zarr --out shale",
    "bigrock shale run stack.tif --voxel-size '10, 5, 5 nm' --out shale",
    "bigrock shale run --config configs/shale.yaml",
)
def run(
    stack: Annotated[str | None, typer.Argument(metavar="[STACK]", help="The grey stack.")] = None,
    labels: _Labels = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")
    ] = None,
    config: _Config = None,
    seed: _Seed = None,
    voxel_size: o.VoxelSize = None,
    overwrite: o.Overwrite = False,
    no_resume: o.NoResume = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Go from a stack and a few annotated slices to organic porosity and a report page.

    Without labels it writes slices to annotate first, with labels to begin with, and stops; the same
    command goes on when they are painted. Interrupted jobs go on where they stopped.
    """
    from bigrock.workflows.shale.job_input import stack_of
    from bigrock.workflows.shale.running import run_shale

    given = {"source": stack, "folder": out, "labels": labels, "overwrite": overwrite or None}
    job = _job(config, {**given, "resume": False if no_resume else None}, voxel_size)
    how: dict[str, Any] = {"progress": o.progress_of(quiet), "overwrite": job.overwrite, "resume": job.resume}
    if job.labels is None:
        from bigrock.workflows.shale.given_labels import prepare_annotation

        scan = stack_of(job.source, job.folder, settings=job.settings, **how)
        written = prepare_annotation(scan, Path(job.folder), job.settings, progress=how["progress"])
        if written is not None:
            _ask(str(written.folder), json)
            return
    result = run_shale(job.source, job.labels, job.folder, settings=job.settings, seed=seed, **how)
    _show(result, json)


def _job(config: str | None, given: dict[str, Any], voxel_size: str | None) -> Any:
    from bigrock.workflows.shale.settings import ShaleJob

    if config is not None:
        job = shale_job(config, **given)
    elif given["source"] is None or given["folder"] is None:
        raise ParameterError("STACK and --out are needed, or a file: --config configs/shale.yaml.")
    else:
        job = ShaleJob(workflow="shale", **{k: v for k, v in given.items() if v is not None})
    if voxel_size is None:
        return job
    scan = type(job.scan)(**{**dict(job.scan), "voxel_size": voxel_size})
    return job.model_copy(update={"scan": scan})


def _ask(folder: str, json: bool) -> None:
    if json:
        show_json({"annotate": folder})
        return
    say(f"slices to annotate lie in {folder}; legend.txt says which value is which class")
    say("paint them (napari, Fiji, any painter), save under the same names, then run this command again")


def _show(result: ShaleResult, json: bool) -> None:
    if json:
        show_json(result.to_dict())
        return
    metrics, found = result.few.metrics, result.account
    rows: list[tuple[str, Any]] = [(f"IoU {name}", number(value)) for name, value in metrics["iou"].items()]
    rows.append(("scored on", f"{metrics['scored_on']} slices"))
    if found is not None:
        rows += [
            ("porosity", _percent(found["porosity"]["total"])),
            ("organic matter", _percent(found["om_content"])),
        ]
        organic = found["organic_porosity"]
        rows.append((f"organic porosity ({organic['definition']})", _percent(organic["value"])))
    show_rows([*rows, ("time", f"{result.seconds:.1f} s"), ("folder", str(result.folder))])
    say(str(result.report))


@command(
    "bigrock shale sweep stack.zarr labels.zarr --out sweep",
    "bigrock shale sweep stack.zarr labels.zarr --out sweep --counts 2,4,6,8 --seeds 0,1",
)
def sweep(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="The grey stack: a .zarr folder or URL.")],
    labels: Annotated[str, typer.Argument(metavar="LABELS", help="A label volume; 255 is not annotated.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")] = "sweep",
    counts: Annotated[
        str, typer.Option(metavar="N,N,...", help="Numbers of training slices.")
    ] = "2,3,4,5,6,7,8",
    seeds: Annotated[str, typer.Option(metavar="N,N,...", help="Seeds of weights and patches.")] = "0,1,2",
    config: _Config = None,
    no_resume: Anew = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Find out how many annotated slices are enough: train on 2, 3, … 8 of them, test on the same others.

    Writes a table (CSV, Parquet), a figure, and the fewest slices whose validation IoU is within one
    standard error of the best. The same command goes on where it stopped.
    """
    import bigrock
    from bigrock.workflows.shale import sweep as run_sweep

    settings = None if config is None else shale_job(config, source=stack, folder=out).settings
    known = bigrock.open_volume(labels)
    found = run_sweep(
        stack,
        known,
        out,
        classes=known.classes,
        counts=number_list("--counts", counts),
        seeds=number_list("--seeds", seeds),
        config=settings,
        resume=not no_resume,
        progress=o.progress_of(quiet),
    )
    if json:
        show_json(found.to_dict())
        return
    for row in found.table.to_pylist():
        say(
            f"n = {row['n']} ({row['interval_um']:.3f} µm), seed {row['seed']}: mean IoU {number(row['mean_iou'])}, "
            f"validation {number(row['validation_iou'])}, {row['epochs']} epochs, {row['seconds']:.0f} s"
        )
    say(f"recommended: {found.recommended} slices ({found.rule})")
    say(str(found.folder / "sweep.png"))


@command(
    "bigrock shale demo --level middle --train-slices 6 --seed 0 --out shale-demo",
    "bigrock shale demo --quick --out shale-demo --json",
    continues=True,
)
def demo(
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="DIR", help="Where everything goes.")
    ] = "shale-demo",
    level: Annotated[
        str, typer.Option(metavar="NAME", help="How hard the shale is: easy, middle, hard.")
    ] = "middle",
    train_slices: Annotated[int, typer.Option(metavar="N", help="Slices to train on.")] = 6,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the rock and of the training.")] = 0,
    shape: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="Of the stack (default: 96,256,256).")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A tiny stack and hardly any training: to see the files.")
    ] = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run the whole loop on a synthetic shale whose classes are known; minutes on two cores.

    Writes shale.json (IoU beside a random forest, porosity bias, organic porosity, seconds, rates)
    and report.html. The same command goes on where it stopped.
    """
    from bigrock.workflows.shale import shale_demo

    found = shale_demo(
        out,
        level=level,  # type: ignore[arg-type]
        train_slices=train_slices,
        seed=seed,
        shape=o.whole_numbers("--shape", shape),
        quick=quick,
        overwrite=overwrite,
        progress=o.progress_of(quiet),
    )
    if json:
        show_json(found.figures)
        return
    show_rows(_demo_rows(found.figures))
    say(str(found.file))
    say(str(found.result.report))


def _demo_rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures of a demo as people read them."""
    rows = [
        (f"IoU {name}", f"{number(value)} (random forest {number(told['iou_random_forest'][name])})")
        for name, value in told["iou"].items()
    ]
    organic = ", ".join(f"{name} {_percent(value)}" for name, value in told["organic_porosity"].items())
    return [
        *rows,
        ("IoU all pores", number(told["pore_iou"])),
        ("porosity bias, relative", _percent(told["porosity_bias"])),
        ("organic porosity", organic),
        ("organic matter", _percent(told["om_content"])),
        ("pore pixels to correct by hand", _percent(told["corrected_share"])),
        ("training", f"{told['train_seconds']:.0f} s"),
        ("whole pass", f"{told['slices_per_second']:.1f} slices per second"),
        ("bare network", f"{told['forward_slices_per_second']:.1f} slices per second"),
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"
