"""How many annotated slices are enough: the same test slices, scored by networks trained on 2, 3, … 8 of them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError
from bigrock.models import SegmentationConfig
from bigrock.report.figures import Picture
from bigrock.report.section import Section
from bigrock.training import TrainingSlice, train_segmentation
from bigrock.training.losses import SegmentationLoss
from bigrock.training.metrics import scores
from bigrock.training.validation import evaluate
from bigrock.volumes import Source, source_of
from bigrock.volumes.source import required_voxel_size
from bigrock.workflows.execution import executing
from bigrock.workflows.shale.annotated import AnnotatedSlices, Labels, annotated_slices
from bigrock.workflows.shale.parts import Parts
from bigrock.workflows.shale.segmenting import few_slice_settings, local_folder
from bigrock.workflows.shale.settings import FewSliceSettings
from bigrock.workflows.shale.slices import SliceReader
from bigrock.workflows.shale.sweep_figure import draw_sweep
from bigrock.workflows.shale.sweep_slices import sweep_parts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Sweep", "recommended", "sweep", "sweep_section"]

RULE = "the fewest slices whose validation IoU is within one standard error of the best"


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What `sweep` found.

    Attributes
    ----------
    table : pyarrow.Table
        A row for each number of slices and seed: ``n``, ``seed``, ``interval_um``, ``iou <class>``,
        ``mean_iou``, ``pore_iou`` and ``test_loss`` of the test slices, ``validation_iou``,
        ``train_loss``, ``epochs``, ``best_epoch``, ``seconds``.
    recommended : int
        Number of slices by `rule`, which knows no test slice.
    rule : str
        In words.
    parts : dict of int to Parts
        Slices of each number; validation and test are the same for all.
    folder : Path
        ``sweep.csv``, ``sweep.parquet``, ``sweep.json``, ``sweep.png``, and the bundles.
    """

    table: pa.Table
    recommended: int
    rule: str
    parts: dict[int, Parts]
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON: rows, recommended number, rule, slices."""
        parts = {str(n): p.to_dict() for n, p in self.parts.items()}
        return {
            "recommended": self.recommended,
            "rule": self.rule,
            "parts": parts,
            "rows": self.table.to_pylist(),
        }


def sweep(
    stack: Source | str | os.PathLike[str],
    labels: Labels,
    out: str | os.PathLike[str],
    *,
    classes: Mapping[str, int],
    counts: Iterable[int] = range(2, 9),
    seeds: Iterable[int] = (0, 1, 2),
    config: FewSliceSettings | Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: ProgressLike = None,
) -> Sweep:
    """Return how IoU, loss, epochs and time depend on the number of training slices, and how many are enough.

    Trains a network for every number and seed; test and validation slices are the same for all, and
    none of them is a training slice of any. The recommended number is judged on validation: the
    fewest slices whose mean IoU there is within one standard error (over the seeds) of the best.
    The same call goes on where an interrupted sweep stopped.

    Parameters
    ----------
    stack, labels, classes
        As for `segment_from_slices`; all slices that are used must be annotated.
    out : str or path-like
        A folder.
    counts, seeds : iterable of int
        Numbers of training slices, and seeds of weights and patches.
    config : FewSliceSettings or mapping, optional
        Network and training.
    resume : bool
        Keep what an earlier call of the same settings trained.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    Sweep

    Raises
    ------
    ParameterError, PhaseError, VoxelSizeError, NonFiniteError
        As for `segment_from_slices`, before anything is trained.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> shale = Shale((20, 48, 48), level="easy")
    >>> short = {"max_epochs": 1, "steps_per_epoch": 2, "batch": 1, "patch": 16}
    >>> config = {"selection": {"test": 2}, "network": {"features": [4, 4, 8]}, "training": short}
    >>> found = sweep(shale, shale.truth, tempfile.mkdtemp() + "/sweep", classes=shale.truth.classes,
    ...     counts=(2, 3), seeds=(0,), config=config, progress=False)
    >>> found.table["n"].to_pylist()
    [2, 3]
    """
    settings, place = few_slice_settings(config), local_folder(out)
    source = source_of(stack)
    voxel = required_voxel_size(source, "the interval between training slices")
    network = settings.network.made(classes)
    pores = [classes[name] for name in settings.pore_names(classes)]
    numbers, every = sorted(set(counts)), sorted(set(seeds))
    if not every:
        raise ParameterError("a sweep without a seed trains nothing. Give one seed or more.")
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        known = annotated_slices(labels, source.shape, classes, **how)
        parts = sweep_parts(known, numbers, test=settings.selection.test)
        _refuse_missing(known, parts)
        reader = SliceReader.of(source, network, **how)
    bench = _Bench(reader, known, network, pores, settings, place)
    rows = [
        bench.row(n, seed, parts[n], source.shape[0] * voxel[0] / (n + 1), resume=resume)
        for n in numbers
        for seed in every
    ]
    return _written(rows, parts, place)


def recommended(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the fewest slices whose mean validation IoU is within one standard error of the best.

    Parameters
    ----------
    rows : sequence of mapping
        With ``n`` and ``validation_iou``; a row for each seed.

    Returns
    -------
    int

    References
    ----------
    Breiman et al., Classification and regression trees, 1984 (the one-standard-error rule).

    Examples
    --------
    >>> rows = [{"n": n, "validation_iou": v} for n, v in ((2, 0.6), (4, 0.79), (6, 0.8), (6, 0.82))]
    >>> recommended(rows)
    6
    """
    found: dict[int, list[float]] = {}
    for row in rows:
        found.setdefault(row["n"], []).append(row["validation_iou"])
    best = max(found, key=lambda n: (np.mean(found[n]), -n))
    error = np.std(found[best], ddof=1) / np.sqrt(len(found[best])) if len(found[best]) > 1 else 0.0
    return min(n for n, values in found.items() if np.mean(values) >= np.mean(found[best]) - error)


