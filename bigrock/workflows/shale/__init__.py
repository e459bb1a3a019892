"""From a FIB-SEM stack and a few annotated slices to organic porosity, step by step.

Is the stack good enough (`stack_quality`, `align_stack`); which slices to annotate (`select_slices`,
`diversity`); out to a painter and back (`export_annotation`, `import_annotation`); classes put right by whole
components (`split_organic_pores`, `remove_specks`); how right they are (`evaluate`); what lies where
(`account`, `maturity_table`), as a page (`write_account_report`). Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.workflows.shale.account_report import account_sections, write_account_report
    from bigrock.workflows.shale.accounting import ShaleAccount, account, maturity_table
    from bigrock.workflows.shale.aligning import align_stack
    from bigrock.workflows.shale.annotation import Exported, export_annotation
    from bigrock.workflows.shale.annotation_import import Annotations, import_annotation
    from bigrock.workflows.shale.evaluation import Evaluation, evaluate, evaluation_sections
    from bigrock.workflows.shale.quality import StackQuality, stack_quality
    from bigrock.workflows.shale.selection import SliceChoice, select_slices
    from bigrock.workflows.shale.slice_diversity import Diversity, diverse_slices, diversity, slice_texture
    from bigrock.workflows.shale.whole_components import remove_specks, split_organic_pores

_HOME = {
    "Annotations": "annotation_import",
    "Diversity": "slice_diversity",
    "Evaluation": "evaluation",
    "Exported": "annotation",
    "ShaleAccount": "accounting",
    "SliceChoice": "selection",
    "StackQuality": "quality",
    "account": "accounting",
    "account_sections": "account_report",
    "align_stack": "aligning",
    "diverse_slices": "slice_diversity",
    "diversity": "slice_diversity",
    "evaluate": "evaluation",
    "evaluation_sections": "evaluation",
    "export_annotation": "annotation",
    "import_annotation": "annotation_import",
    "maturity_table": "accounting",
    "remove_specks": "whole_components",
    "select_slices": "selection",
    "slice_texture": "slice_diversity",
    "split_organic_pores": "whole_components",
    "stack_quality": "quality",
    "write_account_report": "account_report",
}

__all__ = [
    "Annotations",
    "Diversity",
    "Evaluation",
    "Exported",
    "ShaleAccount",
    "SliceChoice",
    "StackQuality",
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
    "remove_specks",
    "select_slices",
    "slice_texture",
    "split_organic_pores",
    "stack_quality",
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
