"""How the outcome of the main job is printed, by ``bigrock run --config`` and ``bigrock demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigrock.cli.printing import say, show_json, show_rows

if TYPE_CHECKING:
    from bigrock.workflows import SegmentResult

__all__ = ["show_outcome"]


def show_outcome(result: SegmentResult, *, json: bool) -> None:
    """Write the outcome to stdout; the path of the page is the last line.

    Parameters
    ----------
    result : SegmentResult
        What the job made.
    json : bool
        As one JSON object.
    """
    from bigrock.units import format_voxel_size

    if json:
        show_json(result.to_dict())
        return
    found, other = result.found, result.found_by_global_otsu
    rows = [
        ("scan", f"{' × '.join(map(str, result.scan.shape))} voxels of {result.scan.dtype}"),
        ("voxel size", format_voxel_size(result.scan.voxel_size)),
        ("porosity", None if result.porosity is None else _percent(result.porosity)),
    ]
    if found and other:
        rows += [
            ("true porosity", _percent(found.true_porosity)),
            ("agreement", f"IoU {found.iou:.3f} of the pores with the truth"),
            ("global Otsu", f"{_percent(other.porosity)}, IoU {other.iou:.3f}: one threshold for the volume"),
        ]
    rows += [("time", f"{result.seconds:.1f} s"), ("folder", str(result.folder))]
    show_rows(rows)
    say(str(result.report))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"
