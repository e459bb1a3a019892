"""Other software reads our volumes, and finds the same voxels, units and levels."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from bigrock.geometry import BlockGrid
from bigrock.volumes import create_volume, open_volume
from bigrock.workflows.validate import validate

SHAPE = (70, 50, 90)


@pytest.fixture(params=["bool", "uint8", "uint16", "int16", "uint32", "float32"])
def stored(request, tmp_path):
    """A volume with three levels, and its voxels."""
    voxels = (np.random.default_rng(0).random(SHAPE) * 2).astype(request.param)
    if request.param != "bool":
        voxels = voxels * 40
    options = {"levels": 3, "voxel_size": "10, 5, 5 nm", "chunk": (16, 16, 16), "shard": (32, 32, 32)}
    volume = create_volume(tmp_path / "core.zarr", SHAPE, voxels.dtype, **options)
    for block in BlockGrid(SHAPE, (32, 32, 32)):
        volume.write(block.core, voxels[block.core.slices])
    return volume, voxels


def test_zarr_reads_the_same_voxels(stored):
    volume, voxels = stored
    group = zarr.open_group(volume.path, mode="r")
    np.testing.assert_array_equal(group["0"][:], voxels)
    assert group["0"].metadata.dimension_names == ("z", "y", "x")


def test_dask_reads_the_same_voxels_one_shard_at_a_time(stored):
    import dask.array

    volume, voxels = stored
    lazy = volume.to_dask()
    assert lazy.chunks == ((32, 32, 6), (32, 18), (32, 32, 26))
    np.testing.assert_array_equal(lazy.compute(scheduler="threads"), voxels)
    np.testing.assert_array_equal(dask.array.from_zarr(volume.path, component="0").compute(), voxels)
    assert volume.to_dask(1).shape == (35, 25, 45)


def test_tensorstore_reads_the_same_voxels(stored):
    import tensorstore

    volume, voxels = stored
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{volume.path}/0/"}}
    array = tensorstore.open(spec, read=True).result()
    np.testing.assert_array_equal(array.read().result(), voxels)
    assert array.domain.labels == ("z", "y", "x")


def test_the_metadata_is_an_ome_zarr_image_to_its_own_validator(stored):
    from ome_zarr_models.v05 import Image

    volume, _ = stored
    image = Image.from_zarr(zarr.open_group(volume.path, mode="r"))
    [multiscale] = image.ome_attributes.multiscales
    assert [axis.name for axis in multiscale.axes] == ["z", "y", "x"]
    assert {axis.unit for axis in multiscale.axes} == {"nanometer"}
    scales = [d.coordinateTransformations[0].scale for d in multiscale.datasets]
    assert scales == [[10, 5, 5], [20, 10, 10], [40, 20, 20]]


def test_where_a_volume_lies_is_read_by_the_validator_of_ome_zarr_and_by_us(tmp_path):
    from ome_zarr_models.v05 import Image

    options = {"levels": 2, "voxel_size": "2 um", "translation": (30e-6, 0.0, -1e-6)}
    create_volume(tmp_path / "map.zarr", (4, 4, 4), "float32", **options)
    image = Image.from_zarr(zarr.open_group(tmp_path / "map.zarr", mode="r"))
    datasets = image.ome_attributes.multiscales[0].datasets
    told = [d.coordinateTransformations[1].translation for d in datasets]
    assert told == [[30, 0, -1], [31, 1, 0]]
    assert open_volume(tmp_path / "map.zarr").translation == (30e-6, 0, -1e-6)
    assert validate(tmp_path / "map.zarr", progress=False).problems == ()


def test_the_layout_on_disk_is_sharded_and_checked(stored):
    from pathlib import Path

    volume, _ = stored
    metadata = json.loads((Path(volume.path) / "0" / "zarr.json").read_text())
    [sharding] = metadata["codecs"]
    assert sharding["name"] == "sharding_indexed"
    assert sharding["configuration"]["codecs"][-1]["name"] == "crc32c"
    assert metadata["chunk_grid"]["configuration"]["chunk_shape"] == [32, 32, 32]
    assert len(list((Path(volume.path) / "0" / "c").rglob("*/*/*"))) <= 3 * 2 * 3


def test_what_zarr_changes_is_what_bigrock_reads(stored):
    volume, voxels = stored
    zarr.open_array(f"{volume.path}/0", mode="r+")[10:40, 5:45, 60:] = voxels[10:40, 5:45, 60:][::-1]
    voxels[10:40, 5:45, 60:] = voxels[10:40, 5:45, 60:][::-1].copy()
    np.testing.assert_array_equal(open_volume(volume.path)[:], voxels)
