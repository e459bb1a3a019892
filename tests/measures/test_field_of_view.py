"""Measures count only what lies inside of the field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from own_measure import Solidity, rock_mask

from bigrock.errors import ParameterError
from bigrock.kernels import Cylinder, GlobalOtsu, MaskField, Standardize
from bigrock.measures import MEASURES, measure
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class LeftHalf:
    """A field of view: x below a limit."""

    limit: int

    def inside(self, region):
        x = np.arange(region.start[2], region.stop[2])
        return (x < self.limit)[None, None]


@pytest.mark.parametrize("what", [["porosity", Solidity()], ["profiles"]])
def test_outside_the_field_of_view_nothing_counts(what):
    mask = rock_mask()
    field = LeftHalf(5)
    seen = measure(mask, what, field_of_view=field, block=(4, 4, 4), progress=False)
    cut = measure(np.ascontiguousarray(mask[..., :5]), what, progress=False)
    for name in cut:
        if name == "profiles":
            for axis in "zy":
                np.testing.assert_array_equal(seen[name][axis]["porosity"], cut[name][axis]["porosity"])
            np.testing.assert_array_equal(seen[name]["x"]["porosity"][:5], cut[name]["x"]["porosity"])
            assert np.isnan(seen[name]["x"]["porosity"][5:]).all()
        else:
            assert seen[name] == cut[name]
    assert seen.volume["field_of_view"] == {"name": "LeftHalf", "limit": 5}
    grey = np.random.default_rng(0).integers(0, 200, mask.shape).astype(np.uint8)
    seen = measure(grey, "histogram", field_of_view=field, block=(4, 4, 4), progress=False)
    assert seen["histogram"]["mean"] == grey[..., :5].mean()


@pytest.mark.parametrize("name", [n for n, m in MEASURES.items() if m.of == "phase"])
def test_a_field_of_view_without_a_voxel_is_refused(name):
    mask = np.eye(6, dtype=bool)[None].repeat(3, 0)
    nothing = MaskField(ArraySource(np.zeros(mask.shape, bool)))
    for field in (nothing, Cylinder(100, 3, 20), Cylinder(-1, 2, 0.9)):
        with pytest.raises(ParameterError, match="no voxel"):
            measure(mask, name, field_of_view=field, progress=False)


def test_a_cylinder_that_touches_one_voxel_holds_one_voxel_of_every_slice():
    mask = np.eye(6, dtype=bool)[None].repeat(3, 0)
    found = measure(mask, "porosity", pore=False, field_of_view=Cylinder(-1, 0, 1), progress=False)[
        "porosity"
    ]
    assert (found["voxels"], found["pore_voxels"]) == (3, 0)


def test_what_is_no_field_of_view_of_the_volume_is_refused_before_anything_is_read():
    mask = np.eye(6, dtype=bool)[None]
    other = MaskField(ArraySource(np.ones((1, 7, 7), bool)))
    for field in ("round", (3, 3, 2), mask, ArraySource(mask), other):
        with pytest.raises(ParameterError, match="field of view"):
            measure(mask, "porosity", field_of_view=field, progress=False)


def test_a_threshold_found_on_the_way_is_that_of_what_lies_inside_the_field_of_view():
    y, x = np.ogrid[:60, :60]
    field = Cylinder(30, 30, 25)
    outside = (y - 30) ** 2 + (x - 30) ** 2 > 625
    rock = np.random.default_rng(1).choice([100, 110, 190, 200], (5, 60, 60)).astype(np.uint8)
    rock[:, outside] = 0
    fitted = GlobalOtsu(field_of_view=field)
    for through, same in ((GlobalOtsu(), fitted), (Standardize() | GlobalOtsu(), None)):
        found = measure(rock, "porosity", through=through, field_of_view=field, progress=False)["porosity"]
        assert found["total"] == (rock[:, ~outside] < 150).mean()
        if same is not None:
            told = measure(rock, "porosity", through=same, field_of_view=field, progress=False)["porosity"]
            assert told == found
