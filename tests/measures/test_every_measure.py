"""What every registered measure must keep: one read, any blocks, classes, a field of view, units, JSON."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from bigrock.measures import MEASURES, Measurements, PolarityWarning, measure
from bigrock.measures.phase import mask_facts
from bigrock.volumes import ArraySource, Region
from bigrock.volumes.source import facts_of

SHAPE = (24, 26, 28)
VOXEL = (2e-6, 2e-6, 2e-6)
OF_PHASE = [name for name, m in MEASURES.items() if m.of == "phase"]

POWERS = {"m": 1, "m²": 2, "m³": 3, "1/m": -1, "1/m²": -2, "1/m³": -3}
"""Unit → how the number grows with the voxel size."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "profiles": ("position", "porosity"),
    "slices": ("slices",),
    # The faces of a crop cut components anew; a field of view leaves the faces of the volume.
    "connectivity": ("connected", "closed", "percolating", "percolates", "percolating_ids", "components"),
    "pores": ("coordination_inside", "pores"),
}
"""Quantities of a field of view that are not those of its crop, and why."""


@cache
def grey() -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(SHAPE), 1.5)
    return np.clip(128 + 60 * field / field.std(), 0, 255).astype(np.uint8)


def rock() -> np.ndarray:
    return grey() < 100


def source_of(name: str, voxel: Any = VOXEL) -> ArraySource:
    """The same rock: grey levels for measures of values, a mask for measures of a phase."""
    return ArraySource(rock() if name in OF_PHASE else grey(), voxel)


def measured(source: Any, what: Any, **options: Any) -> Measurements:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolarityWarning)
        return measure(source, what, progress=False, **{"executor": "serial", **options})


