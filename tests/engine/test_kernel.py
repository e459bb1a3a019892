"""Chains: halos and scales add up, and a chain over blocks is the chain over the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_kernels import AsFloat, Copied, Enlarge, Largest, Median

from bigrock.engine.kernel import Chain, Kernel
from bigrock.geometry import Block, BlockGrid, Region


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 200, shape).astype(np.uint8)


def over_blocks(kernel, image, block):
    out = np.zeros([n * kernel.scale for n in image.shape], kernel.output_dtype(image.dtype))
    for b in BlockGrid(image.shape, block, kernel.halo):
        result = kernel(image[b.read.slices].copy(), b)
        assert result.shape == b.core.scaled(kernel.scale).shape
        out[b.core.scaled(kernel.scale).slices] = result
    return out


def whole(kernel, image):
    region = Region.whole(image.shape)
    return kernel(image, Block(0, region, region, image.shape))


STAGES = st.sampled_from(
    [
        Copied(),
        Median((1, 0, 2)),
        Largest((2, 1, 0)),
        Largest((0, 0, 5)),
        Enlarge(2, 1),
        Enlarge(3, 0),
        Enlarge(2, 3),
        AsFloat(),
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STAGES, min_size=2, max_size=4).filter(lambda stages: np.prod([s.scale for s in stages]) <= 12),
    st.tuples(*[st.integers(3, 9)] * 3),
    st.tuples(*[st.integers(1, 6)] * 3),
)
def test_a_chain_over_blocks_is_its_stages_one_by_one_over_the_whole(stages, shape, block):
    image = noise(shape)
    expected = image
    for stage in stages:
        expected = whole(stage, expected)
    kernel = Chain(tuple(stages))
    result = over_blocks(kernel, image, block)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 14)] * 3), st.tuples(*[st.integers(1, 9)] * 3))
def test_a_kernel_with_a_halo_over_blocks_is_the_kernel_over_the_whole(shape, block):
    image = noise(shape)
    kernel = Median((2, 1, 3))
    np.testing.assert_array_equal(over_blocks(kernel, image, block), whole(kernel, image))


def test_halos_of_a_chain_add_up_in_voxels_of_the_input():
    assert (Median((1, 2, 3)) | Largest((4, 0, 1))).halo == (5, 2, 4)
    # After an enlargement by 2, five voxels are two and a half of the input.
    assert (Enlarge(2, 1) | Largest((5, 4, 1))).halo == (4, 3, 2)
    assert (Enlarge(2, 0) | Enlarge(3, 0) | Largest((7, 6, 0))).halo == (2, 1, 0)


def test_scales_multiply_and_types_follow_the_stages():
    chain = Enlarge(2) | AsFloat() | Enlarge(3)
    assert chain.scale == 6
    assert chain.output_dtype(np.dtype(np.uint8)) == np.float32
    assert chain.output_kind("mask") == "mask"


def test_chains_are_flat_and_values():
    a, b, c = Median(), Copied(), Largest()
    assert (a | b) | c == a | (b | c) == Chain((a, b, c))
    assert hash(a | b) == hash(Chain((a, b)))
    with pytest.raises(TypeError):
        a | "b"  # type: ignore[operator]


class Work(Copied):
    """A stage that takes twelve bytes per voxel it reads."""

    def scratch_bytes(self, dtype):
        return 12.0


def test_a_chain_counts_what_its_widest_stage_holds():
    byte = np.dtype(np.uint8)
    # While the float stage runs, its output is on its way to the next one.
    assert (AsFloat() | Copied()).scratch_bytes(byte) == 4
    # The middle stage reads one intermediate array and makes another.
    assert (AsFloat() | Work() | Copied()).scratch_bytes(byte) == 4 + 12 + 4
    # After an enlargement by 2 there are eight voxels for one.
    assert (Enlarge(2) | Work()).scratch_bytes(byte) == 8 * (1 + 12)


def test_a_kernel_that_says_nothing_has_the_defaults_of_a_copy():
    kernel = Copied()
    byte = np.dtype(np.uint8)
    assert (kernel.halo, kernel.scale, kernel.scratch_bytes(byte)) == ((0, 0, 0), 1, 0.0)
    assert (kernel.output_dtype(byte), kernel.output_kind("labels")) == (byte, "labels")
    assert issubclass(Chain, Kernel)
