"""What a surrogate was trained on, in four numbers per image, and how far another image is from that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DESCRIPTORS", "Domain", "descriptors"]

Array = npt.NDArray[Any]

DESCRIPTORS = ("porosity", "surface along the flow", "surface across the flow", "grey share")
"""What an image is described by: mean; mean step between neighbours along and across the first axis; mean of
4·v·(1 − v), which is 0 for a mask."""

_FLOORS = np.array([0.02, 0.005, 0.005, 0.02])


@dataclass(frozen=True)
class Domain:
    """Mean and covariance of the descriptors of the training rocks, and the distance beyond which nothing was seen.

    The rule: an image is out of the domain where the Mahalanobis distance of its `DESCRIPTORS` from
    the mean of the training rocks is larger than that of every training rock. Each standard deviation
    is taken for a little larger (0.02 of porosity and grey share, 0.005 of surfaces), so that training
    rocks that are all alike do not make everything else foreign.

    Attributes
    ----------
    mean : tuple of float
        Of the descriptors.
    precision : tuple of tuple of float
        Inverse of their covariance.
    limit : float
        Largest distance of a training rock.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rocks = [rng.random((8, 8, 8)) < p for p in (0.2, 0.25, 0.3)]
    >>> domain = Domain.of(rocks)
    >>> domain.holds(rocks[1]), domain.holds(np.ones((8, 8, 8)))
    (True, False)
    """

    mean: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(self.mean))
        object.__setattr__(self, "precision", tuple(tuple(row) for row in self.precision))

    @classmethod
    def of(cls, images: Iterable[Array]) -> Domain:
        """Return the domain of some images, flow along their first axis."""
        seen = np.array([descriptors(image) for image in images])
        covariance = np.cov(seen, rowvar=False, bias=True) + np.diag(_FLOORS**2)
        precision = np.linalg.inv(covariance)
        mean = seen.mean(0)
        found = cls(tuple(map(float, mean)), tuple(tuple(map(float, row)) for row in precision), 0.0)
        return cls(found.mean, found.precision, max(found._distance(one) for one in seen))

    def distance(self, image: Array) -> float:
        """Return the Mahalanobis distance of an image, flow along its first axis."""
        return self._distance(descriptors(image))

    def holds(self, image: Array) -> bool:
        """Return whether an image is no further off than the training rocks."""
        return self.distance(image) <= self.limit * (1 + 1e-9)

    def _distance(self, described: Array) -> float:
        off = described - np.array(self.mean)
        return float(np.sqrt(off @ np.array(self.precision) @ off))


def descriptors(image: Array) -> Array:
    """Return the `DESCRIPTORS` of an image of pore fractions, flow along its first axis.

    Examples
    --------
    >>> descriptors(np.indices((4, 4, 4))[0] % 2)
    array([0.5, 1. , 0. , 0. ])
    """
    values = np.asarray(image, np.float32)
    steps = [float(np.abs(np.diff(values, axis=axis)).mean(dtype=np.float64)) for axis in range(3)]
    mean = float(values.mean(dtype=np.float64))
    grey = float((4 * values * (1 - values)).mean(dtype=np.float64))
    return np.array([mean, steps[0], (steps[1] + steps[2]) / 2, grey])
