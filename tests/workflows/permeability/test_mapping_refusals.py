"""What no permeability map is made of: each is refused with a reason, and leaves what is there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from coarse_cores import QUIET, VOXEL, coarse, core, mask

import bigrock
from bigrock.engine.kernel import Kernel
from bigrock.errors import (
    BundleError,
    NonFiniteError,
    ParameterError,
    PhaseError,
    ResumeError,
    SourceError,
    VolumeExistsError,
    VoxelSizeError,
)
from bigrock.geometry import Block
from bigrock.workflows.kernel_text import parse_kernel
from bigrock.workflows.permeability import map_permeability


@pytest.mark.parametrize(
    ("image", "voxel", "options", "error", "told"),
    [
        (mask(), None, {}, VoxelSizeError, "has no voxel size, and permeability needs one"),
        (mask(), (2e-6, 2e-6, 1e-6), {}, VoxelSizeError, "no cubes"),
        (np.ones((16,) * 3, np.float32), VOXEL, {}, PhaseError, "which value is pore is never guessed"),
        (np.ones((16,) * 3, np.uint8), VOXEL, {}, PhaseError, "which value is pore is never guessed"),
        (mask(), VOXEL, {"window": 0}, ParameterError, "window=0 and step=0 make no lattice"),
        (mask(), VOXEL, {"step": 0}, ParameterError, "window=16 and step=0 make no lattice"),
        (mask(), VOXEL, {"window": "16"}, ParameterError, "window='16' is no whole number"),
        (mask(), VOXEL, {"step": 8.0}, ParameterError, r"step=8\.0 is no whole number"),
        (mask(), VOXEL, {"rev_sample": None}, ParameterError, "rev_sample=None is no whole number"),
        (mask(), VOXEL, {"tolerance": "fine"}, ParameterError, "tolerance='fine' is not between 0 and 1"),
        (mask(), VOXEL, {"window": 64}, ParameterError, "larger than the volume"),
        (mask(), VOXEL, {"method": "surrogate"}, ParameterError, "without a surrogate"),
        (mask(), VOXEL, {"method": "magic"}, ParameterError, "method='magic' is not known"),
        (mask(), VOXEL, {"axes": "zw"}, ParameterError, "axes='zw' names no axes"),
        (mask(), VOXEL, {"threshold": 1.5}, ParameterError, "threshold=1.5"),
        (mask(), VOXEL, {"boundary": "open"}, ParameterError, "boundary='open' is not known"),
        (mask(), VOXEL, {"physics_sample": -1}, ParameterError, "physics_sample=-1"),
    ],
)
def test_what_cannot_be_mapped_is_refused_and_leaves_nothing(tmp_path, image, voxel, options, error, told):
    with pytest.raises(error, match=told):
        map_permeability(core(image, voxel), tmp_path / "map", **{"window": 16, **options, **QUIET})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("classes", [{}, {"clay": 0, "void": 3}, {"solid": 0, "pore": 3}])
def test_of_labels_it_is_told_how_a_class_becomes_a_mask(tmp_path, finer, classes):
    image = 3 * mask().astype(np.uint8)
    labels = bigrock.ArraySource(image, VOXEL, kind="labels", classes=classes)
    told = f"bigrock run LABELS MASK --kernel 'select-class value={classes.get('pore', 'VALUE')}'"
    for network in (None, finer):
        with pytest.raises(PhaseError, match=told):
            map_permeability(labels, tmp_path / "map", super_resolution=network, window=16, **QUIET)
    chosen = bigrock.run(parse_kernel("select-class value=3"), labels, "memory://pores.zarr", progress=False)
    found = map_permeability(chosen, tmp_path / "map", window=16, axes="z", rev_sample=0, **QUIET)
    assert found.windows["porosity"].mean() == mask().mean()


def test_a_surrogate_of_coarse_images_is_refused(tmp_path, finer, surrogate):
    coarse_one = dataclasses.replace(surrogate, training={**surrogate.training, "coarse_factor": 2})
    options = {"super_resolution": finer, "surrogate": [surrogate, coarse_one], **QUIET}
    with pytest.raises(BundleError, match="coarse images, whose voxels are 2 times longer"):
        map_permeability(coarse(), tmp_path / "map", **options)
    fine_one = dataclasses.replace(surrogate, training={**surrogate.training, "coarse_factor": 1})
    map_permeability(
        coarse(), tmp_path / "map", **options | {"surrogate": fine_one, "physics_sample": 0}, rev_sample=0
    )


@dataclasses.dataclass(frozen=True)
class AsItIs(Kernel):
    """A super-resolution by 1."""

    def __call__(self, array: np.ndarray, block: Block) -> np.ndarray:
        return array[block.trim]


def test_windows_before_one_that_cannot_be_read_stay_and_are_those_of_that_core(tmp_path):
    image = mask((64, 16, 16)).astype(np.float32)
    image[40, 8, 8] = np.nan
    how = {"super_resolution": AsItIs(), "window": 16, "axes": "z", "rev_sample": 0, **QUIET}
    with pytest.raises(NonFiniteError, match="Windows that were solved before stay in the folder"):
        map_permeability(core(image), tmp_path / "map", executor="serial", **how)
    assert (tmp_path / "map" / "windows.bin").stat().st_size > 0
    image[40, 8, 8] = 0
    with pytest.raises(ResumeError):
        map_permeability(core(image), tmp_path / "map", **how)
    map_permeability(core(image), tmp_path / "map", overwrite=True, **how)


def test_networks_for_something_else_are_refused(tmp_path, finer, surrogate):
    with pytest.raises(BundleError):
        map_permeability(coarse(), tmp_path / "map", super_resolution=surrogate, **QUIET)
    with pytest.raises(BundleError):
        map_permeability(core(mask()), tmp_path / "map", surrogate=finer, **QUIET)
    with pytest.raises(BundleError, match="no model bundle"):
        map_permeability(coarse(), tmp_path / "map", super_resolution=tmp_path / "nowhere", **QUIET)
    with pytest.raises(ParameterError, match="surrogate takes windows of 16"):
        map_permeability(core(mask()), tmp_path / "map", surrogate=surrogate, window=12, **QUIET)
    with pytest.raises(ParameterError, match="no multiple of the scale 2"):
        map_permeability(coarse(), tmp_path / "map", super_resolution=finer, window=16, step=5, **QUIET)
    assert not (tmp_path / "map").exists()


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        (np.nan, NonFiniteError, "NaN or infinity"),
        (210.0, SourceError, "grey levels from 0 to 210"),
        (1.9, SourceError, r"grey levels from 0 to 1\.9"),
        (-0.3, SourceError, r"grey levels from -0\.3 to 0"),
    ],
)
def test_pore_fractions_that_are_none_stop_the_map(tmp_path, finer, value, error, told):
    image = np.zeros((16, 16, 16), np.float32)
    image[8, 8, 8] = value
    options = {"super_resolution": finer, "window": 16, "rev_sample": 0, **QUIET}
    with pytest.raises(error, match=told):
        map_permeability(core(image), tmp_path / "map", executor="serial", **options)
    assert list(tmp_path.iterdir()) == []


def test_pore_fractions_may_overshoot_as_interpolation_does(tmp_path, finer):
    image = mask((16, 16, 16)).astype(np.float32)
    image[8, 8, 7:9] = -0.2, 1.2
    options = {"super_resolution": finer, "axes": "z", "window": 32, "rev_sample": 0, **QUIET}
    found = map_permeability(core(image), tmp_path / "map", **options)
    assert np.isfinite(found.k("z")).all()


def test_whole_numbers_need_the_levels_of_solid_and_pore(tmp_path, finer):
    fraction = coarse().array
    grey = core(np.rint(210 - 170 * fraction).astype(np.uint8), (4e-6,) * 3)
    options = {"super_resolution": finer, "window": 32, "axes": "z", "rev_sample": 0, **QUIET}
    with pytest.raises(ParameterError, match="value_range"):
        map_permeability(grey, tmp_path / "map", **options)
    found = map_permeability(grey, tmp_path / "map", value_range=(210, 40), **options)
    levels = core(((210 - grey.array.astype(np.float32)) / 170).astype(np.float32), (4e-6,) * 3)
    expected = map_permeability(levels, tmp_path / "same", **options)
    np.testing.assert_allclose(found.k("z"), expected.k("z"), rtol=1e-3)


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VolumeExistsError, match="other files"):
        map_permeability(core(mask()), tmp_path, window=16, **QUIET)
    with pytest.raises(ParameterError, match="is a URL"):
        map_permeability(core(mask()), "s3://bucket/map", window=16, **QUIET)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
