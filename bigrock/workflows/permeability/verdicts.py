"""What the intervals of an evaluation say: does super-resolution help, does its tuning, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

from bigrock.training import INTERPOLATIONS
from bigrock.workflows.permeability.evaluation import TRUTH, PermeabilityEvaluation

__all__ = ["PREDICTOR_NAMES", "Roles", "bypass_told", "cheating", "questions", "verdict"]

PREDICTOR_NAMES = {
    "surrogate": "surrogate",
    "surrogate_mask": "surrogate (mask)",
    "holdout": "hold-out",
    "holdout_mask": "hold-out (mask)",
    "physics": "Stokes flow (mask)",
    "physics_threshold": "Stokes flow (threshold)",
    "kozeny_carman": "Kozeny–Carman",
}
"""What tables call those who tell permeability."""


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
    told = {question: _change(found, *asked) for question, asked in questions(roles).items()}
    told |= {
        "Does the surrogate tell the truth of it?": cheating(found, roles),
        "Is the detour worth it?": bypass_told(found, roles),
    }
    return {question: answer for question, answer in told.items() if answer}


def questions(roles: Roles) -> dict[str, tuple[str, str, str]]:
    """Return what is asked: of whom, and of the images before and after."""
    return {
        "Does super-resolution help?": ("physics", roles.interpolated, roles.plain),
        "Does tuning help?": ("physics", roles.plain, roles.tuned),
        "Or is it the extra epochs?": ("physics", roles.control, roles.tuned),
        "Does tuning help thresholded images?": ("physics_threshold", roles.plain, roles.tuned),
        "Or is it the epochs, there?": ("physics_threshold", roles.control, roles.tuned),
        "Does a network see it that had no part in it?": ("holdout_mask", roles.plain, roles.tuned),
        "Does the paper's mode help?": ("physics", roles.plain, roles.paper),
        "Does it help thresholded images?": ("physics_threshold", roles.plain, roles.paper),
    }


def _change(found: PermeabilityEvaluation, by: str, before: str, after: str) -> str:
    told = found.change(by, before, after)
    if told is None:
        return ""
    how = ("not beyond chance", "higher", "lower")[told.sign]
    return (
        f"{before} → {after}: error of log10 k by {PREDICTOR_NAMES[by]} {how}, RMSE {told.difference:+.3f} "
        f"(95 %: {told.low:+.3f} … {told.high:+.3f}); closer on {told.closer} of {len(found.truth)} rocks."
    )


def cheating(found: PermeabilityEvaluation, roles: Roles) -> str:
    """Say how much of what the surrogate sees in the paper's mode is seen by physics as well."""
    seen = found.change("surrogate", roles.plain, roles.paper)
    real = found.change("physics", roles.plain, roles.paper)
    if seen is None or real is None or seen.sign >= 0:
        return ""
    share = real.difference / seen.difference
    told = f"{100 * share:.0f} % of that is there" if share > 0 else "nothing of that is there"
    return (
        f"In the paper's mode the surrogate that guides the tuning errs less by {-seen.difference:.3f} in log10 k; by "
        f"Stokes flow, {told}."
    )


def bypass_told(found: PermeabilityEvaluation, roles: Roles) -> str:
    """Say how the networks do beside one that reads k from the coarse image itself."""
    bypass = found.scores(TRUTH, "direct")
    if bypass is None:
        return ""
    parts = [f"A network that reads k from the coarse image itself reaches r² {bypass['r2']:.3f}"]
    for by, what in (
        ("surrogate", "super-resolution and surrogate"),
        ("physics", "super-resolution and Stokes flow in the mask"),
        ("physics_threshold", "the same in thresholded images"),
    ):
        networks = [n for n in found.variants if n not in (TRUTH, *INTERPOLATIONS)]
        known = {n: s["r2"] for n in networks if (s := found.scores(n, by))}
        if known:
            name = max(known, key=lambda n: known[n])
            parts.append(f"{what} {known[name]:.3f} ({name})")
    return "; ".join(parts) + "."
