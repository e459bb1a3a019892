"""From a FIB-SEM stack and a few annotated slices to organic porosity, step by step.

Is the stack good enough (`stack_quality`, `align_stack`); which slices to annotate (`select_slices`,
`diversity`); out to a painter and back (`export_annotation`, `import_annotation`). Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.workflows.shale.aligning import align_stack
    from bigrock.workflows.shale.annotation import Exported, export_annotation
    from bigrock.workflows.shale.annotation_import import Annotations, import_annotation
    from bigrock.workflows.shale.quality import StackQuality, stack_quality
    from bigrock.workflows.shale.selection import SliceChoice, select_slices
    from bigrock.workflows.shale.slice_diversity import Diversity, diverse_slices, diversity, slice_texture

_HOME = {
    "Annotations": "annotation_import",
    "Diversity": "slice_diversity",
    "Exported": "annotation",
    "SliceChoice": "selection",
    "StackQuality": "quality",
    "align_stack": "aligning",
    "diverse_slices": "slice_diversity",
    "diversity": "slice_diversity",
    "export_annotation": "annotation",
    "import_annotation": "annotation_import",
    "select_slices": "selection",
    "slice_texture": "slice_diversity",
    "stack_quality": "quality",
}

__all__ = [
    "Annotations",
    "Diversity",
    "Exported",
    "SliceChoice",
    "StackQuality",
    "align_stack",
    "diverse_slices",
    "diversity",
    "export_annotation",
    "import_annotation",
    "select_slices",
    "slice_texture",
    "stack_quality",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
