"""The whole loop on a synthetic shale whose classes are known: what it reaches, and how fast."""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bigrock.datasets import Shale
from bigrock.engine.progress import ProgressLike
from bigrock.geometry import Shape
from bigrock.models import Bundle, whole_forward
from bigrock.transfer import import_volume
from bigrock.volumes import Volume
from bigrock.workflows.shale.annotation_files import pore_values
from bigrock.workflows.shale.annotation_import import Changed
from bigrock.workflows.shale.annotation_prelabels import PrelabelSettings, prelabels
from bigrock.workflows.shale.few_slice_job import checked_labels
from bigrock.workflows.shale.running import ShaleResult, run_shale
from bigrock.workflows.shale.segmenting import few_slice_settings, prepared_folder
from bigrock.workflows.shale.settings import ShaleSettings

__all__ = ["ShaleDemo", "forward_rate", "shale_demo"]

SHAPE: Shape = (96, 256, 256)
QUICK_SHAPE: Shape = (24, 64, 64)

_QUICK: dict[str, Any] = {
    "network": {"features": [8, 8, 16]},
    "training": {"max_epochs": 6, "steps_per_epoch": 10, "batch": 4, "patch": 32},
    "quality": False,
}


@dataclass(frozen=True, slots=True, eq=False)
class ShaleDemo:
    """What `shale_demo` found.

    Attributes
    ----------
    figures : dict
        What stands in ``shale.json``.
    result : ShaleResult
        The job.
    file : Path
        ``shale.json``.
    """

    figures: dict[str, Any]
    result: ShaleResult
    file: Path


def shale_demo(
    folder: str | os.PathLike[str],
    *,
    level: Literal["easy", "middle", "hard"] = "middle",
    train_slices: int = 6,
    seed: int = 0,
    shape: Shape | None = None,
    settings: ShaleSettings | None = None,
    quick: bool = False,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> ShaleDemo:
    """Make a synthetic shale, run the whole loop on it, and write ``shale.json`` and the report page.

    The stack is made, some of its slices are taken for annotated (their classes are known), a network
    is trained on them, segments the stack, and is scored on slices that it never saw, beside a
    random forest trained on the same ones. Minutes on two cores; with `quick` seconds, and then
    nothing is reached. Called again it goes on where it stopped.

    Parameters
    ----------
    folder : str or path-like
        A new folder, or that of the same demo.
    level : {"easy", "middle", "hard"}
        How hard the shale is; see `bigrock.datasets.Shale`.
    train_slices : int
        Slices to train on.
    seed : int
        Of the rock and of the training.
    shape : tuple of int, optional
        Of the stack.
    settings : ShaleSettings, optional
        In place of those of the demo.
    quick : bool
        A tiny stack and hardly any training, to see the files.
    overwrite : bool
        Replace a demo of other settings.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    ShaleDemo
        ``figures``: ``iou`` and ``iou_random_forest`` by class, ``pore_iou`` (of all pores as one) and
        ``porosity_bias`` (relative) on the test slices; ``organic_porosity`` (``hosted``, ``bulk``,
        ``notes``) and ``om_content`` of the whole stack; ``corrected_share`` (of the pore pixels of
        the training slices, what the annotator had to change in the pre-labels); ``train_seconds``,
        ``slices_per_second`` of the whole pass, ``forward_slices_per_second`` of the bare network.

    Examples
    --------
    >>> import tempfile
    >>> found = shale_demo(tempfile.mkdtemp() + "/demo", train_slices=3, quick=True, progress=False)
    >>> sorted(found.figures["organic_porosity"])
    ['bulk', 'hosted', 'notes']
    """
    place = prepared_folder(folder, overwrite)
    rock = Shale(shape or (QUICK_SHAPE if quick else SHAPE), level=level, seed=seed)
    settings = settings or _settings(quick, train_slices)
    wanted, classes = settings.selection.wanted, rock.truth.classes
    # Refuses impossible numbers of slices before anything is made.
    checked_labels(rock.truth, wanted, rock, classes, few_slice_settings(settings), progress=False)
    new: dict[str, Any] = {"overwrite": overwrite, "progress": progress}
    scan = import_volume(rock, place / "scan.zarr", **new)
    truth = import_volume(rock.truth, place / "truth.zarr", **new)
    result = run_shale(scan, truth, place, settings=settings, seed=seed, **new)
    figures = _figures(result, truth, place / "timing.json")
    file = place / "shale.json"
    file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return ShaleDemo(figures, result, file)


def _settings(quick: bool, train_slices: int) -> ShaleSettings:
    given: dict[str, Any] = dict(_QUICK) if quick else {}
    given["selection"] = {"training": train_slices, "apart": 2 if quick else 3}
    return ShaleSettings(**given, baselines=True)


def _figures(result: ShaleResult, truth: Volume, timing: Path) -> dict[str, Any]:
    metrics, found = result.few.metrics, result.account
    assert found is not None, "a synthetic shale has both kinds of pores"
    organic = found["organic_porosity"]
    training = result.few.parts.training
    return {
        "iou": metrics["iou"],
        "iou_random_forest": metrics["random_forest"]["iou"],
        "pore_iou": metrics["pore_iou"],
        "porosity_bias": metrics["porosity_bias"]["relative"],
        "organic_porosity": {name: organic[name] for name in ("hosted", "bulk", "notes")},
        "om_content": found["om_content"],
        "corrected_share": _corrected_share(result.scan, truth, training),
        "train_seconds": metrics["seconds"]["training"],
        "slices_per_second": round(truth.shape[0] / metrics["seconds"]["segmentation"], 3),
        "forward_slices_per_second": _kept_rate(timing, result.few.bundle, result.scan.shape),
    }


def _corrected_share(scan: Volume, truth: Volume, slices: Sequence[int]) -> float | None:
    """Return the share of pore pixels that an annotator changes who corrects the pre-labels to the truth."""
    classes = truth.classes
    pores = pore_values(classes)
    changed = total = 0
    for z, before in prelabels(scan, slices, classes, PrelabelSettings(), progress=False).items():
        after = truth[z]
        porous = np.isin(after, pores) | np.isin(before, pores)
        changed += int(np.count_nonzero(porous & (before != after)))
        total += int(np.count_nonzero(porous))
    return Changed(truth[0].size * len(slices), truth[0].size * len(slices), total, changed).share


def _kept_rate(file: Path, bundle: Bundle, shape: Shape) -> float:
    """Return the rate of the bare network: measured once for a network."""
    if file.exists() and (told := json.loads(file.read_text()))["digest"] == bundle.digest:
        return float(told["forward_slices_per_second"])
    rate = round(forward_rate(bundle, (shape[1], shape[2])), 3)
    file.write_text(json.dumps({"digest": bundle.digest, "forward_slices_per_second": rate}) + "\n")
    return rate


def forward_rate(bundle: Bundle, extent: tuple[int, int], *, batch: int = 4, repeats: int = 5) -> float:
    """Return slices per second of the bare network: images in memory, all cores, nothing read or written.

    Parameters
    ----------
    bundle : Bundle
        The network.
    extent : tuple of int
        Pixels along y and x.
    batch, repeats : int
        Slices at once, and how often; the median counts.

    Returns
    -------
    float
    """
    network = bundle.network("cpu")
    images = np.random.default_rng(0).normal(size=(batch, bundle.config.channels, *extent)).astype(np.float32)
    taken = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        whole_forward(network, images, bundle.stride)
        taken.append(time.perf_counter() - begun)
    seconds = statistics.median(taken[1:])
    return batch / seconds if seconds else math.inf
