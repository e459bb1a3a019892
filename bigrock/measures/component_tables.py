"""One row for every connected component: size, place, shape, faces touched, surface."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bigrock.errors import VolumeError
from bigrock.kernels.labelling_sums import ComponentSums
from bigrock.volumes import Volume, open_volume
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    import os

    import pyarrow as pa
    from zarr.abc.store import Store

__all__ = ["TABLE_KEY", "component_table", "read_component_table", "write_component_table"]

Array = npt.NDArray[Any]

TABLE_KEY = "components.parquet"
"""Where the table of a label volume lies in its store."""

_FACES = ("z0", "z1", "y0", "y1", "x0", "x1")
_PRODUCTS = ("zz", "yy", "xx", "zy", "zx", "yx")
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def component_table(found: ComponentSums, voxel_size: Voxel | None = None) -> pa.Table:
    r"""Return the table of the components of a volume, in the order of their first voxels.

    The equal-moment ellipsoid is the one with the volume's covariance of positions C (its inertia
    tensor is tr(C)·1 − C): the axes are :math:`2\sqrt{5\lambda}` long, λ the eigenvalues of C. A voxel
    is a box and not a point, so C holds its own moment, h²/12 along an axis with voxels of h; then
    a single voxel has the axes of a cube and no axis is 0. Anisotropic voxels count as long as they
    are. The surface is the Crofton estimate from three directions, 2/3 of the faces of voxels
    exposed to what is not the component, which is right for shapes without a preferred direction
    (counting all faces gives 3/2 of a ball's); cuts by the border of the volume are no surface.

    Parameters
    ----------
    found : ComponentSums
        Full sums, of `bigrock.kernels.find_components` or `bigrock.kernels.Components`.
    voxel_size : tuple of float, optional
        Metres z, y, x. Without it lengths are in voxels, which columns say: ``major_voxels``.

    Returns
    -------
    pyarrow.Table
        ``id`` (as in the label volume), ``value`` (of labels), ``voxels``, ``volume_m3`` (null
        without voxel size), ``z_start``, ``z_stop``… (box, stop exclusive), ``centroid_z_m`` (centres
        of voxels at (i + 1/2)·h; in voxels at i), ``covariance_zz_m2``…, ``major_m``, ``medium_m``,
        ``minor_m`` (full lengths of the axes), ``aspect_ratio`` (major/minor, ≥ 1), ``elongation``
        (medium/major), ``flatness`` (minor/medium; Zingg), ``touches_z0``… (faces of the volume),
        ``surface_m2``. Shapes are null beyond what `ComponentSums.moments` says.

    References
    ----------
    .. [1] Zingg Th., "Beitrag zur Schotteranalyse", Schweiz. Min. Petr. Mitt. 15, 1935.
    .. [2] Legland D., Kiêu K., Devaux M.-F., "Computation of Minkowski measures on 2D and 3D binary
       images", Image Analysis & Stereology 26, 2007.

    Examples
    --------
    >>> from bigrock.kernels import find_components
    >>> table = component_table(find_components(np.ones((2, 2, 2), bool)), (1e-6, 1e-6, 1e-6))
    >>> table["voxels"].to_pylist(), table["aspect_ratio"].to_pylist()
    ([8], [1.0])
    """
    import pyarrow as pa

    unit, edges = ("voxels", np.ones(3)) if voxel_size is None else ("m", np.asarray(voxel_size))
    columns: dict[str, Any] = {"id": pa.array(np.arange(1, len(found) + 1, dtype=np.uint64))}
    if found.values is not None:
        columns["value"] = pa.array(found.values)
    columns["voxels"] = pa.array(found.voxels.astype(np.uint64))
    volumes = None if voxel_size is None else found.voxels * np.prod(edges)
    columns["volume_m3"] = pa.nulls(len(found), pa.float64()) if volumes is None else pa.array(volumes)
    for i, axis in enumerate("zyx"):
        columns[f"{axis}_start"] = pa.array(found.start[:, i])
        columns[f"{axis}_stop"] = pa.array(found.stop[:, i])
    columns |= _shapes(found, edges, unit, 0.0 if voxel_size is None else 0.5)
    for name, touched in zip(_FACES, found.touches.T, strict=True):
        columns[f"touches_{name}"] = pa.array(touched)
    across = np.prod(edges) / edges
    columns[f"surface_{unit}2"] = pa.array(found.exposed @ across * (2 / 3))
    return pa.table(columns)


def _shapes(found: ComponentSums, edges: Array, unit: str, offset: float) -> dict[str, Any]:
    """Return the columns of the centroid, the covariance and the ellipsoid."""
    import pyarrow as pa

    means, products = found.moments()
    covariance = np.empty((len(found), 3, 3))
    columns = {
        f"centroid_{axis}_{unit}": pa.array((means[:, i] + offset) * edges[i]) for i, axis in enumerate("zyx")
    }
    for k, (i, j) in enumerate(_PAIRS):
        own = edges[i] ** 2 / 12 if i == j else 0.0
        covariance[:, i, j] = covariance[:, j, i] = products[:, k] * edges[i] * edges[j] + own
        columns[f"covariance_{_PRODUCTS[k]}_{unit}2"] = pa.array(covariance[:, i, j], from_pandas=True)
    unknown = np.isnan(covariance).any(axis=(1, 2))
    covariance[unknown] = np.eye(3)
    axes = 2 * np.sqrt(5 * np.linalg.eigvalsh(covariance))
    axes[unknown] = np.nan
    minor, medium, major = axes.T
    named = {f"major_{unit}": major, f"medium_{unit}": medium, f"minor_{unit}": minor}
    named |= {"aspect_ratio": major / minor, "elongation": medium / major, "flatness": minor / medium}
    return columns | {name: pa.array(values, from_pandas=True) for name, values in named.items()}


def write_component_table(table: pa.Table, store: Store, key: str = TABLE_KEY) -> None:
    """Write a table as Parquet into the store of a label volume."""
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(table, file)
    buffer = default_buffer_prototype().buffer.from_bytes(file.getvalue())
    sync(store.set(key, buffer))


def read_component_table(labels: Volume | str | os.PathLike[str]) -> pa.Table:
    """Return the component table that `bigrock.label` stored with a label volume.

    Parameters
    ----------
    labels : Volume or path
        What `bigrock.label` returned, or where it is. Other software reads the file
        ``components.parquet`` in the folder of the volume.

    Returns
    -------
    pyarrow.Table
        See `component_table`.

    Raises
    ------
    VolumeError
        If the volume has none: `bigrock.label` did not make it.

    Examples
    --------
    >>> import bigrock
    >>> mask = bigrock.ArraySource(np.eye(4, dtype=bool)[None])
    >>> labels = bigrock.label(mask, "memory://table-example.zarr", connectivity=6, progress=False)
    >>> read_component_table(labels)["voxels"].to_pylist()
    [1, 1, 1, 1]
    """
    import pyarrow.parquet as pq

    volume = labels if isinstance(labels, Volume) else open_volume(labels)
    stored = sync(volume.store.get(TABLE_KEY, default_buffer_prototype()))
    if stored is None:
        raise VolumeError(
            f"{volume.path} has no component table: bigrock.label stores one with the labels that it makes. "
            "Label the mask, or measure its connectivity, which gives the table without labels."
        )
    return pq.read_table(io.BytesIO(stored.to_bytes()))
