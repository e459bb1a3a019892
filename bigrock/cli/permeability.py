"""``bigrock permeability``: from a scan to the permeability of a core, step by step."""

from __future__ import annotations

import typer

from bigrock.cli.permeability_demo import demo
from bigrock.cli.permeability_evaluate import evaluate
from bigrock.cli.permeability_map import map_core
from bigrock.cli.permeability_prepare import prepare
from bigrock.cli.permeability_solve import solve
from bigrock.cli.permeability_train import finetune, predict, train

__all__ = ["permeability"]

permeability = typer.Typer(
    name="permeability",
    no_args_is_help=True,
    help="Permeability of rocks: by solving for the flow, and by networks that learned it.",
)

for _name, _command in {
    "solve": solve,
    "prepare": prepare,
    "train": train,
    "finetune": finetune,
    "evaluate": evaluate,
    "predict": predict,
    "map": map_core,
    "demo": demo,
}.items():
    permeability.command(_name, epilog=_command.examples)(_command)
