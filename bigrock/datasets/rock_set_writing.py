"""Write a set of rocks: made and labelled in parallel, rock by rock, and resumed after any interruption."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import zarr

import bigrock
from bigrock.datasets.rock_set import ROCK_SET_VERSION, RockSet
from bigrock.engine.destination import logged_run
from bigrock.engine.donelog import DoneLog, compare
from bigrock.engine.driver import drive
from bigrock.engine.executors import ExecutorLike, executor_for
from bigrock.engine.progress import ProgressLike, reporter
from bigrock.engine.settings import json_value
from bigrock.engine.streams import BatchResult
from bigrock.errors import ParameterError, ResumeError, VolumeExistsError
from bigrock.geometry import Block, BlockGrid
from bigrock.units import format_voxel_size
from bigrock.volumes import exists
from bigrock.volumes.create import refuse_file
from bigrock.volumes.layout import codecs_for
from bigrock.volumes.stores import codec_pipeline, is_in_memory, location, open_store

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["RockSource", "write_rocks"]


class RockSource(Protocol):
    """Where rocks come from; picklable, and each rock follows from its number alone."""

    @property
    def count(self) -> int:
        """How many."""

    @property
    def edge(self) -> int:
        """Voxels along each side."""

    @property
    def families(self) -> Sequence[str]:
        """Names of the textures."""

    def image(self, index: int) -> npt.NDArray[np.bool_]:
        """Return a pore mask."""

    def labels(self, index: int, image: npt.NDArray[np.bool_]) -> Sequence[float]:
        """Return k along z, y, x in squared voxels: NaN for not computed, 0 for not percolating."""

    def family(self, index: int) -> int:
        """Return the place of its texture in `families`."""

    def group(self, index: int) -> int:
        """Return the number of its parent."""

    def settings(self) -> dict[str, Any]:
        """Return all that decides images and labels, as JSON."""


@dataclass(frozen=True)
class RockWork:
    """A pass over rocks, as workers see it: make one, label it, store it."""

    source: RockSource
    images: zarr.Array[Any]

    def __reduce__(self) -> tuple[Any, ...]:
        if is_in_memory(self.images.store):
            raise ParameterError(
                "a set of rocks that is kept in the memory of this process cannot be written by others. "
                "Use a folder or a URL, or executor='threads'."
            )
        return RockWork, (self.source, self.images)

    @property
    def grid(self) -> BlockGrid:
        """One block per rock, as if they were stacked along z."""
        edge = self.source.edge
        return BlockGrid((self.source.count * edge, edge, edge), (edge, edge, edge))

    def read(self, block: Block) -> npt.NDArray[np.bool_]:
        """Return the rock."""
        return self.source.image(block.id)

    def compute(self, block: Block, array: npt.NDArray[np.bool_]) -> Any:
        """Return the rock with its permeabilities: NaN, which is not known, for what no rock can have."""
        k = np.asarray(self.source.labels(block.id, array), np.float64)
        return array, np.where(np.isfinite(k) & (k >= 0), k, np.nan)

    def write(self, block: Block, result: Any, kept: list[Any]) -> None:
        """Store the rock, and hand its labels to the coordinator."""
        image, k = result
        self.images[block.id] = image.astype(np.uint8)
        source = self.source
        row = {"k_voxel2": k, "porosity": float(image.mean())}
        row |= {"family": source.family(block.id), "group": source.group(block.id)}
        kept.append((block.id, row))


def write_rocks(
    dest: str | os.PathLike[str] | Store,
    source: RockSource,
    *,
    voxel_size: tuple[float, float, float],
    step: str,
    resume: bool = True,
    overwrite: bool = False,
    executor: ExecutorLike = None,
    retries: int = 2,
    progress: ProgressLike = None,
) -> RockSet:
    """Return the finished set of the rocks of `source`, stored at `dest`.

    One task per rock. The coordinator stores the labels of a rock and then logs it as done, so a
    run that was killed goes on with the rocks that are missing, and gives the same set.

    Raises
    ------
    VolumeExistsError
        If something else is stored at `dest`.
    ResumeError
        If `dest` holds an interrupted run with other settings; names the fields.
    RunError
        At the end, if rocks failed after every retry. The others are done and kept.
    ParameterError
        If voxels are no cubes.
    """
    if len(set(voxel_size)) > 1:
        raise ParameterError(
            f"voxels of {format_voxel_size(voxel_size)} are not cubic: k in squared voxels would mean nothing. "
            "Give one length."
        )
    place, store = location(dest), open_store(dest)
    refuse_file(store)
    if exists(store):
        _refuse_foreign(store)
    log, settings = DoneLog(store), source.settings() | {"voxel_size_m": list(voxel_size)}
    logged, replace = logged_run(store, place, resume=resume, overwrite=overwrite)
    if logged is None:
        _create(store, source, settings, voxel_size, step, replace)
        log.begin(settings)
    group = zarr.open_group(store, mode="r+", zarr_format=3)
    own: Any = group.attrs["bigrock"]
    if logged is not None:
        _refuse_other_settings(logged, settings, place, own["complete"])
    if not own["complete"]:
        with codec_pipeline(store, writing=True):
            images: Any = group["images"]
        _run(group, RockWork(source, images), log, executor, retries, progress, step)
        group.attrs["bigrock"] = {**own, "complete": True}
    log.finish()
    return RockSet(dest)


def _create(
    store: Store,
    source: RockSource,
    settings: dict[str, Any],
    voxel_size: tuple[float, float, float],
    step: str,
    replace: bool,
) -> None:
    made = {"step": step, "bigrock": bigrock.__version__, "numpy": np.__version__}
    made["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    own = {
        "rocks": ROCK_SET_VERSION,
        "complete": False,
        "voxel_size_m": list(voxel_size),
        "families": list(source.families),
        "provenance": made | settings,
    }
    group = zarr.create_group(store, zarr_format=3, overwrite=replace, attributes={"bigrock": own})
    n, edge = source.count, source.edge
    _new(group, "images", (n, edge, edge, edge), "uint8", 0, (1, edge, edge, edge), ["rock", "z", "y", "x"])
    _new(group, "k_voxel2", (n, 3), "float64", np.nan, (n, 3), ["rock", "axis"])
    _new(group, "porosity", (n,), "float64", np.nan, (n,), ["rock"])
    _new(group, "family", (n,), "uint16", 0, (n,), ["rock"])
    _new(group, "group", (n,), "int64", -1, (n,), ["rock"])


def _new(
    group: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    fill: Any,
    chunks: tuple[int, ...],
    axes: list[str],
) -> None:
    group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        compressors=codecs_for(np.dtype(dtype)),
        dimension_names=axes,
        fill_value=fill,
    )


def _refuse_foreign(store: Store) -> None:
    """Refuse a place that holds something else than a set of rocks, also with ``overwrite=True``."""
    try:
        own: Any = zarr.open_group(store, mode="r", zarr_format=3).attrs.get("bigrock", {})
    except (FileNotFoundError, ValueError):
        own = {}
    if "rocks" not in own:
        raise VolumeExistsError(
            f"{location(store)} holds something that is no set of rocks, and would be lost. "
            f"Choose another destination, or remove it yourself."
        )


def _refuse_other_settings(logged: dict[str, Any], now: dict[str, Any], place: str, complete: bool) -> None:
    try:
        compare(logged, json_value(now), place)
    except ResumeError as error:
        if complete:
            raise VolumeExistsError(str(error)) from error
        raise


def _run(
    group: zarr.Group,
    work: RockWork,
    log: DoneLog,
    executor: ExecutorLike,
    retries: int,
    progress: ProgressLike,
    title: str,
) -> None:
    """Make the rocks that the log does not have; store labels and log them as rocks end."""
    finished = log.done(work.source.count)
    # By zarr's own codecs, which replace a chunk as a whole: all labels lie in one.
    tables: dict[str, Any] = {name: group[name] for name in ("k_voxel2", "porosity", "family", "group")}
    tally = {"done": int(finished.sum()), "failed": 0, "voxels": 0}
    with reporter(progress, title, len(finished), tally["done"]) as report:

        def on_result(result: BatchResult) -> None:
            for index, row in result.kept:
                for name, value in row.items():
                    tables[name][index] = value
            log.add(result.done)
            tally["done"] += len(result.done)
            tally["failed"] += len(result.failed)
            tally["voxels"] += result.voxels
            report(tally["done"], tally["failed"], tally["voxels"])

        todo = np.flatnonzero(~finished)
        drive(work, todo, executor_for(executor), batch=1, retries=retries, on_result=on_result)
