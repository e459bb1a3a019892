"""Labels: Stokes flow by bigrock.flow, pore networks by PoreSpy and OpenPNM."""

from __future__ import annotations

import numpy as np
import pytest

from bigrock.datasets import make_rocks, rock
from bigrock.datasets.rock_labels import labeller
from bigrock.datasets.rock_labels_network import network_permeability


@pytest.fixture(scope="module")
def packages():
    pytest.importorskip("porespy", reason="PoreSpy is not installed: pip install 'bigrock[sim]'")
    pytest.importorskip("openpnm", reason="OpenPNM is not installed: pip install 'bigrock[sim]'")


def stokes(*axes: str):
    return labeller("stokes", axes, boundary="sealed", tolerance=1e-2)


def test_stokes_labels_are_in_squared_voxels_along_the_axes_that_are_asked_for():
    duct = np.zeros((12, 12, 24), bool)
    duct[2:10, 2:10] = True
    k = stokes("x", "y")(duct)
    # Poiseuille flow in a square duct of 8 voxels (White, Viscous fluid flow).
    assert k[2] == pytest.approx(0.03514 * 8**4 / 12**2, rel=0.08)
    assert k[1] == 0
    assert np.isnan(k[0])


def test_a_solve_that_did_not_converge_leaves_no_label(monkeypatch):
    import bigrock.flow

    solve = bigrock.flow.permeability

    def given_up(*given, **options):
        with pytest.warns(bigrock.flow.ConvergenceWarning):
            return solve(*given, **options, max_iterations=1)

    monkeypatch.setattr("bigrock.flow.permeability", given_up, raising=False)
    assert np.isnan(stokes("z")(rock(1, edge=16, family="pack", porosity=0.4))).all()


def test_a_network_that_does_not_percolate_has_no_permeability(packages):
    mask = np.zeros((24, 24, 24), bool)
    mask[:12, 8:16, 8:16] = True
    assert network_permeability(mask, ("z",)) == {"z": 0.0}


def test_a_network_gives_the_order_of_magnitude_of_a_duct(packages):
    # Two chambers joined by a square duct of 8 voxels: the duct's resistance is nearly all there is.
    mask = np.zeros((48, 24, 24), bool)
    mask[:8, 4:20, 4:20] = mask[-8:, 4:20, 4:20] = True
    mask[:, 8:16, 8:16] = True
    duct = 0.0351 * 8**4 / 24**2
    found = network_permeability(mask)["z"]
    assert 0.3 * duct < found < 3 * duct


def test_a_network_turns_with_its_rock(packages):
    mask = rock(2, edge=32, family="pack", porosity=0.35)
    found = network_permeability(mask, ("z", "x"))
    turned = network_permeability(np.moveaxis(mask, 2, 0), ("z",))
    assert found["x"] == pytest.approx(turned["z"], rel=1e-6)
    assert all(k > 0 for k in found.values())


def test_a_set_may_have_network_labels(packages, tmp_path):
    found = make_rocks(
        tmp_path / "r.zarr",
        count=2,
        edge=32,
        families=["pack"],
        labels="network",
        axes=("y",),
        progress=False,
        executor="serial",
    )
    assert (found.k_voxel2[:, 1] > 0).all()
    assert np.isnan(found.k_voxel2[:, [0, 2]]).all()
    assert found.provenance["labels"]["by"] == "network"
    assert "openpnm" in found.provenance["labels"]


def test_a_function_labels_the_axes_that_it_is_asked_for():
    how = labeller(lambda mask, axes: [2.0, 3.0], ("x", "z"), boundary="sealed", tolerance=1e-3)
    np.testing.assert_array_equal(how(np.ones((8, 8, 8), bool)), [3.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="shorter"):
        labeller(lambda mask, axes: [1.0], ("x", "z"), boundary="sealed", tolerance=1e-3)(np.ones((8,) * 3))
