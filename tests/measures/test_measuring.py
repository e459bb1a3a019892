"""`measure` end to end: numbers against numpy, one read, the same for any blocks, on real rock."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_measure import Solidity, rock_mask
from skimage.filters import threshold_otsu

from bigrock.engine.kernel import Kernel
from bigrock.errors import NonFiniteError, ParameterError, PhaseError
from bigrock.kernels import GlobalOtsu, Threshold
from bigrock.measures import MEASURES, PolarityWarning, measure
from bigrock.volumes import ArraySource, Region, create_volume

VOXEL = (2e-6, 3e-6, 4e-6)


def real_data(name: str) -> np.ndarray:
    tifffile = pytest.importorskip("tifffile")
    here = Path(os.environ.get("BIGROCK_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    if not (here / name).exists():
        pytest.skip(f"real data {name} is not under {here}; set BIGROCK_TEST_DATA")
    return tifffile.imread(here / name)


def test_porosity_is_the_fraction_of_pore_voxels():
    mask = rock_mask()
    porosity = measure(ArraySource(mask, voxel_size=VOXEL), ["porosity"])["porosity"]
    assert porosity["total"] == mask.mean()
    assert (porosity["pore_voxels"], porosity["voxels"]) == (mask.sum(), mask.size)
    assert porosity["bulk_volume"] == pytest.approx(mask.size * 24e-18)
    assert porosity["pore_volume"] == pytest.approx(mask.sum() * 24e-18)


def test_without_a_voxel_size_there_are_no_physical_volumes():
    porosity = measure(rock_mask(), "porosity")["porosity"]
    assert porosity["bulk_volume"] is None
    assert porosity["pore_volume"] is None


def test_profiles_are_the_porosity_of_every_slice():
    mask = rock_mask()
    profiles = measure(ArraySource(mask, voxel_size=VOXEL), "profiles", block=(4, 5, 6))["profiles"]
    for axis, name in enumerate("zyx"):
        others = tuple({0, 1, 2} - {axis})
        np.testing.assert_allclose(profiles[name]["porosity"], mask.mean(axis=others), rtol=1e-15)
        expected = (np.arange(mask.shape[axis]) + 0.5) * VOXEL[axis]
        np.testing.assert_allclose(profiles[name]["position"], expected)
        assert profiles[name]["mean"] == pytest.approx(mask.mean())
        assert profiles[name]["max"] == profiles[name]["porosity"].max()


def test_positions_are_slice_numbers_without_a_voxel_size():
    result = measure(rock_mask(), "profiles")
    assert result["profiles"]["y"]["position"].tolist() == list(range(11))
    assert result.units["profiles"]["position"] == "voxels"


def test_the_histogram_of_a_grey_volume_is_that_of_numpy():
    grey = np.random.default_rng(0).normal(100, 25, (9, 11, 13)).clip(0, 255).astype(np.uint8)
    result = measure(grey, "histogram", block=(4, 4, 4))["histogram"]
    values, counts = np.unique(grey, return_counts=True)
    np.testing.assert_array_equal(result["values"], values)
    np.testing.assert_array_equal(result["counts"], counts)
    assert result["otsu"] == threshold_otsu(grey)
    assert result["mean"] == pytest.approx(grey.mean())
    assert result["quantiles"]["0.5"] == np.quantile(grey, 0.5, method="inverted_cdf")


@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    block=st.tuples(*[st.integers(1, 12)] * 3),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_any_blocks_give_the_same_numbers(shape, block, seed):
    labels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    source = ArraySource(labels, VOXEL, "labels", {"pore": 2, "solid": 0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolarityWarning)
        results = [measure(source, block=b, progress=False).to_dict() for b in (block, shape)]
    assert results[0] == results[1]
    assert results[0]["porosity"]["pore_voxels"] == np.count_nonzero(labels == 2)


def test_all_measures_share_one_read():
    reads: list[Region] = []

    @dataclass(frozen=True, eq=False)
    class Counted(ArraySource):
        def read(self, region):
            reads.append(region)
            return super().read(region)

    source = Counted(np.ones((8, 8, 8), np.uint8), kind="labels", classes={"pore": 0})
    measure(source, ["histogram", "porosity", "profiles"], block=(4, 8, 8), executor="serial", progress=False)
    assert sum(r.voxels for r in reads) == 512


def test_the_pore_class_of_a_label_volume_is_measured():
    labels = np.random.default_rng(0).integers(0, 4, (6, 7, 8)).astype(np.uint16)
    source = ArraySource(labels, None, "labels", {"pore": 3, "quartz": 1, "organic": 2})
    assert measure(source, "porosity")["porosity"]["total"] == np.mean(labels == 3)
    assert measure(source, "porosity", pore="organic")["porosity"]["total"] == np.mean(labels == 2)
    both = measure(source, "porosity", pore=["pore", "organic"])["porosity"]["total"]
    assert both == np.mean(labels >= 2)


def test_the_solid_of_a_mask_can_be_measured():
    mask = ~rock_mask()
    assert measure(mask, "porosity", pore=False)["porosity"]["total"] == pytest.approx(1 - mask.mean())


def test_a_grey_volume_without_pore_is_refused_before_anything_is_read():
    class Unreadable(ArraySource):
        def read(self, region):
            raise AssertionError("was read")

    with pytest.raises(PhaseError, match="Threshold it first"):
        measure(Unreadable(np.zeros((4, 4, 4), np.uint8)), ["histogram", "porosity"])


def test_a_high_porosity_warns_and_names_the_polarity():
    mask = np.ones((4, 4, 4), bool)
    mask[0] = False
    with pytest.warns(
        PolarityWarning, match=r"0\.750 is over 0\.6.*mask value True was counted.*0\.250"
    ) as caught:
        measure(mask, "porosity")
    assert caught[0].filename == __file__
    labels = ArraySource(np.zeros((2, 2, 2), np.uint8), None, "labels", {"pore": 0})
    with pytest.warns(PolarityWarning, match="class 'pore' = 0 was counted"):
        measure(labels, "porosity")


def test_what_a_kernel_makes_is_measured_without_storing_it():
    rng = np.random.default_rng(0)
    mask = rng.random((8, 9, 10)) < 0.3
    grey = np.where(mask, rng.normal(50, 5, mask.shape), rng.normal(150, 5, mask.shape)).astype(np.uint8)
    for kernel in (Threshold(100), GlobalOtsu()):
        result = measure(grey, ["porosity", "profiles"], through=kernel, block=(3, 4, 5))
        assert result["porosity"]["pore_voxels"] == mask.sum()
        assert result.volume["through"]["name"] == type(kernel).__name__
        assert result.volume["kind"] == "mask"


def test_a_kernel_that_changes_the_size_is_refused():
    class Double(Kernel):
        scale = 2

        def __call__(self, array, block):
            raise AssertionError("was run")

    with pytest.raises(ParameterError, match="2 times longer"):
        measure(rock_mask(), "porosity", through=Double())


def test_unknown_and_missing_names_are_refused():
    with pytest.raises(
        ParameterError, match=r"'permeability' is not known. Use some of: histogram, porosity"
    ):
        measure(rock_mask(), ["porosity", "permeability"])
    with pytest.raises(ParameterError, match="no measure is named"):
        measure(rock_mask(), [])


def test_nan_in_a_grey_volume_is_refused_with_its_place():
    grey = np.zeros((4, 4, 4), np.float32)
    grey[1, 2, 3] = np.nan
    with pytest.raises(NonFiniteError, match=r"first at \(1, 2, 3\)"):
        measure(grey, "histogram", progress=False)


def test_a_measure_is_added_by_one_entry(monkeypatch):
    monkeypatch.setitem(MEASURES, "solidity", Solidity)
    mask = rock_mask()
    result = measure(mask, ["porosity", "solidity", "histogram"], block=(4, 4, 4))
    assert list(result) == ["porosity", "solidity", "histogram"]
    assert result["solidity"]["total"] == 1 - mask.mean()
    assert result["porosity"]["total"] == mask.mean()
    assert result["histogram"]["counts"].tolist() == [(~mask).sum(), mask.sum()]


def test_options_are_given_with_the_measure_and_may_not_contradict():
    mask = rock_mask()
    assert measure(mask, Solidity(limit=int(mask.sum())))["solidity"]["total"] == 1 - mask.mean()
    with pytest.raises(ParameterError, match="asked for twice"):
        measure(mask, [Solidity(1), Solidity(2)])


def test_classes_are_measured_one_by_one_in_one_read():
    labels = np.random.default_rng(3).integers(0, 4, (9, 10, 11)).astype(np.uint8)
    classes = {"pore": 0, "quartz": 1, "clay": 2, "pyrite": 3}
    counting = Counting(ArraySource(labels, VOXEL, "labels", classes))
    result = measure(counting, ["porosity", Solidity()], classes="all", block=(4, 4, 4), progress=False)
    assert {n: v["total"] for n, v in result["porosity"].items()} == {
        n: (labels == v).mean() for n, v in classes.items()
    }
    assert result["solidity"]["clay"]["total"] == 1 - (labels == 2).mean()
    units = {quantity: unit for _, quantity, _, unit in result.rows()}
    assert units["clay.pore_volume"] == "m³"
    assert counting.voxels == 2 * labels.size  # one read of what Solidity must know first, and the one read
    some = measure(counting, "porosity", classes=["clay", 0], progress=False)["porosity"]
    assert list(some) == ["clay", "pore"]
    with pytest.raises(ParameterError, match="both given"):
        measure(labels, "porosity", classes="all", pore=1)
    with pytest.raises(ParameterError, match="no part in measures of the values"):
        measure(labels, "histogram", classes="all")


def test_all_of_a_mask_is_pore_and_solid():
    mask = rock_mask()
    result = measure(mask, "porosity", classes="all", progress=False)["porosity"]
    assert result["pore"]["total"] + result["solid"]["total"] == 1


class Counting:
    """A source that counts the voxels read."""

    def __init__(self, source):
        self.source, self.voxels = source, 0

    def __getattr__(self, name):
        return getattr(self.source, name)

    def read(self, region):
        self.voxels += region.voxels
        return self.source.read(region)


def test_a_stored_volume_is_measured_by_its_path(tmp_path):
    mask = rock_mask((20, 20, 20))
    path = str(tmp_path / "mask.zarr")
    stored = create_volume(path, mask.shape, "bool", voxel_size=VOXEL)
    stored.write(Region.whole(mask.shape), mask)
    result = measure(path, "porosity", progress=False)
    assert result["porosity"]["total"] == mask.mean()
    assert result.volume["path"] == path
    assert result.volume["voxel_size_m"] == list(VOXEL)


def test_the_porosity_of_berea_is_the_published_one():
    berea = real_data("berea_400/berea_400_seg.tif")
    source = ArraySource(berea, (5.345e-6,) * 3, "labels", {"pore": 0, "grain": 255})
    result = measure(source, ["porosity", "profiles"], progress=False)
    assert result["porosity"]["total"] == pytest.approx(0.196, abs=0.001)
    assert result["porosity"]["total"] == np.count_nonzero(berea == 0) / berea.size
    profile = result["profiles"]["z"]["porosity"]
    np.testing.assert_allclose(profile, (berea == 0).mean(axis=(1, 2)))


def test_the_threshold_of_a_real_grey_scan_is_that_of_scikit_image():
    cement = real_data("qim3d_cement_128/cement_128x128x128.tif")
    result = measure(cement, "histogram", block=(50, 60, 70), progress=False)["histogram"]
    assert result["otsu"] == threshold_otsu(cement)
    assert result["mean"] == pytest.approx(cement.mean(), rel=1e-12)
    assert result["std"] == pytest.approx(cement.std(), rel=1e-12)
