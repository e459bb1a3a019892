"""MINRES (Paige & Saunders 1975) with a preconditioner, in float32 with sums in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["minres"]

Array = npt.NDArray[Any]
Action = Callable[[Array, Array], None]


def minres(
    operator: Action,
    precondition: Action,
    right: Array,
    stop: Callable[[Array, int, float], bool],
    loops: Any,
) -> None:
    """Solve a symmetric, possibly indefinite or singular but consistent, system.

    Parameters
    ----------
    operator, precondition : callable
        Take a vector, and one that they overwrite with the result.
    right : ndarray of float32, shape (n, 4)
        The right-hand side, which is overwritten.
    stop : callable
        Told the solution so far, the iteration from 1 on, and the residual relative to the first one in
        the norm of the preconditioner; returns whether it is good enough. Asked until it says so.
    loops : module
        What adds vectors: `bigrock.flow.sweep_loops` or `bigrock.flow.arrays`.
    """
    dot, subtract = loops.dot, loops.subtract
    x, v, older, old, y = (np.zeros_like(right) for _ in range(5))
    precondition(right, y)
    before, now = right, right.copy()
    beta = first = math.sqrt(dot(now, y))
    beta_before, delta_next, epsilon_next, rest = 1.0, 0.0, 0.0, beta
    cosine, sine, iteration = -1.0, 0.0, 0
    while True:
        iteration += 1
        v[:] = y
        v *= np.float32(1 / beta)
        operator(v, y)
        if iteration > 1:
            subtract(y, beta / beta_before, before)
        alpha = dot(v, y)
        subtract(y, alpha / beta, now)
        before, now = now, before
        now[:] = y
        precondition(now, y)
        beta_before, beta = beta, math.sqrt(max(dot(now, y), 0.0))
        epsilon, delta = epsilon_next, cosine * delta_next + sine * alpha
        gamma_bar = sine * delta_next - cosine * alpha
        epsilon_next, delta_next = sine * beta, -cosine * beta
        gamma = math.hypot(gamma_bar, beta)
        if gamma == 0:
            stop(x, iteration, rest / first)
            return
        cosine, sine = gamma_bar / gamma, beta / gamma
        loops.turn_direction(v, older, old, epsilon, delta, gamma, cosine * rest, x)
        older, old = old, older
        rest *= sine
        if stop(x, iteration, rest / first) or beta == 0:
            return
