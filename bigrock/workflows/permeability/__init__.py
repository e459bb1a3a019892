"""From a low-resolution scan of a core to its permeability, and how far to trust it.

`solve_permeability` solves for the flow through a volume that fits in memory. `map_permeability` maps a core
window by window: super-resolution in memory, then a surrogate network or Stokes flow, with profile, REV,
upscaled k and its own error. `train_network` and `tune_network` make one network at a time; `judge_networks`
judges them on test rocks, by networks and by physics (it stands on `evaluate_permeability`).
`permeability_demo` does all of it on synthetic rocks. Names load on first use.

What is called the paper is the method of Scientific Reports, 2024: super-resolution 32³ → 256³ trained on voxels,
a surrogate of three branches of 2-D convolutions, and the first tuned through the frozen second
(configs/permeability-paper.yaml). It states no widths, splits or epochs; those here are our own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.workflows.permeability.demo import PermeabilityDemo, permeability_demo
    from bigrock.workflows.permeability.demo_settings import DemoSettings
    from bigrock.workflows.permeability.evaluation import PermeabilityEvaluation, evaluate_permeability
    from bigrock.workflows.permeability.evaluation_report import evaluation_sections
    from bigrock.workflows.permeability.judging import judge_networks
    from bigrock.workflows.permeability.map_report import map_sections, write_map_report
    from bigrock.workflows.permeability.map_result import PermeabilityMap
    from bigrock.workflows.permeability.mapping import map_permeability
    from bigrock.workflows.permeability.network_settings import PermeabilityJob, PermeabilitySettings
    from bigrock.workflows.permeability.network_training import NetworkResult, train_network, tune_network
    from bigrock.workflows.permeability.predicting import predict_stored
    from bigrock.workflows.permeability.solving_volume import solve_permeability
    from bigrock.workflows.permeability.verdicts import Roles, verdict

_HOME = {
    "DemoSettings": "demo_settings",
    "NetworkResult": "network_training",
    "PermeabilityDemo": "demo",
    "PermeabilityEvaluation": "evaluation",
    "PermeabilityJob": "network_settings",
    "PermeabilityMap": "map_result",
    "PermeabilitySettings": "network_settings",
    "Roles": "verdicts",
    "evaluate_permeability": "evaluation",
    "evaluation_sections": "evaluation_report",
    "judge_networks": "judging",
    "map_permeability": "mapping",
    "map_sections": "map_report",
    "permeability_demo": "demo",
    "predict_stored": "predicting",
    "solve_permeability": "solving_volume",
    "train_network": "network_training",
    "tune_network": "network_training",
    "verdict": "verdicts",
    "write_map_report": "map_report",
}

__all__ = [
    "DemoSettings",
    "NetworkResult",
    "PermeabilityDemo",
    "PermeabilityEvaluation",
    "PermeabilityJob",
    "PermeabilityMap",
    "PermeabilitySettings",
    "Roles",
    "evaluate_permeability",
    "evaluation_sections",
    "judge_networks",
    "map_permeability",
    "map_sections",
    "permeability_demo",
    "predict_stored",
    "solve_permeability",
    "train_network",
    "tune_network",
    "verdict",
    "write_map_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
