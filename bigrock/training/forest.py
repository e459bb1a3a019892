"""A random forest on local features: the baseline that a network has to beat.

Made with care, so that it is one: features at several scales, as many pixels of rare classes as of
common ones, and what that does to the frequencies of the classes undone to the degree that scores
best on slices that were not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.training.metrics import confusion_matrix, iou
from bigrock.training.slices import TrainingSlice, check_slices, class_counts

__all__ = ["Forest", "local_features", "random_forest"]

_EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Forest:
    """A trained random forest; from `random_forest`.

    Attributes
    ----------
    trees : sklearn.ensemble.RandomForestClassifier
        The forest.
    priors : ndarray of float64
        Weights by which the probabilities of the classes are multiplied.
    sigmas : tuple of float
        Scales of the features.

    Examples
    --------
    >>> Forest.__annotations__["sigmas"]
    'tuple[float, ...]'
    """

    trees: Any
    priors: npt.NDArray[np.float64]
    sigmas: tuple[float, ...]

    def __call__(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return the class of every pixel of a standardised slice, (channels, y, x) or (y, x)."""
        return self._pick(self.probabilities(image), self.priors)

    def probabilities(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the share of the trees that chose each class, (classes, y, x), before weighting."""
        features = local_features(image, self.sigmas)
        count, *extent = features.shape
        made = self.trees.predict_proba(features.reshape(count, -1).T)
        return np.ascontiguousarray(made.T.reshape(-1, *extent), np.float32)

    @staticmethod
    def _pick(shares: npt.NDArray[np.float32], priors: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        return np.argmax(shares * priors[:, None, None], axis=0).astype(np.uint8)


def random_forest(
    slices: Sequence[TrainingSlice],
    classes: Mapping[str, int],
    *,
    validation: Sequence[TrainingSlice] = (),
    per_class: int = 20_000,
    trees: int = 100,
    sigmas: tuple[float, ...] = (0.7, 1.5, 3.0, 6.0),
    seed: int = 0,
    threads: int = 1,
) -> Forest:
    """Return a random forest trained on annotated slices; call it with an image.

    The same number of pixels of every class is drawn over all slices. A forest on balanced pixels
    finds rare classes too often, so probabilities are multiplied by a power of the true frequencies:
    the power (0 to 1) with the best mean IoU on `validation`, 0.5 where there is none. The same for
    the same seed. Takes about a second per 10 000 pixels and class.

    Parameters
    ----------
    slices : sequence of TrainingSlice
        To learn from; channels of neighbours give features as well.
    classes : mapping of str to int
        Class table.
    validation : sequence of TrainingSlice
        Slices to choose the power by.
    per_class : int
        Pixels drawn of each class, at most as many as are annotated.
    trees : int
        Trees of the forest.
    sigmas : tuple of float
        Scales of the features in pixels.
    seed : int
        Of pixels and trees.
    threads : int
        Threads of scikit-learn.

    Returns
    -------
    Forest

    Raises
    ------
    ParameterError
        If there are no slices, or one holds no annotated pixel.
    PhaseError
        If a class is annotated nowhere, or a label is no class.

    References
    ----------
    Breiman, Random forests, Machine Learning 45, 2001.

    Examples
    --------
    >>> label = np.tile(np.repeat(np.uint8([0, 1]), 8), (32, 2))
    >>> forest = random_forest([TrainingSlice(label.astype(np.float32), label)], {"dark": 0, "bright": 1}, trees=5)
    >>> bool((forest(label.astype(np.float32)) == label).mean() > 0.95)
    True
    """
    from sklearn.ensemble import RandomForestClassifier

    channels = len(slices[0].image) if slices else 1
    check_slices(slices, classes, channels, role="training", every=True)
    if validation:
        check_slices(validation, classes, channels, role="validation", every=False)
    features, labels = _drawn(slices, classes, per_class, sigmas, np.random.default_rng(seed))
    made = RandomForestClassifier(trees, min_samples_leaf=2, random_state=seed, n_jobs=threads)
    made.fit(features, labels)
    counts = class_counts(slices)[: len(classes)]
    frequencies = counts / counts.sum()
    plain = Forest(made, np.ones(len(classes)), sigmas)
    power = _best_power(plain, frequencies, validation) if validation else 0.5
    return Forest(made, frequencies**power, sigmas)


def local_features(image: npt.NDArray[np.float32], sigmas: Sequence[float]) -> npt.NDArray[np.float32]:
    """Return what surrounds each pixel at each scale: (features, y, x).

    Grey level; and for every scale its Gaussian mean, gradient magnitude, both eigenvalues of the
    Hessian, both eigenvalues of the structure tensor, and the local standard deviation. The
    neighbours of a 2.5-D slice give their grey levels and Gaussian means.

    Parameters
    ----------
    image : ndarray of float32, shape (channels, y, x) or (y, x)
        Standardised.
    sigmas : sequence of float
        Scales in pixels.

    Returns
    -------
    ndarray of float32
        Eigenvalues in descending order.

    Examples
    --------
    >>> local_features(np.zeros((8, 8), np.float32), (1.0, 2.0)).shape
    (15, 8, 8)
    """
    from scipy import ndimage
    from skimage.feature import structure_tensor, structure_tensor_eigenvalues

    stack = np.asarray(image, np.float32)
    stack = stack[None] if stack.ndim == 2 else stack
    middle = stack[len(stack) // 2]
    others = np.delete(stack, len(stack) // 2, axis=0)
    found = [middle, *others]
    for sigma in sigmas:
        mean = ndimage.gaussian_filter(middle, sigma)
        square = ndimage.gaussian_filter(middle * middle, sigma)
        tensor = structure_tensor(middle, sigma=sigma, mode="nearest", order="rc")
        found += [mean, ndimage.gaussian_gradient_magnitude(middle, sigma)]
        found += [*_hessian_eigenvalues(middle, sigma), *structure_tensor_eigenvalues(tensor)]
        found.append(np.sqrt(np.maximum(square - mean * mean, 0)))
        found += [ndimage.gaussian_filter(other, sigma) for other in others]
    return np.stack(found).astype(np.float32)


def _hessian_eigenvalues(image: npt.NDArray[np.float32], sigma: float) -> tuple[Any, Any]:
    from scipy import ndimage

    yy, xx, yx = (ndimage.gaussian_filter(image, sigma, order) for order in ((2, 0), (0, 2), (1, 1)))
    half, root = (yy + xx) / 2, np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    return half + root, half - root


def _drawn(
    slices: Sequence[TrainingSlice],
    classes: Mapping[str, int],
    per_class: int,
    sigmas: tuple[float, ...],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return features and classes of pixels drawn evenly over the classes."""
    counts = np.array([np.bincount(s.label.ravel(), minlength=256) for s in slices])
    rows, labels = [], []
    for item, own in zip(slices, counts, strict=True):
        features = local_features(item.image, sigmas).reshape(-1, item.label.size)
        for value in classes.values():
            share = own[value] / counts[:, value].sum()
            pixels = np.flatnonzero(item.label == value)
            drawn = rng.permutation(pixels)[: int(np.ceil(per_class * share))]
            rows.append(features[:, drawn].T)
            labels.append(np.full(len(drawn), value, np.uint8))
    return np.concatenate(rows), np.concatenate(labels)


def _best_power(
    forest: Forest, frequencies: npt.NDArray[np.float64], validation: Sequence[TrainingSlice]
) -> float:
    count = len(frequencies)
    shares = [forest.probabilities(item.image) for item in validation]

    def score(power: float) -> float:
        counts = [
            confusion_matrix(item.label, Forest._pick(share, frequencies**power), count)
            for item, share in zip(validation, shares, strict=True)
        ]
        return float(np.nanmean(iou(np.sum(counts, axis=0))))

    return max(_EXPONENTS, key=score)
