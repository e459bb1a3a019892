"""The evaluation on test rocks as sections of a page, with a verdict that follows from the intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bigrock.report.permeability_figures import agreement_picture
from bigrock.report.section import Section
from bigrock.report.tables import Grid
from bigrock.workflows.permeability.evaluation import TRUTH, PermeabilityEvaluation

__all__ = ["Roles", "evaluation_sections", "verdict"]

_COLUMNS = {
    "surrogate": "surrogate",
    "surrogate_mask": "surrogate (mask)",
    "holdout": "hold-out",
    "holdout_mask": "hold-out (mask)",
    "physics": "Stokes flow (mask)",
    "physics_threshold": "Stokes flow (threshold)",
    "kozeny_carman": "Kozeny–Carman",
}
_IMAGE = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "porosity_error": "porosity error",
    "porosity_drift": "porosity drift",
    "surface_drift": "surface drift",
    "euler_drift": "Euler number drift",
}


@dataclass(frozen=True, slots=True)
class Roles:
    """Which variant of an evaluation is what.

    Examples
    --------
    >>> Roles().plain
    'super-resolution'
    """

    plain: str = "super-resolution"
    tuned: str = "fine-tuned"
    paper: str = "paper's mode"
    control: str = "voxels only"
    interpolated: str = "cubic"


def verdict(found: PermeabilityEvaluation, roles: Roles | None = None) -> dict[str, str]:
    """Return what the intervals say of super-resolution and of its tuning on permeability: question to answer.

    Every claim of "lower" or "higher" is one whose 95 % interval (paired bootstrap over test rocks)
    does not hold 0. What nobody asked is left out.

    Parameters
    ----------
    found : PermeabilityEvaluation
        What `evaluate_permeability` returned.
    roles : Roles, optional
        Which variant is what.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.workflows.permeability.rock_pass import JUDGED
    >>> rows = np.zeros((2, 3), JUDGED)
    >>> rows["direct"] = truth = np.arange(3.0)
    >>> names = ("high resolution", "super-resolution")
    >>> verdict(PermeabilityEvaluation(rows, names, truth, ("pack",) * 3, -3.0))["Is the detour worth it?"][:33]
    'A network that reads k from the c'
    """
    roles = roles or Roles()
    told = {question: _physics(found, *pair) for question, pair in _questions(roles).items()}
    told |= {
        "Does the surrogate tell the truth of it?": _cheating(found, roles),
        "Is the detour worth it?": _bypass(found, roles),
    }
    return {question: answer for question, answer in told.items() if answer}


def _questions(roles: Roles) -> dict[str, tuple[str, str]]:
    """Return what is asked of physics, and the images before and after."""
    return {
        "Does super-resolution help?": (roles.interpolated, roles.plain),
        "Does tuning through masks help?": (roles.plain, roles.tuned),
        "Or is it the extra epochs?": (roles.control, roles.tuned),
        "Does the paper's mode help (tuning through grey images)?": (roles.plain, roles.paper),
    }


def _physics(found: PermeabilityEvaluation, before: str, after: str) -> str:
    told = found.change("physics", before, after)
    if told is None:
        return ""
    how = "not beyond chance" if not told.significant else "lower" if told.high < 0 else "higher"
    return (
        f"{before} → {after}: error of log10 k by Stokes flow {how}, RMSE {told.difference:+.3f} "
        f"(95 %: {told.low:+.3f} … {told.high:+.3f}); closer on {told.closer} of {len(found.truth)} rocks."
    )


def _cheating(found: PermeabilityEvaluation, roles: Roles) -> str:
    """Say how much of what the surrogate sees in the paper's mode is seen by physics as well."""
    seen = found.change("surrogate", roles.plain, roles.paper)
    real = found.change("physics", roles.plain, roles.paper)
    if seen is None or real is None or not (seen.significant and seen.difference < 0):
        return ""
    share = real.difference / seen.difference
    told = f"{100 * share:.0f} % of that is there" if share > 0 else "nothing of that is there"
    return (
        f"In the paper's mode the surrogate that guides the tuning errs less by {-seen.difference:.3f} in log10 k; by "
        f"Stokes flow, {told}."
    )


def _bypass(found: PermeabilityEvaluation, roles: Roles) -> str:
    bypass = found.scores(TRUTH, "direct")
    if bypass is None:
        return ""
    parts = [f"A network that reads k from the coarse image itself reaches r² {bypass['r2']:.3f}"]
    for by, what in (
        ("surrogate", "super-resolution and surrogate"),
        ("physics", "super-resolution and Stokes flow in the mask"),
        ("physics_threshold", "the same in thresholded images"),
    ):
        networks = [n for n in found.variants if n not in (TRUTH, roles.interpolated)]
        known = {n: s["r2"] for n in networks if (s := found.scores(n, by))}
        if known:
            name = max(known, key=lambda n: known[n])
            parts.append(f"{what} {known[name]:.3f} ({name})")
    return "; ".join(parts) + "."


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
    for question, (before, after) in _questions(roles).items():
        told = found.change("physics", before, after)
        if told is not None:
            answer = (
                "not beyond chance" if not told.significant else "yes" if told.high < 0 else "no, it is worse"
            )
            interval = f"{told.low:+.3f} … {told.high:+.3f}"
            rows.append((question, answer, f"{before} → {after}", f"{told.difference:+.3f}", interval))
    head = ("by Stokes flow in the masks", "", "images", "RMSE of log10 k", "95 % interval")
    note = " ".join(part for part in (_cheating(found, roles), _bypass(found, roles)) if part)
    return Section("Verdict", note=note, grids={"": Grid(head, tuple(rows))} if rows else {})


def _scores_grid(found: PermeabilityEvaluation, score: str) -> Grid:
    known = [
        by for by in _COLUMNS if found.scores(TRUTH, by) or any(found.scores(v, by) for v in found.variants)
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
    return Grid(("images", *(_COLUMNS[by] for by in known)), tuple(rows), note)


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
        for by in ("surrogate", "holdout_mask", "physics", "physics_threshold"):
            told = found.change(by, before, after)
            if told is not None:
                rows.append((
                    f"{before} → {after}", _COLUMNS[by], f"{told.difference:+.4f}",
                    f"{told.low:+.4f} … {told.high:+.4f}", "yes" if told.significant else "no",
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
        "Errors are means of absolute differences; drifts are mean differences over mean values of the truth."
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
            label = f"k by {_COLUMNS[by]} (voxel²)"
            pictures.append(
                agreement_picture(f"test-rocks-{by}", pairs, x_label="k of the rock (voxel²)", y_label=label)
            )
    return pictures
