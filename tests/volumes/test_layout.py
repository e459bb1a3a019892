"""Chunks, shards and codecs of volumes of every shape and type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import AlignmentError
from bigrock.volumes.layout import Layout, codecs_for, default_shard, layout_for

SHAPES = st.tuples(*[st.integers(1, 3000)] * 3)


@given(SHAPES)
def test_shards_are_whole_numbers_of_chunks_and_not_larger_than_needed(shape):
    layout = layout_for(shape)
    for n, chunk, shard in zip(shape, layout.chunk, layout.shard, strict=True):
        assert shard % chunk == 0
        assert chunk <= 64
        assert shard <= max(default_shard(shape), chunk)
        assert shard - n < chunk


@given(SHAPES, st.integers(1, 6))
def test_the_levels_of_a_block_have_shards_that_the_block_owns(shape, level):
    base = layout_for(shape)
    layout = base.at_level(level)
    if layout is not None:
        assert tuple(s << level for s in layout.shard) == base.shard
        assert all(s % c == 0 for s, c in zip(layout.shard, layout.chunk, strict=True))


def test_large_volumes_have_shards_of_256_and_small_ones_of_128():
    assert layout_for((512, 512, 512)) == Layout((64, 64, 64), (256, 256, 256))
    assert layout_for((500, 500, 500)) == Layout((64, 64, 64), (128, 128, 128))


def test_a_chunk_in_two_shards_is_refused():
    with pytest.raises(AlignmentError, match=r"shard \(100, 64, 64\) is not a multiple of the chunk"):
        layout_for((500, 500, 500), chunk=(64, 64, 64), shard=(100, 64, 64))


def test_a_shard_that_the_default_chunk_does_not_divide_is_one_chunk():
    assert layout_for((500, 500, 500), shard=(100, 128, 64)).chunk == (100, 64, 64)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        *[(dtype, "zstd") for dtype in ("bool", "uint8", "int8", "uint32", "uint64")],
        *[(dtype, "blosc") for dtype in ("uint16", "int16", "float32", "float64")],
    ],
)
def test_codecs_follow_the_type_and_every_chunk_has_a_checksum(dtype, name):
    compressor, checksum = codecs_for(np.dtype(dtype))
    assert compressor["name"] == name
    assert checksum == {"name": "crc32c"}
    if name == "blosc":
        assert compressor["configuration"]["shuffle"] == "bitshuffle"
        assert compressor["configuration"]["typesize"] == np.dtype(dtype).itemsize
