"""The ``bigrock`` command: its sub-commands, and the entry point."""

from __future__ import annotations

from typing import Annotated

import typer

from bigrock.cli.cluster import cluster
from bigrock.cli.command import examples_text
from bigrock.cli.demo import demo
from bigrock.cli.export import export
from bigrock.cli.gpu_check import gpu_check
from bigrock.cli.import_scan import import_scan
from bigrock.cli.info import info
from bigrock.cli.label import label
from bigrock.cli.measure import measure
from bigrock.cli.permeability import permeability
from bigrock.cli.plan import plan
from bigrock.cli.pores import pores
from bigrock.cli.report import report
from bigrock.cli.run import run
from bigrock.cli.segment import segment
from bigrock.cli.shale import shale
from bigrock.cli.superresolve import superresolve
from bigrock.cli.validate import validate

__all__ = ["app", "main"]

app = typer.Typer(
    name="bigrock",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Out-of-core processing of rock scans: import, threshold, measure and report volumes far larger "
    "than memory.",
    epilog=examples_text("bigrock demo", "bigrock demo --input core.tif --voxel-size '2.25 um'"),
)

for _name, _command in {
    "import": import_scan,
    "info": info,
    "plan": plan,
    "run": run,
    "segment": segment,
    "superresolve": superresolve,
    "measure": measure,
    "label": label,
    "pores": pores,
    "export": export,
    "report": report,
    "validate": validate,
    "demo": demo,
    "cluster": cluster,
    "gpu-check": gpu_check,
}.items():
    app.command(_name, epilog=_command.examples, cls=getattr(_command, "cls", None))(_command)
app.add_typer(shale)
app.add_typer(permeability)


def _version(value: bool) -> None:
    if value:
        from bigrock import __version__

        typer.echo(f"bigrock {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line on the arguments of this process."""
    app()
