"""Connected components of an image in memory: every component gets a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.kernels.labelling_runs import check_connectivity, runs_of

__all__ = ["check_image", "in_three_axes", "label"]

Array = npt.NDArray[Any]

_OF_SLICES = {4: 6, 8: 26}


def label(image: Array, *, connectivity: int = 26) -> tuple[Array, int]:
    """Return the connected components of an image, numbered 1, 2, 3… by their first voxels, and how many there are.

    Run-length union-find: rows are cut into runs of equal voxels, and runs that touch are joined
    (Wu et al. 2009). Exact; array for array what `scipy.ndimage.label` returns for masks, and
    `cc3d.connected_components` in three dimensions. Takes one pass over the voxels, and up to 12 bytes per run
    (masks: at most one run for two voxels) beside the result.

    Parameters
    ----------
    image : ndarray of bool or integers, 2-D or 3-D
        A mask (True voxels), or labels: equal values that touch are one component. 0 is background.
        A 2-D image is one slice. Arrays that are not of numpy take the body for any array namespace.
    connectivity : {6, 18, 26}, or {4, 8} of a 2-D image
        Voxels touch across faces; faces and edges; faces, edges and corners.

    Returns
    -------
    labels : ndarray of uint32, or uint64 beyond 2**32 components
        Shape of the image; 0 is background. Consecutive, in raster order (x fastest) of the first
        voxel of each component.
    count : int
        Number of components.

    Raises
    ------
    ParameterError
        If the image is neither a mask nor integers, not 2-D or 3-D, or the connectivity is not known.

    References
    ----------
    .. [1] Wu K., Otoo E., Suzuki K., "Optimizing two-pass connected-component labeling algorithms",
       Pattern Analysis and Applications 12, 2009.
    .. [2] Silversmith W., "cc3d: Connected components on multilabel 3D & 2D images", 2021.

    Examples
    --------
    >>> labels, count = label(np.array([[1, 0, 1], [1, 0, 0]], bool), connectivity=4)
    >>> labels.tolist(), count
    ([[1, 0, 2], [1, 0, 0]], 2)
    """
    check_image(image)
    connectivity = in_three_axes(connectivity, image.ndim)
    if not isinstance(image, np.ndarray):
        from bigrock.kernels.arrays.labelling import label_array

        return label_array(image, connectivity)
    runs = runs_of(image.reshape((1, *image.shape)[-3:]), connectivity)
    dtype = np.uint32 if runs.count < 2**32 else np.uint64
    return runs.painted(np.arange(1, runs.count + 1, dtype=dtype)).reshape(image.shape), runs.count


def check_image(image: Any) -> None:
    """Refuse an image that is neither a mask nor integers, or has neither two nor three axes.

    Raises
    ------
    ParameterError
        With what it is.
    """
    kind = str(image.dtype).rpartition(".")[2]
    if not kind.startswith(("bool", "int", "uint")):
        raise ParameterError(
            f"an image of {kind} has no components: which voxels belong together is not defined for grey levels. "
            "Give a mask (bool), such as image < threshold, or labels (integers)."
        )
    if image.ndim not in (2, 3):
        raise ParameterError(f"the image has {image.ndim} axes. Give 2 (y, x) or 3 (z, y, x).")


def in_three_axes(connectivity: int, ndim: int) -> int:
    """Return the connectivity as one of 6, 18 and 26."""
    if ndim == 2:
        connectivity = _OF_SLICES.get(connectivity, connectivity)
    check_connectivity(connectivity)
    return connectivity