def _refuse_missing(known: AnnotatedSlices, parts: Mapping[int, Parts]) -> None:
    for n, part in parts.items():
        if missing := known.missing(list(part.training)):
            raise ParameterError(
                f"no pixel of the {n} training slices {list(part.training)} is annotated as {', '.join(missing)}: the "
                "network would never give that class. Sweep larger numbers, or annotate these slices further."
            )


@dataclass(frozen=True, eq=False)
class _Bench:
    """Trains and scores one network after the other."""

    reader: SliceReader
    labels: AnnotatedSlices
    network: SegmentationConfig
    pores: Sequence[int]
    settings: FewSliceSettings
    folder: Path

    def row(self, n: int, seed: int, parts: Parts, interval_m: float, *, resume: bool) -> dict[str, Any]:
        training = dataclasses.replace(self.settings.training, seed=seed)
        tested = self._slices(parts.test)
        trained = train_segmentation(
            self._slices(parts.training),
            self._slices(parts.validation),
            self.network,
            training,
            folder=self.folder / f"n{n}-seed{seed}",
            test=tested if training.stop_on == "paper" else (),
            voxel_size=self.reader.stack.voxel_size,
            provenance={"slices": parts.to_dict()},
            resume=resume,
            progress=False,
        )
        loss = SegmentationLoss.of(self.network.classes, training)
        judged = evaluate(trained.bundle.network("cpu"), tested, len(self.network.classes), loss)
        told = scores(np.sum(judged.confusion, axis=0), self.network.classes, pores=self.pores)
        best = trained.history.epochs[trained.history.best_epoch - 1]
        return {
            "n": n,
            "seed": seed,
            "interval_um": 1e6 * interval_m,
            **{f"iou {name}": value for name, value in told["iou"].items()},
            "mean_iou": told["mean_iou"],
            "pore_iou": told.get("pore_iou"),
            "validation_iou": trained.validation["mean_iou"],
            "train_loss": best["loss"],
            "test_loss": float(np.mean(judged.losses)),
            "epochs": trained.epochs,
            "best_epoch": trained.history.best_epoch,
            "seconds": round(trained.seconds, 3),
        }

    def _slices(self, places: Sequence[int]) -> list[TrainingSlice]:
        return [TrainingSlice(self.reader.read(z), self.labels.read(z), str(z)) for z in places]


def _written(rows: list[dict[str, Any]], parts: dict[int, Parts], folder: Path) -> Sweep:
    """Return the result, and write table, figure and JSON."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    found = Sweep(pa.Table.from_pylist(rows), recommended(rows), RULE, parts, folder)
    pq.write_table(found.table, folder / "sweep.parquet")
    csv.write_csv(found.table, folder / "sweep.csv")
    text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False)
    (folder / "sweep.json").write_text(text + "\n", encoding="utf-8")
    (folder / "sweep.png").write_bytes(draw_sweep(rows, found.recommended))
    return found


def sweep_section(found: Sweep) -> Section:
    """Return a sweep as a section of a page.

    Parameters
    ----------
    found : Sweep
        From `sweep`.

    Returns
    -------
    Section
    """
    png = draw_sweep(found.table.to_pylist(), found.recommended)
    caption = (
        f"IoU of the test slices, loss, epochs and time; dashed: {found.recommended} slices, {found.rule}."
    )
    picture = Picture(
        "sweep", png, "Training slices", caption, "scores against the number of training slices"
    )
    return Section("How many slices are enough", [picture], columns=1)
