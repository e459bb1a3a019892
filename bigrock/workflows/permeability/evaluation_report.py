"""The evaluation on test rocks as sections of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from bigrock.report.permeability_figures import agreement_picture
from bigrock.report.section import Section
from bigrock.report.tables import Grid
from bigrock.workflows.permeability.evaluation import TRUTH, PermeabilityEvaluation
from bigrock.workflows.permeability.verdicts import (
    PREDICTOR_NAMES,
    Roles,
    bypass_told,
    cheating,
    questions,
)

__all__ = ["evaluation_sections"]

_IMAGE = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "correlation_error": "error of S₂",
    "porosity_error": "error of φ",
    "porosity_drift": "drift of φ",
    "surface_drift": "of surface",
    "euler_drift": "of χ",
    "porosity_mask_drift": "drift of φ (mask)",
    "surface_mask_drift": "of surface",
    "euler_mask_drift": "of χ",
}


def evaluation_sections(
    found: PermeabilityEvaluation,
    roles: Roles | None = None,
    *,
    pictures: Sequence[Any] = (),
    baselines: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Section]:
    """Return the evaluation as sections of a page: verdict, scores, image quality, scatter, given pictures.

    Parameters
    ----------
    found : PermeabilityEvaluation
        What `evaluate_permeability` returned.
    roles : Roles, optional
        Which variant is what.
    pictures : sequence of Picture
        Of the images, such as slices side by side.
    baselines : mapping, optional
        Name of a regression to its scores.

    Returns
    -------
    list of Section

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.workflows.permeability.rock_pass import JUDGED
    >>> rows, truth = np.ones((2, 3), JUDGED), np.arange(3.0)
    >>> found = PermeabilityEvaluation(rows, ("high resolution", "super-resolution"), truth, ("pack",) * 3, -3.0)
    >>> [section.heading for section in evaluation_sections(found)]
    ['Verdict', 'Permeability of the test rocks', 'Images of the test rocks']
    """
    roles = roles or Roles()
    grids = {
        "r² of log10 k": _scores_grid(found, "r2"),
        "RMSE of log10 k": _scores_grid(found, "rmse_log10"),
        "Mean relative error of k": _scores_grid(found, "mean_relative_error"),
        "Changes": _changes_grid(found, roles),
    }
    if baselines or found.scores(TRUTH, "direct"):
        grids["Beside it"] = _baselines_grid(found, baselines or {})
    return [
        _verdict_section(found, roles),
        Section("Permeability of the test rocks", _scatter(found, roles), grids=grids),
        Section("Images of the test rocks", list(pictures), grids={"": _image_grid(found)}, columns=1),
    ]


def _verdict_section(found: PermeabilityEvaluation, roles: Roles) -> Section:
    rows = []
    for question, (by, before, after) in questions(roles).items():
        told = found.change(by, before, after)
        if told is not None:
            answer = ("not beyond chance", "no, worse", "yes")[told.sign]
            interval = f"{told.low:+.3f} … {told.high:+.3f}"
            rows.append((question, answer, f"{told.difference:+.3f}", interval, PREDICTOR_NAMES[by]))
    head = ("", "", "RMSE", "95 % interval", "k by")
    note = " ".join(part for part in (cheating(found, roles), bypass_told(found, roles)) if part)
    if rows:
        note = f"RMSE of log10 k, after minus before. {note}"
    return Section("Verdict", note=note, grids={"": Grid(head, tuple(rows))} if rows else {})


def _scores_grid(found: PermeabilityEvaluation, score: str) -> Grid:
    known = [
        by
        for by in PREDICTOR_NAMES
        if found.scores(TRUTH, by) or any(found.scores(v, by) for v in found.variants)
    ]
    rows = []
    for variant in found.variants:
        told = (found.scores(variant, by) for by in known)
        rows.append((variant, *("–" if s is None else f"{s[score]:.3f}" for s in told)))
    tight = {v: s["floored"] for v in found.variants if (s := found.scores(v, "physics_threshold"))}
    worst = max(tight.values(), default=0)
    note = f"{len(found.truth)} test rocks; k along z. In a mask each coarse voxel keeps its pore fraction; threshold: "
    note += "voxels of more than half pore; else pore fractions as they are."
    if worst:
        note += f" Images that do not percolate ({worst} at most) count as the tightest rock in training."
    return Grid(("images", *(PREDICTOR_NAMES[by] for by in known)), tuple(rows), note)


def _changes_grid(found: PermeabilityEvaluation, roles: Roles) -> Grid:
    pairs = (
        (roles.plain, roles.tuned),
        (roles.control, roles.tuned),
        (roles.plain, roles.paper),
        (roles.plain, roles.control),
        (roles.interpolated, roles.plain),
    )
    rows = []
    for before, after in pairs:
        for by in ("surrogate", "holdout", "holdout_mask", "physics", "physics_threshold"):
            told = found.change(by, before, after)
            if told is not None:
                rows.append((
                    f"{before} → {after}", PREDICTOR_NAMES[by], f"{told.difference:+.4f}",
                    f"{told.low:+.4f} … {told.high:+.4f}",
                    ("no", "worse", "better")[told.sign],
                    f"{told.closer} of {len(found.truth)}",
                ))  # fmt: skip
    head = ("images", "k by", "RMSE", "95 % interval", "beyond chance", "closer")
    return Grid(head, tuple(rows), "Paired bootstrap over test rocks; negative RMSE is better.")


def _baselines_grid(found: PermeabilityEvaluation, baselines: Mapping[str, Mapping[str, float]]) -> Grid:
    told = dict(baselines)
    direct = found.scores(TRUTH, "direct")
    if direct is not None:
        told["network on the coarse image (bypass)"] = direct
    rows = tuple(
        (name, f"{s['r2']:.3f}", f"{s['rmse_log10']:.3f}", f"{s['mean_relative_error']:.3f}")
        for name, s in told.items()
    )
    return Grid(("", "r²", "RMSE of log10 k", "mean relative error of k"), rows)


def _image_grid(found: PermeabilityEvaluation) -> Grid:
    told = {variant: found.image(variant) for variant in found.variants}
    known = [name for name in _IMAGE if any(name in one for one in told.values())]
    rows = tuple((variant, *(_cell(name, one.get(name)) for name in known)) for variant, one in told.items())
    note = (
        "PSNR and SSIM of pore fractions; S₂ (two-point correlation), porosity φ, surface (Crofton) and Euler number χ "
        "(26-connected) of images thresholded at one half, the last three also of the masks that keep the pore "
        "fraction of each coarse voxel. Errors are means of absolute differences; drifts are mean differences over "
        "mean values of the truth."
    )
    return Grid(("images", *(_IMAGE[name] for name in known)), rows, note)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f} %" if name.endswith("_drift") else f"{value:.3f}"


def _scatter(found: PermeabilityEvaluation, roles: Roles) -> list[Any]:
    truth = 10.0**found.truth
    pictures = []
    for by, variants in (
        ("surrogate", (roles.plain, roles.paper, roles.tuned)),
        ("physics", (roles.plain, roles.paper, roles.tuned)),
    ):
        pairs: dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {}
        for variant in variants:
            if variant in found.variants and found.scores(variant, by):
                pairs[variant] = (truth, 10.0 ** found.predicted(variant, by))
        if pairs:
            label = f"k by {PREDICTOR_NAMES[by]} (voxel²)"
            pictures.append(
                agreement_picture(f"test-rocks-{by}", pairs, x_label="k of the rock (voxel²)", y_label=label)
            )
    return pictures
