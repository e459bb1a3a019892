"""Permeability of images by surrogates: with units, a standard deviation, and a warning where nothing was learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import BundleError, ParameterError
from bigrock.kernels.backend import resolve
from bigrock.kernels.percolation import percolates
from bigrock.models.bundle import Bundle
from bigrock.models.grey_levels import check_fractions
from bigrock.models.surrogate import SurrogateConfig
from bigrock.units import parse_voxel_size

__all__ = ["Predicted", "coarse_factor", "predict_permeability", "refuse_misfits"]

Array = npt.NDArray[Any]

_BATCH = 8
_AXES = {"z": 0, "y": 1, "x": 2}


@dataclass(frozen=True, eq=False)
class Predicted:
    """What surrogates tell of some images; arrays (n,), or (n, 3) for all axes.

    Attributes
    ----------
    k_m2, k_voxel2 : ndarray of float
        Permeability in square metres, and in voxels squared; 0 where pores do not percolate.
    log10_std : ndarray of float
        Standard deviation of log10 k: the spread of the members and the error on the validation rocks,
        added in squares. NaN where k is 0.
    log10_spread : ndarray of float
        The spread of the members alone; 0 for a single one, NaN where k is 0.
    out_of_distribution : ndarray of bool
        Whether the image is unlike every rock that a surrogate was trained on: see `Domain`.
    percolates : ndarray of bool
        Whether pores join the two faces across the flow: see `predict_permeability`.

    Examples
    --------
    >>> one = np.array([1e-12])
    >>> Predicted(one, one * 1e12, one * 0, one * 0, one > 1, one > 0).k_m2
    array([1.e-12])
    """

    k_m2: Array
    k_voxel2: Array
    log10_std: Array
    log10_spread: Array
    out_of_distribution: Array
    percolates: Array


def predict_permeability(
    bundles: Bundle | Sequence[Bundle],
    images: Array,
    *,
    voxel_size: str | float | Sequence[float],
    axis: Literal["z", "y", "x", "all"] = "z",
    precision: Literal["float32", "bf16"] = "float32",
    backend: Literal["auto", "cpu", "gpu"] | None = None,
    percolating: npt.ArrayLike | None = None,
    mirrored: bool = False,
) -> Predicted:
    """Return the permeability of images, by one surrogate or by several together.

    Surrogates learn k in voxels squared; metres follow from the voxel size. Several surrogates and their
    members all count alike: the mean of log10 k is what they tell.

    Where pores do not join the two faces across the flow, k is 0, whatever a network says. Pores are the
    voxels over one half, across faces of voxels. Images of coarse rocks (`coarse_rocks`) are not asked:
    throats that are narrower than their voxels join what seems apart.

    Parameters
    ----------
    bundles : Bundle or sequence of Bundle
        For permeability, from `load_bundle`.
    images : ndarray (n, z, y, x) or (z, y, x)
        Masks (True = pore), or pore fractions 0 to 1; cubes of the edge that the surrogates were trained on.
    voxel_size : str, float or sequence of float
        Such as "2.25 um", or metres; of cubic voxels.
    axis : {"z", "y", "x", "all"}
        Along which; "all" gives three columns z, y, x.
    precision : {"float32", "bf16"}
        bf16 is faster where `supports_bf16` says so.
    backend : {"auto", "cpu", "gpu"}, optional
        As for `bigrock.kernels.backend.resolve`.
    percolating : array of bool (n,), or (n, 3) for all axes, optional
        Whether pores join the two faces, where that is known by a better rule than this one.
    mirrored : bool
        Show each image turned back to front along all axes as well, which changes nothing of its permeability,
        and take the mean of log10 k: twice the time, a smaller error.

    Returns
    -------
    Predicted

    Raises
    ------
    BundleError
        If a bundle is for another task, or several are for images of other extents or coarseness.
    ParameterError
        If images do not fit a surrogate, hold other values than 0 to 1, or voxels are no cubes.
    VoxelSizeError
        If the voxel size is None.

    Examples
    --------
    >>> import tempfile, torch
    >>> from bigrock.models import build_surrogate_net, save_bundle
    >>> config = SurrogateConfig(16, log10_k_mean=-1.0)
    >>> bundle = save_bundle(tempfile.mkdtemp(), build_surrogate_net(config), config)
    >>> predict_permeability(bundle, np.ones((2, 16, 16, 16), bool), voxel_size="2 um", axis="all").k_m2.shape
    (2, 3)
    """
    several = [bundles] if isinstance(bundles, Bundle) else list(bundles)
    stack = np.asarray(images)[None] if np.ndim(images) == 3 else np.asarray(images)
    _check(several, stack)
    edge_m = _cubic(voxel_size)
    if axis not in (*_AXES, "all"):
        raise ParameterError(f"axis={axis!r} is not known. Use 'z', 'y', 'x' or 'all'.")
    axes = list(_AXES.values()) if axis == "all" else [_AXES[axis]]
    device = "cuda" if resolve(backend).name == "gpu" else "cpu"
    columns = [_along(several, np.moveaxis(stack, 1 + a, 1), device, precision, mirrored) for a in axes]
    mean, spread, error, foreign = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    flows = _flows(several[0], stack, axes) if percolating is None else np.asarray(percolating, bool)
    flows = np.broadcast_to(flows.reshape(len(stack), -1), mean.shape)
    k, std = np.where(flows, 10**mean, 0.0), np.where(flows, np.hypot(spread, error), np.nan)
    made = Predicted(k * edge_m**2, k, std, np.where(flows, spread, np.nan), foreign, flows)
    return made if axis == "all" else Predicted(*(part[:, 0] for part in vars(made).values()))


def coarse_factor(bundle: Bundle) -> int:
    """Return how many times coarser than a solver's the images are that a surrogate was trained on."""
    return int(bundle.training.get("coarse_factor", 1))