def same(a: Any, b: Any, rtol: float = 0) -> bool:
    """Whether two results are equal, bit for bit unless a tolerance is given."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[k], b[k], rtol) for k in a)
    if hasattr(a, "to_pylist"):
        return (
            a.schema.equals(b.schema)
            and a.num_rows == b.num_rows
            and same(a.to_pydict(), b.to_pydict(), rtol)
        )
    if isinstance(a, np.ndarray | list | tuple):
        x, y = np.asarray(a), np.asarray(b)
        if x.dtype.kind == "f" and x.shape == y.shape:
            return bool(np.allclose(x, y, rtol=rtol, atol=0, equal_nan=True))
        return bool(np.array_equal(x, y))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=rtol) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


def without(tree: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(tree, Mapping):
        return tree
    return {key: without(part, names) for key, part in tree.items() if key not in names}


class Counting:
    """A source that counts the voxels read."""

    def __init__(self, source: Any) -> None:
        self.source, self.voxels = source, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def read(self, region: Region) -> np.ndarray:
        self.voxels += region.voxels
        return self.source.read(region)


def reads_before(name: str) -> int:
    facts = facts_of(source_of(name))
    return 0 if MEASURES[name]().fitting(mask_facts(facts)) is None else 1


@pytest.mark.parametrize("name", MEASURES)
def test_it_takes_one_read_and_one_more_where_it_must_know_something_first(name: str) -> None:
    counting = Counting(source_of(name))
    measured(counting, name, block=SHAPE)
    assert counting.voxels == math.prod(SHAPE) * (1 + reads_before(name))


def test_all_measures_of_a_phase_share_one_read() -> None:
    counting = Counting(source_of(OF_PHASE[0]))
    measured(counting, OF_PHASE, block=SHAPE)
    assert counting.voxels == math.prod(SHAPE) * (1 + max(map(reads_before, OF_PHASE)))


@pytest.mark.parametrize("block", [(7, 5, 9), (16, 16, 16), (1, 26, 28)], ids=str)
@pytest.mark.parametrize("name", MEASURES)
def test_any_blocks_give_the_same_bits(name: str, block: tuple[int, int, int]) -> None:
    whole = measured(source_of(name), name, block=SHAPE)
    assert same(dict(measured(source_of(name), name, block=block)), dict(whole))


@pytest.mark.parametrize("name", MEASURES)
def test_threads_give_the_same_bits(name: str) -> None:
    serial = measured(source_of(name), name, block=(9, 11, 13))
    assert same(dict(measured(source_of(name), name, block=(9, 11, 13), executor=3)), dict(serial))


@pytest.mark.parametrize("name", OF_PHASE)
def test_classes_in_one_read_are_the_classes_one_at_a_time(name: str) -> None:
    labels = np.digitize(grey(), [100, 150]).astype(np.uint8)
    source = ArraySource(labels, VOXEL, "labels", {"pore": 0, "clay": 1, "quartz": 2})
    together = measured(source, name, classes="all", block=(16, 16, 16))[name]
    assert list(together) == ["pore", "clay", "quartz"]
    for pore in together:
        assert same(together[pore], measured(source, name, pore=pore)[name])


class Box:
    """A field of view: a box of whole blocks."""

    shape = (16, 16, 24)

    def inside(self, region: Region) -> np.ndarray:
        axes = (np.arange(a, b) < n for a, b, n in zip(region.start, region.stop, self.shape, strict=True))
        z, y, x = axes
        return z[:, None, None] & y[:, None] & x


def in_field_and_crop(name: str) -> tuple[Any, Any]:
    """What is measured inside a box, and of the rock that was cut to the box."""
    z, y, x = Box.shape
    cut = ArraySource(rock()[:z, :y, :x].copy(), VOXEL)
    seen = measured(source_of(name), name, field_of_view=Box(), block=(8, 8, 8))
    return seen[name], measured(cut, name)[name]


@pytest.mark.parametrize("name", OF_PHASE)
def test_inside_a_field_of_view_it_measures_what_it_measures_of_the_crop(name: str) -> None:
    seen, cut = in_field_and_crop(name)
    elsewhere = ELSEWHERE.get(name, ())
    assert same(without(seen, elsewhere), without(cut, elsewhere), rtol=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_without_a_voxel_size_nothing_has_a_physical_unit(name: str) -> None:
    result = measured(source_of(name, None), name)
    physical = [(q, v) for _, q, v, unit in result.rows() if unit in POWERS and v is not None]
    assert physical == []


@pytest.mark.parametrize("name", MEASURES)
def test_numbers_grow_with_the_voxel_size_as_their_units_say(name: str) -> None:
    fine = measured(source_of(name), name)
    coarse = measured(source_of(name, tuple(2 * v for v in VOXEL)), name)
    for (_, quantity, a, unit), (_, _, b, _) in zip(fine.rows(), coarse.rows(), strict=True):
        if not hasattr(a, "to_pydict") and np.asarray(a).dtype.kind in "iuf":
            x, y = np.asarray(a, float), np.asarray(b, float)
            told = f"{quantity} in {unit!r}"
            np.testing.assert_allclose(y, x * 2.0 ** POWERS.get(unit, 0), rtol=1e-9, err_msg=told)


@pytest.mark.parametrize("name", MEASURES)
def test_units_name_quantities_that_there_are(name: str) -> None:
    result = measured(source_of(name), name)
    paths = [quantity.split(".") for _, quantity, _, _ in result.rows()]
    there = {
        ".".join(path[i:j]) for path in paths for i in range(len(path)) for j in range(i + 1, len(path) + 1)
    }
    assert set(MEASURES[name].units) - there == set()


@pytest.mark.parametrize("fill", [False, True], ids=["empty", "full"])
@pytest.mark.parametrize("name", OF_PHASE)
def test_an_empty_and_a_full_phase_have_numbers_that_json_can_hold(name: str, fill: bool) -> None:
    for shape in (SHAPE, (1, 9, 9), (1, 1, 1)):
        mask = ArraySource(np.full(shape, fill), VOXEL)
        whole = measured(mask, name)
        assert json.loads(whole.to_json())
        assert str(whole)
        assert same(dict(measured(mask, name, block=(8, 8, 8))), dict(whole))


@pytest.mark.parametrize("name", MEASURES)
def test_its_numbers_are_written_as_json_csv_and_parquet(name: str, tmp_path: Any) -> None:
    result = measured(source_of(name), name)
    assert json.loads(result.to_json())[name]
    result.to_csv(tmp_path / "numbers.csv")
    files = result.to_parquet(tmp_path)
    assert len(files) == 1 + len(list(result.tables()))


@pytest.mark.parametrize("name", MEASURES)
def test_it_is_documented_with_an_example(name: str) -> None:
    doc = MEASURES[name].__doc__ or ""
    assert MEASURES[name].name == name
    assert ">>> " in doc
    assert re.search("[Ee]xact|[Aa]pproximate|As `", doc), "says neither exact nor approximate"
