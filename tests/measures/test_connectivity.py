"""The connectivity report against cc3d, on shapes with known answers and on real rock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cc3d
import numpy as np
import pytest

import bigrock
from bigrock.errors import ParameterError
from bigrock.measures import Connectivity

CORNER = [0, -1]


@dataclass(frozen=True, eq=False)
class Round:
    """A field of view that is given as a mask."""

    mask: np.ndarray

    def inside(self, region):
        return self.mask[region.slices]


def noise(shape=(20, 21, 22), fraction=0.3) -> np.ndarray:
    return np.random.default_rng(0).random(shape) < fraction


def report(mask, connectivity=26, **options):
    return bigrock.measure(mask, Connectivity(connectivity), progress=False, **options)["connectivity"]


def by_cc3d(mask: np.ndarray, connectivity: int) -> dict:
    labels = cc3d.connected_components(mask, connectivity=connectivity)
    sizes = np.bincount(labels.ravel()).astype(float)
    sizes[0] = 0
    faces = [[set(np.unique(labels.take(i, axis))) - {0} for i in CORNER] for axis in range(3)]
    crossing = [sorted(low & high) for low, high in faces]
    touching = sorted(set().union(*(face for pair in faces for face in pair)))
    return {
        "total": mask.mean(),
        "connected": sizes[touching].sum() / mask.size,
        "closed": (sizes.sum() - sizes[touching].sum()) / mask.size,
        "percolating": {a: sizes[ids].sum() / mask.size for a, ids in zip("zyx", crossing, strict=True)},
        "percolating_ids": dict(zip("zyx", crossing, strict=True)),
        "largest": sizes.max() / sizes.sum(),
        "gamma": (sizes**2).sum() / sizes.sum() ** 2,
        "number": len(sizes) - 1,
    }


def assert_same(found: dict, expected: dict) -> None:
    for name in ("total", "connected", "closed", "largest", "gamma", "number"):
        assert found[name] == pytest.approx(expected[name], rel=1e-12, abs=1e-15), name
    for axis in "zyx":
        assert found["percolating"][axis] == pytest.approx(expected["percolating"][axis], rel=1e-12)
        assert found["percolates"][axis] == bool(expected["percolating_ids"][axis])


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("fraction", [0.05, 0.12, 0.33, 0.6])
def test_all_numbers_are_those_of_cc3d(fraction, connectivity):
    mask = noise(fraction=fraction)
    found, expected = report(mask, connectivity), by_cc3d(mask, connectivity)
    assert_same(found, expected)
    for axis in "zyx":
        assert found["percolating_ids"][axis].tolist() == expected["percolating_ids"][axis]
    assert_same(found["solid"], by_cc3d(~mask, 26 if connectivity == 6 else 6))
    assert found["components"].num_rows == found["number"]


@pytest.mark.parametrize("block", [(20, 21, 22), (7, 5, 9), (3, 21, 4)])
def test_the_report_is_the_same_for_any_blocks_and_executors(block):
    mask = noise(fraction=0.13)
    whole = report(mask)
    for executor in ("serial", 2):
        found = report(mask, block=block, executor=executor)
        assert found["components"].equals(whole["components"])
        assert {k: v for k, v in found.items() if k not in ("components", "percolating_ids")} == {
            k: v for k, v in whole.items() if k not in ("components", "percolating_ids")
        }


def test_a_pore_that_is_bored_along_one_axis_percolates_along_it():
    for axis, name in enumerate("zyx"):
        mask = np.zeros((8, 8, 8), bool)
        mask[tuple(slice(None) if i == axis else 4 for i in range(3))] = True
        mask[2, 2, 2] = True
        found = report(mask)
        assert found["percolates"] == {a: a == name for a in "zyx"}
        assert (found["connected"], found["closed"]) == (8 / 512, 1 / 512)
        assert found["solid"]["percolates"] == {"z": True, "y": True, "x": True}


def test_the_table_can_be_left_out():
    mask = noise()
    full, brief = (
        report(mask),
        bigrock.measure(mask, Connectivity(table=False), progress=False)["connectivity"],
    )
    assert "components" not in brief
    assert brief["gamma"] == full["gamma"]
    assert brief["number"] == full["number"]


def test_a_volume_without_pores_has_no_largest_pore():
    found = report(np.zeros((4, 5, 6), bool))
    assert (found["total"], found["largest"], found["gamma"], found["number"]) == (0, None, None, 0)
    assert found["solid"]["largest"] == 1


def test_fractions_are_of_what_is_inside_the_field_of_view():
    mask = noise((12, 31, 31), 0.3)
    y, x = np.ogrid[-15:16, -15:16]
    inside = np.broadcast_to(y * y + x * x <= 15**2, mask.shape)
    found = report(mask, field_of_view=Round(inside))
    expected = by_cc3d(mask & inside, 26)
    assert found["total"] == pytest.approx((mask & inside).sum() / inside.sum())
    assert found["connected"] == pytest.approx(expected["connected"] * mask.size / inside.sum())
    assert found["number"] == expected["number"]


def test_an_unknown_connectivity_is_refused():
    with pytest.raises(ParameterError, match="Use 6"):
        Connectivity(4)


@pytest.mark.parametrize(
    ("path", "pore", "porosity"),
    [
        ("berea_400/berea_400_seg.tif", 0, 0.196),
        ("deepore_sample_256/deepore_sample_256_seg.tif", 0, None),
        ("drp374_06_00_256/drp374_06_00_256_seg.tif", 0, 0.10),
    ],
)
def test_real_rock_percolates_as_cc3d_says(shared_data: Path, path: str, pore: int, porosity: float | None):
    tifffile = pytest.importorskip("tifffile")
    mask = tifffile.imread(shared_data / path) == pore
    found = bigrock.measure(mask, Connectivity(table=False), progress=False)["connectivity"]
    assert_same(found, by_cc3d(mask, 26))
    if porosity is not None:
        assert found["total"] == pytest.approx(porosity, abs=0.005)
    if "berea" in path:
        assert found["percolates"] == {"z": True, "y": True, "x": True}