def refuse_misfits(bundles: Sequence[Bundle], shape: Sequence[int]) -> None:
    """Refuse images that surrogates were not trained on, and surrogates that do not go together.

    Parameters
    ----------
    bundles : sequence of Bundle
        For permeability.
    shape : sequence of int
        Voxels of an image along z, y, x.

    Raises
    ------
    BundleError
        If one is for another task, or they are for other edges or coarseness.
    ParameterError
        If there is none, or images are no cubes of their edge.
    """
    if not bundles:
        raise ParameterError("no surrogate was given: nothing tells the permeability. Give a bundle.")
    kinds = {(bundle.expect(SurrogateConfig).edge, coarse_factor(bundle)): bundle for bundle in bundles}
    if len(kinds) > 1:
        told = "; ".join(
            f"{b.folder} for {edge} voxels{f' of rocks {factor} times coarser' if factor > 1 else ''}"
            for (edge, factor), b in kinds.items()
        )
        raise BundleError(
            f"the surrogates are for other images ({told}): their mean would mean nothing. Give ones of one kind."
        )
    [(edge, _)] = kinds
    if tuple(shape) != (edge,) * 3:
        raise ParameterError(
            f"{bundles[0].folder} takes images of {edge} voxels along each axis, and these have {tuple(shape)}: it has "
            "learnt nothing of others. Give images of that extent; for larger volumes there is `bigrock permeability "
            "map`."
        )


def _flows(bundle: Bundle, images: Array, axes: Sequence[int]) -> Array:
    """Return whether pores join the faces, (n, axes)."""
    if coarse_factor(bundle) > 1:
        return np.ones((len(images), len(axes)), bool)
    found = [list(percolates(image if image.dtype == bool else image > 0.5).values()) for image in images]
    return np.array(found)[:, list(axes)]


def _along(
    bundles: Sequence[Bundle], images: Array, device: str, precision: str, mirrored: bool
) -> tuple[Array, Array, Array, Array]:
    """Return mean and spread of log10 k, error on the validation rocks, and what is foreign."""
    told, foreign = [], np.zeros(len(images), bool)
    for bundle in bundles:
        config = bundle.expect(SurrogateConfig)
        members = np.concatenate(list(_members(bundle, images, device, precision)))
        if mirrored:
            back = np.concatenate(list(_members(bundle, images[:, ::-1, ::-1, ::-1], device, precision)))
            members = (members + back) / 2
        told.append(config.log10_k_mean + config.log10_k_std * members)
        if config.domain is not None:
            foreign |= [not config.domain.holds(image) for image in images]
    every = np.concatenate(told, axis=1)
    errors = [bundle.expect(SurrogateConfig).log10_rmse or 0.0 for bundle in bundles]
    error = np.full(len(images), np.sqrt(np.mean(np.square(errors))))
    spread = every.std(axis=1, ddof=1) if every.shape[1] > 1 else np.zeros(len(images))
    return every.mean(axis=1), spread, error, foreign


def _members(bundle: Bundle, images: Array, device: str, precision: str) -> Iterator[Array]:
    """Yield what every member gives, standardised, batch by batch."""
    import torch

    from bigrock.models.inference import arithmetic
    from bigrock.models.threads import one_thread

    net = bundle.network(device)
    for start in range(0, len(images), _BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH], np.float32))[:, None]
        with torch.inference_mode(), one_thread(), arithmetic(precision, device):
            made = net(batch.to(device))
        yield made.double().cpu().numpy()


def _check(bundles: Sequence[Bundle], images: Array) -> None:
    if images.ndim != 4 or not len(images):
        raise ParameterError(
            f"images of shape {images.shape} are no stack n, z, y, x. Give one image z, y, x, or a stack."
        )
    refuse_misfits(bundles, images.shape[1:])
    check_fractions(images)


def _cubic(voxel_size: str | float | Sequence[float]) -> float:
    z, y, x = parse_voxel_size(voxel_size)
    if not np.allclose((y, x), z, rtol=1e-6, atol=0):
        raise ParameterError(
            f"voxels of {z:g} × {y:g} × {x:g} m are no cubes, and surrogates learn from cubes. Resample the volume."
        )
    return z
