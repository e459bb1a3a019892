"""``bigrock validate``: whether a volume is whole and readable."""

from __future__ import annotations

import typer

from bigrock.cli import options as o
from bigrock.cli.command import command
from bigrock.cli.printing import say, show_json

__all__ = ["validate"]


@command(
    "bigrock validate core.zarr",
)
def validate(
    volume: o.VolumePath,
    executor: o.ExecutorText = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Check the metadata of a volume and decode every stored byte. Exit code 1 if anything is wrong.

    Each damaged file is named. Reads the whole volume, coarser levels included.
    """
    from bigrock.workflows.execution import executing
    from bigrock.workflows.validate import validate as check

    with executing(executor) as where:
        found = check(volume, executor=where, progress=o.progress_of(quiet))
    if json:
        show_json(found.to_dict())
    else:
        for problem in found.problems:
            say(problem)
        say(f"{volume}: {len(found.problems) or 'no'} problems; {found.files} stored files decoded")
    if found.problems:
        raise typer.Exit(1)
