"""``bigrock run``: a kernel over a volume, or the whole job of a configuration file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.info import show_volume
from bigrock.cli.outcome import show_outcome
from bigrock.errors import ParameterError

__all__ = ["run"]


@command(
    "bigrock run core.zarr pores.zarr --kernel 'standardize | local-otsu radius=31 min_contrast=0.3'",
    "bigrock run core.zarr pores.zarr --kernel 'median radius=1 | global-otsu | opening radius=2'",
    "bigrock run core.zarr pores.zarr --kernel global-otsu --executor tcp://head:8786",
    "bigrock run --config configs/segment.yaml",
    "bigrock run core.tif core-pores --config configs/segment.yaml",
)
def run(
    volume: Annotated[
        str | None,
        typer.Argument(metavar="VOLUME", help="A volume; with --config, in place of its source."),
    ] = None,
    dest: Annotated[
        str | None, typer.Argument(metavar="DEST", help="The volume to make; with --config, the folder.")
    ] = None,
    kernel: o.KernelText = None,
    config: Annotated[
        str | None, typer.Option("--config", "-c", metavar="FILE", help="Run the workflow of a YAML file.")
    ] = None,
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
    """Apply a kernel to every block of a volume and store the result, or run a configuration file.

    Out of core, and resumable: the same command continues an interrupted run.
    """
    if config is not None:
        _refuse_beside_config(kernel=kernel, pyramid=pyramid, block=block, ram=ram, executor=executor)
        if backend != "cpu":
            _refuse_beside_config(backend=backend)
        _run_config(config, volume, dest, overwrite, no_resume, quiet, json)
        return
    if volume is None or dest is None or kernel is None:
        raise ParameterError(
            "a run needs a volume, a destination and a kernel, or a configuration file. Write "
            "bigrock run VOLUME DEST --kernel 'local-otsu radius=31', or bigrock run --config FILE."
        )
    passed: dict[str, Any] = {
        "pyramid": pyramid,
        "overwrite": overwrite,
        "resume": not no_resume,
        "block": o.whole_numbers("--block", block),
    }
    how = {"ram": ram, "progress": o.progress_of(quiet)}
    show_volume(_run_kernel(kernel, volume, dest, backend, executor, how, passed), json=json)


def _run_kernel(
    text: str,
    path: str,
    dest: str,
    backend: str,
    executor: str | None,
    how: dict[str, Any],
    passed: dict[str, Any],
) -> Any:
    import bigrock
    from bigrock.workflows.execution import executing, for_backend
    from bigrock.workflows.kernel_text import parse_kernel

    kernel, source = parse_kernel(text), bigrock.open_volume(path)
    with executing(executor) as where:
        kernel = for_backend(kernel, source, backend, executor=where, **how)
        return bigrock.run(kernel, source, dest, executor=where, config={"kernel": text}, **how, **passed)


def _run_config(
    file: str,
    source: str | None,
    folder: str | None,
    overwrite: bool,
    no_resume: bool,
    quiet: bool,
    json: bool,
) -> None:
    from bigrock.workflows import SegmentJob, load_config, segment

    job = load_config(
        file, source=source, folder=folder, overwrite=overwrite or None, resume=False if no_resume else None
    )
    if not isinstance(job, SegmentJob):
        raise ParameterError(
            f"{file} is for the workflow {job.workflow!r}, which has its own command. Write "
            f"bigrock {job.workflow} run --config {file}."
        )
    result = segment(
        job.source,
        job.folder,
        settings=job.settings,
        overwrite=job.overwrite,
        resume=job.resume,
        progress=o.progress_of(quiet),
    )
    show_outcome(result, json=json)


def _refuse_beside_config(**given: Any) -> None:
    """Refuse options that the configuration file has keys for: two places would contradict each other."""
    wrong = [f"--{name}" for name, value in given.items() if value]
    if wrong:
        raise ParameterError(
            f"{', '.join(wrong)} beside --config is not known to the workflow. Set it in the file."
        )
