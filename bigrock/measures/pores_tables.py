"""Tables of pores and throats, with units."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bigrock.errors import VolumeError
from bigrock.kernels.basins_network import PoreNetwork
from bigrock.measures.component_tables import component_table, write_component_table
from bigrock.volumes import Volume, open_volume
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    import os

    import pyarrow as pa
    from zarr.abc.store import Store

__all__ = ["pore_tables", "read_pore_tables", "write_pore_tables"]

PORES_KEY, THROATS_KEY = "pores.parquet", "throats.parquet"
"""Where the tables of a volume of pores lie in its store."""


def pore_tables(network: PoreNetwork, voxel_size: Voxel | None = None) -> tuple[pa.Table, pa.Table]:
    r"""Return the table of the pores, in the order of their labels, and the table of the throats.

    Parameters
    ----------
    network : PoreNetwork
        Of `bigrock.kernels.pores` or `bigrock.kernels.PoreRegions`.
    voxel_size : tuple of float, optional
        Metres z, y, x. Without it lengths are in voxels, and columns say so: ``major_voxels``.

    Returns
    -------
    pores : pyarrow.Table
        The columns of `component_table`, whose surface here takes in the throats, and
        ``equivalent_diameter_m`` (of the ball of the same volume, (6V/π)^⅓), ``inscribed_diameter_m``
        (twice the largest distance), ``coordination`` (number of throats), ``touches_border``.
    throats : pyarrow.Table
        ``pore_1``, ``pore_2`` (ids, the smaller first), ``faces_z``, ``faces_y``, ``faces_x`` (voxel
        faces that they share), ``area_m2`` (root of the sum of squares of the areas of these: that
        of a plane of any direction, and less than that of a bent one), ``inscribed_diameter_m``
        (twice the largest distance in the throat).

    Examples
    --------
    >>> from bigrock.kernels import pores
    >>> hourglass = np.ones((1, 7, 9), bool)
    >>> hourglass[:, 0], hourglass[:, -1] = False, False
    >>> hourglass[:, [1, 2, 4, 5], 4] = False
    >>> found, throats = pore_tables(pores(hourglass)[1], (1e-6, 1e-6, 1e-6))
    >>> found["inscribed_diameter_m"].to_pylist(), throats["inscribed_diameter_m"].to_pylist()
    ([6e-06, 6e-06], [2e-06])
    """
    import pyarrow as pa

    unit, edges = ("voxels", np.ones(3)) if voxel_size is None else ("m", np.asarray(voxel_size))
    smallest = float(edges.min())
    table = component_table(network.pores, voxel_size)
    volumes = network.pores.voxels * np.prod(edges)
    more: dict[str, Any] = {
        f"equivalent_diameter_{unit}": np.cbrt(6 * volumes / np.pi),
        f"inscribed_diameter_{unit}": 2 * smallest * network.peaks,
        "coordination": network.coordination,
        "touches_border": network.pores.touches.any(axis=1),
    }
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    throats: dict[str, Any] = {
        "pore_1": network.pairs[:, 0].astype(np.uint64),
        "pore_2": network.pairs[:, 1].astype(np.uint64),
        **{f"faces_{axis}": network.faces[:, i] for i, axis in enumerate("zyx")},
        f"area_{unit}2": np.sqrt(((network.faces * (np.prod(edges) / edges)) ** 2).sum(axis=1)),
        f"inscribed_diameter_{unit}": 2 * smallest * network.passes,
    }
    return table, pa.table({name: pa.array(values) for name, values in throats.items()})


def write_pore_tables(network: PoreNetwork, voxel_size: Voxel | None, store: Store) -> None:
    """Write both tables as Parquet into the store of a volume of pores."""
    for key, table in zip((PORES_KEY, THROATS_KEY), pore_tables(network, voxel_size), strict=True):
        write_component_table(table, store, key)


def read_pore_tables(labels: Volume | str | os.PathLike[str]) -> tuple[pa.Table, pa.Table]:
    """Return the tables of pores and throats that `bigrock.pores` stored with a label volume.

    Parameters
    ----------
    labels : Volume or path
        What `bigrock.pores` returned, or where it is. Other software reads the files
        ``pores.parquet`` and ``throats.parquet`` in the folder of the volume.

    Returns
    -------
    pores, throats : pyarrow.Table
        See `pore_tables`.

    Raises
    ------
    VolumeError
        If the volume has none: `bigrock.pores` did not make it.

    Examples
    --------
    >>> import bigrock
    >>> mask = bigrock.ArraySource(np.eye(4, dtype=bool)[None])
    >>> from bigrock.measures import pores
    >>> labels = pores(mask, "memory://pore-tables-example.zarr", progress=False)
    >>> read_pore_tables(labels)[0]["voxels"].to_pylist()
    [4]
    """
    import pyarrow.parquet as pq

    volume = labels if isinstance(labels, Volume) else open_volume(labels)
    stored = [sync(volume.store.get(key, default_buffer_prototype())) for key in (PORES_KEY, THROATS_KEY)]
    if stored[0] is None or stored[1] is None:
        raise VolumeError(
            f"{volume.path} has no tables of pores and throats: bigrock.pores stores them with the labels that it "
            "makes. Run it on the mask, or measure 'pores', which gives the tables without labels."
        )
    pores, throats = (pq.read_table(io.BytesIO(found.to_bytes())) for found in stored if found)
    return pores, throats
