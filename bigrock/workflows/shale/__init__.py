"""From a FIB-SEM stack and a few annotated slices to organic porosity, step by step.

Is the stack good enough (`stack_quality`, `align_stack`); which slices to annotate (`select_slices`,
`diversity`); out to a painter and back (`export_annotation`, `import_annotation`); a network (`train_from_slices`),
or at once labels of the whole stack (`segment_from_slices`), put right by whole components
(`split_organic_pores`, `remove_specks`); how right they are (`evaluate`); what lies where (`account`,
`maturity_table`), as a page (`write_account_report`); how many slices are enough (`sweep`); everything at once
(`run_shale`), and on a shale made on the spot (`shale_demo`). Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.workflows.shale.account_report import account_sections, write_account_report
    from bigrock.workflows.shale.accounting import ShaleAccount, account
    from bigrock.workflows.shale.aligning import align_stack
    from bigrock.workflows.shale.annotation import Exported, export_annotation
    from bigrock.workflows.shale.annotation_import import Annotations, import_annotation
    from bigrock.workflows.shale.demo import ShaleDemo, shale_demo
    from bigrock.workflows.shale.evaluation import Evaluation, evaluate, evaluation_sections
    from bigrock.workflows.shale.few_slice_job import FewSliceResult
    from bigrock.workflows.shale.given_labels import prepare_annotation
    from bigrock.workflows.shale.maturity import maturity_table
    from bigrock.workflows.shale.quality import StackQuality, stack_quality
    from bigrock.workflows.shale.running import ShaleResult, run_shale
    from bigrock.workflows.shale.segmenting import segment_from_slices, train_from_slices
    from bigrock.workflows.shale.selection import SliceChoice, select_slices
    from bigrock.workflows.shale.settings import FewSliceSettings, ShaleSettings
    from bigrock.workflows.shale.slice_diversity import Diversity, diverse_slices, diversity, slice_texture
    from bigrock.workflows.shale.sweeping import Sweep, sweep
    from bigrock.workflows.shale.whole_components import remove_specks, split_organic_pores

_HOME = {
    "Annotations": "annotation_import",
    "Diversity": "slice_diversity",
    "Evaluation": "evaluation",
    "Exported": "annotation",
    "FewSliceResult": "few_slice_job",
    "FewSliceSettings": "settings",
    "ShaleAccount": "accounting",
    "ShaleDemo": "demo",
    "ShaleResult": "running",
    "ShaleSettings": "settings",
    "SliceChoice": "selection",
    "StackQuality": "quality",
    "Sweep": "sweeping",
    "account": "accounting",
    "account_sections": "account_report",
    "align_stack": "aligning",
    "diverse_slices": "slice_diversity",
    "diversity": "slice_diversity",
    "evaluate": "evaluation",
    "evaluation_sections": "evaluation",
    "export_annotation": "annotation",
    "import_annotation": "annotation_import",
    "maturity_table": "maturity",
    "prepare_annotation": "given_labels",
    "remove_specks": "whole_components",
    "run_shale": "running",
    "segment_from_slices": "segmenting",
    "select_slices": "selection",
    "shale_demo": "demo",
    "slice_texture": "slice_diversity",
    "split_organic_pores": "whole_components",
    "stack_quality": "quality",
    "sweep": "sweeping",
    "train_from_slices": "segmenting",
    "write_account_report": "account_report",
}

__all__ = [
    "Annotations",
    "Diversity",
    "Evaluation",
    "Exported",
    "FewSliceResult",
    "FewSliceSettings",
    "ShaleAccount",
    "ShaleDemo",
    "ShaleResult",
    "ShaleSettings",
    "SliceChoice",
    "StackQuality",
    "Sweep",
    "account",
    "account_sections",
    "align_stack",
    "diverse_slices",
    "diversity",
    "evaluate",
    "evaluation_sections",
    "export_annotation",
    "import_annotation",
    "maturity_table",
    "prepare_annotation",
    "remove_specks",
    "run_shale",
    "segment_from_slices",
    "select_slices",
    "shale_demo",
    "slice_texture",
    "split_organic_pores",
    "stack_quality",
    "sweep",
    "train_from_slices",
    "write_account_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
