"""A measure as a user may write one, and a mask to try it on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bigrock.kernels import GreyHistogram
from bigrock.measures import Measure
from bigrock.measures.porosity import PoreCount


def rock_mask(shape=(9, 11, 13), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < np.linspace(0.1, 0.4, shape[0])[:, None, None]


@dataclass(frozen=True)
class Solidity(Measure):
    """The share of solid, counted three ways that must agree."""

    name = "solidity"
    units: ClassVar[dict[str, str]] = {"total": "fraction"}
    limit: int | None = None

    def reductions(self, facts):
        return (PoreCount(), GreyHistogram())

    def solid_reductions(self, facts):
        return (PoreCount(),)

    def fitting(self, facts):
        return PoreCount() if self.limit is None else None

    def fitted(self, result):
        return replace(self, limit=result)

    def describe(self, found, facts):
        pores, histogram = found.results
        assert self.limit == pores
        bulk = histogram.total if found.whole is None else found.whole[0]
        assert found.solid[0] + pores == bulk
        return {"total": 1 - pores / bulk}
