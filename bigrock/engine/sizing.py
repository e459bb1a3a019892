"""Choose the block of a pass: as large as its worker's memory allows, aligned to what is stored.

A block that is too small reads its halo too often; one that is too large does not fit. Where the
input decodes large units as one (a page of a TIFF), a block covers them, or as much of them as the
memory allows, so that they are decoded as seldom as can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from bigrock.engine.executors import Executor
from bigrock.engine.memory import BASE_BYTES, format_bytes, thread_bytes
from bigrock.errors import PlanError
from bigrock.geometry import BlockGrid, Shape
from bigrock.volumes.layout import CHUNK, Layout, default_shard, layout_for
from bigrock.volumes.source import Source

__all__ = ["batch_size", "candidates", "first_fitting", "read_amplification", "shard_dividing"]

_BATCH_BLOCKS = 128
_BATCH_VOXELS = 2**26


def batch_size(blocks: int, block_voxels: int, threads: int) -> int:
    """Return how many blocks make one task: enough work for the scheduler, enough tasks for the workers."""
    return max(1, min(_BATCH_BLOCKS, _BATCH_VOXELS // block_voxels, blocks // (8 * threads)))


def read_amplification(grid: BlockGrid, unit: Shape) -> float:
    """Return how many voxels are decoded per voxel of the volume, exactly.

    Each block decodes whole units (chunks) that its read region touches; the sum over all blocks
    is a product over axes.
    """
    factor = 1.0
    for n, b, h, u in zip(grid.shape, grid.block, grid.halo, unit, strict=True):
        start = np.arange(0, n, b)
        low = np.maximum(0, start - h) // u * u
        high = np.minimum(n, -(-np.minimum(n, start + b + h) // u) * u)
        factor *= float((high - low).sum()) / n
    return factor


def _cost(grid: BlockGrid, source: Source, scratch: float, out_bytes: float, threads: int) -> int:
    read = math.prod(grid.largest_read)
    core = math.prod(min(n, b) for n, b in zip(grid.shape, grid.block, strict=True))
    itemsize = np.dtype(source.dtype).itemsize
    reading = read * getattr(source, "read_scratch_bytes", 0.0)
    # At a far face the core is filled up to whole shards, in a copy.
    filled = 0 if core == math.prod(grid.block) else math.prod(grid.block) * out_bytes
    reading += filled
    return BASE_BYTES + threads * thread_bytes(read * itemsize, reading + read * scratch, core * out_bytes)


def _cover(unit: Shape, edge: Shape, shape: Shape) -> Shape:
    """Return the smallest multiple of `edge` that covers a read unit, for units larger than a shard."""
    z, y, x = (-(-min(u, n) // e) * e for u, e, n in zip(unit, edge, shape, strict=True))
    return z, y, x


def _edges(edge: int) -> Iterator[int]:
    while edge >= CHUNK // 2:
        yield edge
        edge //= 2


def candidates(
    source: Source, scale: int, out_shape: Shape, *, whole_slices: bool = False
) -> Iterator[tuple[Shape, Layout]]:
    """Yield blocks (input voxels) with the output layout of each, best first.

    Where large units are decoded as one (pages of a TIFF, say), first slabs that hold them whole, then
    2, 4, 8… parts of these, each of which decodes them again. Last, cubes. With `whole_slices`, slabs
    hold whole slices, thin ones first: a slice costs the same in any, and there are more for the workers.
    """
    edge = default_shard(out_shape)
    edges = sorted(_edges(edge), reverse=not whole_slices)
    slabs = [_layout(out_shape, (thickness, edge, edge), scale) for thickness in edges]
    shards = [_shrunk(layout.shard, scale) for layout in slabs]
    unit = (1, *source.shape[1:]) if whole_slices else source.read_unit
    covers = [_cover(unit, shard, source.shape) for shard in shards]
    if covers[0] != shards[0]:
        largest = max(math.prod(c) // math.prod(s) for c, s in zip(covers, shards, strict=True))
        for power in range(largest.bit_length()):
            for layout, shard, cover in zip(slabs, shards, covers, strict=True):
                if (block := _cut(cover, shard, 1 << power)) is not None:
                    yield block, layout
    for layout in (_layout(out_shape, (e, e, e), scale) for e in _edges(edge)):
        yield _shrunk(layout.shard, scale), layout


def _shrunk(shape: Shape, scale: int) -> Shape:
    z, y, x = shape
    return z // scale, y // scale, x // scale


def _cut(cover: Shape, shard: Shape, parts: int) -> Shape | None:
    """Return one of `parts` pieces of `cover`, cut along y and then along x; None below a shard."""
    (z, y, x), (_, b, c) = cover, shard
    along_y = min(parts, y // b)
    along_x = parts // along_y
    if along_x > x // c:
        return None
    return z, -(-y // b // along_y) * b, -(-x // c // along_x) * c


def _layout(shape: Shape, edges: Shape, scale: int) -> Layout:
    """Return the default layout with shards of at most `edges`, all of it in multiples of `scale`."""
    default = layout_for(shape)
    cz, cy, cx = (max(1, min(c, e) // scale) * scale for c, e in zip(default.chunk, edges, strict=True))
    chunk = (cz, cy, cx)
    sz, sy, sx = (max(1, min(s, e) // c) * c for s, e, c in zip(default.shard, edges, chunk, strict=True))
    return layout_for(shape, chunk, (sz, sy, sx))


def first_fitting(
    source: Source,
    halo: Shape,
    options: Sequence[tuple[Shape, Layout | None]],
    scratch: float,
    out_bytes: float,
    executor: Executor,
    limit: int,
    fixed: float = 0.0,
) -> tuple[Shape, Layout | None, int]:
    """Return the first of `options` that fits in `limit` bytes per worker, and what it takes.

    `scratch` counts per voxel read, `out_bytes` per voxel of the core, and `fixed` per worker.

    Raises
    ------
    PlanError
        If none does.
    """
    ram = 0
    for block, layout in options:
        ram = _cost(
            BlockGrid(source.shape, block, halo), source, scratch, out_bytes, executor.threads_per_worker
        )
        ram += int(fixed)
        if ram <= limit:
            return block, layout, ram
    raise PlanError(
        f"a block of {options[-1][0]} voxels with halo {halo} takes {format_bytes(ram)} in a worker with "
        f"{executor.threads_per_worker} threads, which may use {format_bytes(limit)}: the run would be killed for "
        f"memory. Give more memory (ram=), fewer threads (executor=1), or a smaller block or radius."
    )


def shard_dividing(block: Shape, shape: Shape) -> Shape:
    """Return the default shard where the block is a multiple of it, else the block itself as shard."""
    layout = layout_for(shape)
    z, y, x = (s if b % s == 0 or b >= n else b for b, s, n in zip(block, layout.shard, shape, strict=True))
    return z, y, x
