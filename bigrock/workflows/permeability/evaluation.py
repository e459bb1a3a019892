"""Does super-resolution, and its tuning on permeability, help? Judged on test rocks, by networks and by physics."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.datasets import RockSet
from bigrock.datasets.indices import Indices, asked_indices
from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.engine.settings import json_value
from bigrock.errors import BundleError, ParameterError
from bigrock.models import Bundle, SuperResolutionConfig
from bigrock.models.predicting import coarse_factor, refuse_misfits
from bigrock.training import Bootstrap, paired_bootstrap, regression_scores
from bigrock.workflows.permeability.rock_pass import JUDGED, RockWork, Variant
from bigrock.workflows.permeability.rows import RowLog, run_rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PermeabilityEvaluation", "evaluate_permeability"]

Array = npt.NDArray[Any]

PREDICTORS = (
    "surrogate",
    "surrogate_mask",
    "holdout",
    "holdout_mask",
    "physics",
    "physics_threshold",
    "kozeny_carman",
    "direct",
)
TRUTH = "high resolution"


@dataclass(frozen=True, eq=False)
class PermeabilityEvaluation:
    """What `evaluate_permeability` found.

    Attributes
    ----------
    rows : ndarray of JUDGED, (variants, rocks)
        Every test rock in every variant.
    variants : tuple of str
        Their names; the first is the high-resolution image itself.
    truth : ndarray (rocks,)
        log10 k in squared voxels, the labels of the test rocks.
    families : tuple of str
        Texture of each test rock.
    floor : float
        log10 k that stands for rocks that do not percolate.
    """

    rows: npt.NDArray[np.void]
    variants: tuple[str, ...]
    truth: npt.NDArray[np.float64]
    families: tuple[str, ...]
    floor: float

    def predicted(self, variant: str, by: str) -> npt.NDArray[np.float64]:
        """Return log10 k (squared voxels) of the test rocks in a variant, by one of the predictors."""
        return np.maximum(self.rows[by][self.variants.index(variant)], self.floor)

    def scores(self, variant: str, by: str) -> dict[str, Any] | None:
        """Return the scores of a predictor in a variant (`bigrock.training.regression_scores`); None if not asked."""
        predicted = self.rows[by][self.variants.index(variant)]
        if np.isnan(predicted).any():
            return None
        return regression_scores(10.0**self.truth, 10.0**predicted, floor=10.0**self.floor)

    def change(self, by: str, before: str, after: str, statistic: str = "rmse") -> Bootstrap | None:
        """Return how much better a predictor is in the images of `after` than in those of `before`."""
        if not {before, after} <= set(self.variants):
            return None
        pair = [self.predicted(variant, by) for variant in (before, after)]
        if np.isnan(pair).any():
            return None
        return paired_bootstrap(self.truth, pair[0], pair[1], statistic=statistic)

    def image(self, variant: str) -> dict[str, float]:
        """Return what the images of a variant are like, beside the high-resolution ones: means over the rocks."""
        rows, true = self.rows[self.variants.index(variant)], self.rows[0]
        apart = {
            f"{name}_error": float(np.mean(np.abs(rows[name] - true[name])))
            for name in ("porosity", "euler", "surface")
        }
        drift = {
            f"{name}{of}_drift": float((rows[name + of] - true[name]).mean() / np.abs(true[name]).mean())
            for name in ("porosity", "euler", "surface")
            for of in ("", "_mask")
        }
        means = {name: float(rows[name].mean()) for name in ("psnr", "ssim", "correlation_error")}
        return {**{n: v for n, v in means.items() if math.isfinite(v)}, **apart, **drift}

    def to_dict(self) -> dict[str, Any]:
        """Return scores and image quality of every variant, as JSON."""
        told = {
            "rocks": len(self.truth),
            "families": sorted(set(self.families)),
            "floor_log10_k": self.floor,
            "variants": {
                variant: {
                    "scores": {by: s for by in PREDICTORS if (s := self.scores(variant, by)) is not None},
                    "image": self.image(variant),
                }
                for variant in self.variants
            },
        }
        return dict(_finite(told))

    def table(self) -> pa.Table:
        """Return a row for each rock and variant as a `pyarrow.Table`."""
        import pyarrow as pa

        many = len(self.truth)
        columns: dict[str, Any] = {
            "variant": [name for name in self.variants for _ in range(many)],
            "family": [*self.families] * len(self.variants),
            "log10_k_voxel2": np.tile(self.truth, len(self.variants)),
        }
        flat = self.rows.ravel()
        for name in JUDGED.names or ():
            if name not in ("variant", "edge"):
                columns[name] = np.ascontiguousarray(flat[name])
        return pa.table(columns)

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write ``evaluation.json``, ``evaluation.csv`` and ``evaluation.parquet``."""
        import pyarrow.csv as csv
        import pyarrow.parquet as pq

        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        (place / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        csv.write_csv(self.table(), place / "evaluation.csv")
        pq.write_table(self.table(), place / "evaluation.parquet")


def _finite(value: Any) -> Any:
    """Return JSON values with None for numbers that are none."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def evaluate_permeability(
    rocks: RockSet,
    indices: Indices,
    variants: Mapping[str, Bundle | Literal["cubic", "trilinear", "nearest"]],
    folder: str | os.PathLike[str],
    *,
    factor: int,
    floor: float,
    coarse: Mapping[str, Any] | None = None,
    surrogate: Bundle | None = None,
    holdout: Bundle | None = None,
    direct: Bundle | None = None,
    physics: Sequence[str] | None = None,
    threshold: float = 0.5,
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    executor: ExecutorLike = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> PermeabilityEvaluation:
    """Return how well permeability is told from rocks that were made coarse and super-resolved in several ways.

    Each test rock is made coarse, brought back to the fine grid by each variant, and its k along z is
    told by the surrogate, by a hold-out network, and by Stokes flow: in the mask in which each coarse voxel
    keeps its pore fraction (`bigrock.kernels.pores_of_fractions`), and in the thresholded image. The label
    is the truth. Runs on the engine: in parallel, and the same call goes on after a kill.

    Parameters
    ----------
    rocks : RockSet
        Labelled along z.
    indices : sequence of int, or of bool (n,)
        Test rocks, which no network has seen.
    variants : mapping
        Name to a super-resolution, or "cubic", "trilinear" or "nearest" interpolation. "high resolution" is added.
    folder : str or path-like
        For the log and the results.
    factor : int
        How much coarser the rocks are made.
    floor : float
        log10 k (squared voxels) that stands for images that do not percolate: that of the tightest
        rock in training, say.
    coarse : mapping, optional
        Further options of `bigrock.kernels.low_resolution`.
    surrogate, holdout : Bundle, optional
        The network that tuning has seen, and one that it has not.
    direct : Bundle, optional
        A network that tells k from the coarse image itself.
    physics : sequence of str, optional
        Variants in which Stokes flow is solved; all by default.
    threshold, boundary, tolerance
        Of the image that Stokes flow sees; of `bigrock.flow.permeability`.
    executor, resume, overwrite, progress
        As for `bigrock.run`.

    Returns
    -------
    PermeabilityEvaluation

    Raises
    ------
    ParameterError
        If there is no test rock, or one without a positive, finite label: its log k does not exist.
    BundleError
        If a network is for another task, scale or extent.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import make_rocks
    >>> rocks = make_rocks("memory://judged", count=3, edge=16, labels=lambda mask, axes: [mask.mean()], progress=False)
    >>> found = evaluate_permeability(rocks, [0, 1, 2], {"cubic": "cubic"}, tempfile.mkdtemp(), factor=2, floor=-3,
    ...     physics=[], progress=False)
    >>> found.variants, found.image("high resolution")["porosity_error"]
    (('high resolution', 'cubic'), 0.0)
    """
    chosen = tuple(asked_indices(indices, len(rocks.k_voxel2), "rock", "the set").tolist())
    truth = _labels(rocks, chosen)
    ways: dict[str, Any] = {TRUTH: "truth", **variants}
    _check_networks(rocks.edge, factor, list(variants.values()), (surrogate, holdout), direct)
    given = tuple(Variant(name, way, physics is None or name in physics) for name, way in ways.items())
    work = RockWork(
        rocks, chosen, given, factor, dict(coarse or {}), surrogate, holdout, direct,
        threshold, boundary, tolerance,
    )  # fmt: skip
    settings = {
        name: json_value(getattr(work, name)) for name in work.__dataclass_fields__ if name != "rocks"
    }
    settings["rocks"] = json_value(rocks.provenance)
    place = Path(folder)
    log = RowLog(place, "judged", JUDGED, ("variant", "rock"), settings, resume=resume, overwrite=overwrite)
    rows = run_rows(work, log, executor=executor, progress=progress, title="test rocks")
    found = PermeabilityEvaluation(
        rows.reshape(len(given), len(chosen))[:, np.argsort(np.argsort(chosen))],
        tuple(variant.name for variant in given),
        truth,
        tuple(str(rocks.families[i]) for i in chosen),
        floor,
    )
    found.write(place)
    return found


def _check_networks(
    edge: int, factor: int, finer: Sequence[Any], tellers: Sequence[Bundle | None], direct: Bundle | None
) -> None:
    """Refuse networks that are not for these rocks, before any rock is read."""
    for bundle in finer:
        if isinstance(bundle, Bundle) and bundle.expect(SuperResolutionConfig).scale != factor:
            raise BundleError(
                f"{bundle.folder} makes images {bundle.expect(SuperResolutionConfig).scale} times finer, and the rocks "
                f"are made {factor} times coarser. Give networks of one scale."
            )
    for bundle, coarser in (*((b, 1) for b in tellers), (direct, factor)):
        if bundle is not None:
            refuse_misfits([bundle], (edge // coarser,) * 3)
            if coarse_factor(bundle) != coarser:
                raise BundleError(
                    f"{bundle.folder} predicts k from images of rocks {coarse_factor(bundle)} times coarser, and is "
                    f"shown ones {coarser} times coarser here: k would be in other voxels. Give another."
                )


def _labels(rocks: RockSet, chosen: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return log10 k along z of the test rocks."""
    if not chosen:
        raise ParameterError("there is no test rock to judge by. Give one or more.")
    k = rocks.k_voxel2[list(chosen), 0]
    wrong = [int(i) for i, value in zip(chosen, k, strict=True) if not (np.isfinite(value) and value > 0)]
    if wrong:
        raise ParameterError(
            f"the rocks {wrong[:8]} have no positive permeability along z (not labelled, or no pore joins the faces): "
            "log k does not exist. Leave them out; RockSet.split does."
        )
    return np.asarray(np.log10(k), np.float64)
