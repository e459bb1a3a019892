"""``bigrock permeability``: from a scan to the permeability of a core, step by step."""

from __future__ import annotations

import typer

from bigrock.cli.permeability_prepare import prepare
from bigrock.cli.permeability_solve import solve

__all__ = ["permeability"]

permeability = typer.Typer(
    name="permeability",
    no_args_is_help=True,
    help="Permeability of rocks: by solving for the flow, and by networks that learned it.",
)

for _name, _command in {
    "solve": solve,
    "prepare": prepare,
}.items():
    permeability.command(_name, epilog=_command.examples)(_command)
