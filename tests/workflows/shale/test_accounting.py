"""The account of a shale against volumes whose answer is known, and against the synthetic shale."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

import bigrock
from bigrock.datasets import Shale, ShaleTruth
from bigrock.errors import ParameterError, PhaseError, VoxelSizeError
from bigrock.workflows.shale.accounting import ShaleAccount, account
from bigrock.workflows.shale.maturity import maturity_table
from bigrock.workflows.shale.organic_porosity import ShaleVolumes, organic_quantities

CLASSES = {"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3}
VOXEL = (10e-9, 5e-9, 5e-9)


def stack(voxels: np.ndarray, classes: dict[str, int] = CLASSES, voxel=VOXEL) -> bigrock.ArraySource:
    return bigrock.ArraySource(voxels, voxel, kind="labels", classes=classes)


def rods() -> np.ndarray:
    """A slab of organic matter with a rod of pore along x and a cube; and a rod of pore in the matrix along z."""
    voxels = np.zeros((20, 20, 40), np.uint8)
    voxels[:, :10] = 1
    voxels[4:6, 3:7, 8:32] = 2
    voxels[12:14, 3:7, 10:14] = 2
    voxels[4:16, 14:18, 20:24] = 3
    return voxels


@pytest.fixture(scope="module")
def found() -> ShaleAccount:
    return account(stack(rods()), sample="rods", depth="2900 m", min_pore_voxels=8, progress=False)


def test_volumes_are_those_of_the_voxels_in_cubic_metres(found: ShaleAccount) -> None:
    values, counts = np.unique(rods(), return_counts=True)
    told = found["volumes"]
    parts = (told["others"]["matrix"], told["organic_matter"], told["organic_pore"], told["inorganic_pore"])
    assert [p["voxels"] for p in parts] == counts.tolist() == [counts[v] for v in values]
    assert [p["volume"] for p in parts] == pytest.approx([n * 250e-27 for n in counts], rel=1e-12)
    assert sum(p["fraction"] for p in parts) == pytest.approx(1)


def test_organic_porosity_has_the_three_definitions_and_hosted_by_default(found: ShaleAccount) -> None:
    om, organic, inorganic = 8000 - 224, 2 * 4 * 24 + 32, 12 * 16
    told = found["organic_porosity"]
    assert told["value"] == told["hosted"] == organic / (om + organic)
    assert told["bulk"] == organic / 16000
    assert told["notes"] == organic / (om + inorganic)
    assert found["organic_share"] == organic / (organic + inorganic)
    assert found["porosity"]["total"] == (organic + inorganic) / 16000


@pytest.mark.parametrize(("counted", "content"), [(False, 7776 / 16000), (True, 0.5)])
def test_hosted_pores_count_as_organic_matter_on_request(counted: bool, content: float) -> None:
    found = account(stack(rods()), pores_count_as_om=counted, progress=False)
    assert found["om_content"] == content
    assert found["om_contents"] == {"without_pores": 7776 / 16000, "with_pores": 0.5}


def test_another_definition_is_the_value_on_request() -> None:
    told = organic_quantities(ShaleVolumes(30, 10, 20, {"matrix": 40}, 100, 1e-24), definition="notes")
    assert told["organic_porosity"]["value"] == 0.2


def test_the_ranges_of_the_paper_follow_from_its_volumes() -> None:
    """Standard OP never exceeds 1; the definition of the notes does, where pores outweigh organic matter."""
    told = organic_quantities(ShaleVolumes(10, 40, 0, {}, 50, 1e-24))["organic_porosity"]
    assert (told["hosted"], told["notes"]) == (0.8, 4.0)


def test_aspect_ratios_know_that_slices_lie_further_apart_than_pixels(found: ShaleAccount) -> None:
    # Organic: 20 x 20 x 120 nm (6) and a cube of 20 nm (1). Inorganic: 120 x 20 x 20 nm (6).
    told = found["aspect_ratio"]
    assert told["organic pore"]["number"] == 2
    assert told["organic pore"]["mean"] == pytest.approx(3.5)
    assert told["organic pore"]["volume_mean"] == pytest.approx((6 * 192 + 32) / 224)
    assert told["inorganic pore"]["median"] == pytest.approx(6)
    assert told["organic pore"]["counts"].sum() == 2


def test_pores_that_are_cut_or_small_have_no_shape() -> None:
    voxels = rods()
    voxels[0:4, 1:3, 0:4], voxels[17, 5, 20] = 2, 2
    told = account(stack(voxels), progress=False)["aspect_ratio"]["organic pore"]
    assert (told["number"], told["cut"], told["small"]) == (2, 1, 1)


def test_touching_pores_are_parted_before_they_are_measured() -> None:
    voxels = np.ones((17, 17, 33), np.uint8)
    voxels[0, 0, 0] = 3
    z, y, x = np.mgrid[:17, :17, :33]
    for centre in (10, 22):
        voxels[(z - 8) ** 2 + (y - 8) ** 2 + (x - centre) ** 2 <= 36.5] = 2
    found = account(stack(voxels, voxel=(1e-8,) * 3), progress=False)
    assert found.measurements["connectivity"]["organic pore"]["number"] == 1
    assert found.pores["pores"]["organic pore"]["number"] == 2
    assert found["aspect_ratio"]["organic pore"]["median"] < 1.2


def test_profiles_connectivity_and_dimension_are_told_class_by_class(found: ShaleAccount) -> None:
    voxels, told = rods(), found.measurements
    for name, value in CLASSES.items():
        profile = told["profiles"][name]["z"]
        np.testing.assert_allclose(profile["porosity"], (voxels == value).mean(axis=(1, 2)))
        np.testing.assert_allclose(profile["position"], (np.arange(20) + 0.5) * 10e-9)
    assert told["connectivity"]["organic matter"]["percolates"] == {"z": True, "y": False, "x": True}
    assert told["connectivity"]["organic pore"]["number"] == 2
    assert set(told["fractal"]) == set(CLASSES)
    assert told["pore_space"]["porosity"]["pore_voxels"] == np.isin(voxels, (2, 3)).sum()


def test_without_organic_matter_the_reason_is_told() -> None:
    three = {"matrix": 0, "organic pore": 2, "inorganic pore": 3}
    voxels = np.where(rods() == 1, 0, rods())
    found = account(stack(voxels, three), progress=False)
    op = found["organic_porosity"]
    assert (op["value"], op["hosted"], op["notes"], found["om_content"]) == (None,) * 4
    assert op["bulk"] == 224 / 16000
    assert "no class of organic matter" in found["reasons"]["hosted"]
    assert set(found["reasons"]) == {"hosted", "notes", "om_content", "om_content_with_pores"}
    row = maturity_table([found]).to_pylist()[0]
    assert math.isnan(row["op_hosted"])
    assert row["op_bulk"] == op["bulk"]


def test_without_a_single_pore_shares_are_not_known_and_nothing_fails() -> None:
    voxels = np.zeros((6, 8, 8), np.uint8)
    voxels[:, :4] = 1
    found = account(stack(voxels), progress=False)
    assert found["organic_porosity"]["hosted"] == 0
    assert found["organic_share"] is None
    assert "zero" in found["reasons"]["organic_share"]
    assert found["aspect_ratio"]["organic pore"]["median"] is None
    assert "NaN" not in found.to_json()


@pytest.mark.parametrize("block", [(7, 5, 9), (16, 32, 16)])
def test_the_account_is_the_same_for_any_blocks(block: tuple[int, int, int]) -> None:
    truth = Shale((16, 48, 40), level="easy", seed=1).truth
    source = stack(truth.read(bigrock.geometry.Region.whole(truth.shape)))
    whole = account(source, progress=False).to_json()
    assert account(source, block=block, executor="serial", progress=False).to_json() == whole


def test_the_synthetic_shale_has_the_contents_of_its_level() -> None:
    found = account(Shale((24, 96, 96), level="hard", seed=2).truth, progress=False)
    assert 0.15 < found["om_content"] < 0.5
    assert found["organic_porosity"]["hosted"] > found["organic_porosity"]["bulk"] > 0
    ratios = found["aspect_ratio"]
    assert ratios["inorganic pore"]["volume_mean"] > ratios["organic pore"]["volume_mean"]


def test_three_classes_of_the_synthetic_shale_have_the_pores_of_the_four() -> None:
    rock = Shale((16, 48, 48), level="easy", seed=1)
    three, four = (account(ShaleTruth(rock, t), progress=False) for t in (True, False))
    assert three["porosity"] == four["porosity"]
    assert three["organic_share"] == four["organic_share"]


def test_files_hold_all_numbers_with_units(found: ShaleAccount, tmp_path: Path) -> None:
    found.to_csv(tmp_path / "rods.csv")
    with (tmp_path / "rods.csv").open(encoding="utf-8") as file:
        rows = {(r["measure"], r["quantity"]): r for r in csv.DictReader(file)}
    row = rows["shale", "volumes.organic_pore.volume"]
    assert (float(row["value"]), row["unit"]) == (pytest.approx(224 * 250e-27), "m³")
    assert rows["shale", "organic_porosity.hosted"]["unit"] == "fraction"
    told = json.loads(found.to_json(tmp_path / "rods.json"))
    assert told == json.loads((tmp_path / "rods.json").read_text())
    assert told["shale"]["organic_porosity"]["hosted"] == found["organic_porosity"]["hosted"]
    assert (told["sample"], told["depth_m"]) == ("rods", 2900.0)
    names = {p.name for p in found.to_parquet(tmp_path)}
    assert {"pores-organic_pore.pores.parquet", "measurements.parquet"} <= names
    assert "organic_porosity.notes" in str(found)


def test_maturity_tables_go_down_the_well(found: ShaleAccount, tmp_path: Path) -> None:
    other = account(stack(rods()[::-1].copy()), sample="upper", depth=2500.0, progress=False)
    nowhere = account(stack(rods()), sample="core", progress=False)
    table = maturity_table([nowhere, found, other], tmp_path / "maturity.csv")
    assert table["sample"].to_pylist() == ["upper", "rods", "core"]
    assert table["depth_m"].to_pylist() == [2500.0, 2900.0, None]
    with (tmp_path / "maturity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["op_hosted"]) == found["organic_porosity"]["hosted"]
    assert float(rows[1]["organic_matter_m3"]) == pytest.approx(7776 * 250e-27)


def test_what_is_missing_is_named_before_a_voxel_is_read() -> None:
    class Unreadable(bigrock.ArraySource):
        def read(self, region):
            raise AssertionError("nothing may be read")

    def refused(error: type[Exception], message: str, voxel=VOXEL, classes=CLASSES, **options) -> None:
        source = Unreadable(rods(), voxel, kind="labels", classes=classes)
        with pytest.raises(error, match=message):
            account(source, progress=False, **options)

    refused(VoxelSizeError, "no voxel size", voxel=None)
    refused(PhaseError, "no class table", classes={})
    refused(PhaseError, "organic_matter='kerogen' is not a class", organic_matter="kerogen")
    refused(PhaseError, "inorganic_pore='inorganic pore'", classes={"matrix": 0, "organic pore": 2})
    refused(PhaseError, "two roles", organic_pore="organic matter")
    refused(ParameterError, "no definition", organic_porosity="wet")


def test_values_outside_of_the_class_table_are_refused() -> None:
    voxels = rods()
    voxels[0, 0, :7] = 255
    with pytest.raises(PhaseError, match="7 of 16000 voxels"):
        account(stack(voxels), progress=False)


def test_a_table_of_no_stack_is_refused() -> None:
    with pytest.raises(ParameterError, match="no stack"):
        maturity_table([])
