from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from bigrock.errors import NonFiniteError, ParameterError
from bigrock.geometry import Region
from bigrock.volumes import ArraySource
from bigrock.volumes.formats import Converted, Cropped, FiniteSource, open_source
from bigrock.volumes.source import Source, facts_of

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
WHOLE = Region.whole(GREY.shape)


def test_a_crop_is_a_slice_of_the_source() -> None:
    crop = Cropped(ArraySource(GREY, (3e-6, 2e-6, 1e-6)), Region((1, 2, 3), (8, 7, 6)))
    assert isinstance(crop, Source)
    assert crop.shape == (7, 5, 3)
    np.testing.assert_array_equal(crop.read(Region((2, 0, 1), (7, 4, 3))), GREY[3:8, 2:6, 4:6])
    assert crop.voxel_size == (3e-6, 2e-6, 1e-6)
    with pytest.raises(ParameterError, match="not inside the crop"):
        crop.read(Region((0, 0, 0), (8, 1, 1)))
    with pytest.raises(ParameterError, match="not inside the source"):
        Cropped(ArraySource(GREY), Region((0, 0, 0), (10, 1, 1)))


def test_a_crop_shrinks_the_read_unit_to_its_own_size(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=GREY, chunks=(4, 7, 8))
    crop = Cropped(open_source(tmp_path / "a.h5"), Region((0, 0, 0), (9, 2, 8)))
    assert crop.read_unit == (4, 2, 8)


@pytest.mark.parametrize("to", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_scaling_fills_the_range_of_the_type_and_clips(to: str) -> None:
    values = np.array([[[-1.0, 0.0, 0.25, 0.5, 1.0, 2.0]]])
    limits = np.iinfo(to)
    got = Converted(ArraySource(values), to, scale=(0.0, 1.0)).read(Region.whole(values.shape)).ravel()
    assert got.dtype == np.dtype(to)
    assert got[0] == got[1] == limits.min
    exact = [limits.min + (limits.max - limits.min) * q // 4 for q in (1, 2)]
    assert abs(int(got[2]) - exact[0]) <= 1 + limits.max // 2**52
    assert abs(int(got[3]) - exact[1]) <= 1 + limits.max // 2**52
    assert got[4] == got[5] >= limits.max - limits.max // 2**52


def test_scaling_rounds_half_to_even() -> None:
    values = np.arange(0, 511, dtype="u2")[None, None]
    got = Converted(ArraySource(values), "u1", scale=(0, 510)).read(Region.whole(values.shape))
    np.testing.assert_array_equal(got, np.rint(values / 2))


def test_scaling_to_floating_point_gives_0_to_1() -> None:
    got = Converted(ArraySource(GREY), "f4", scale=(0, 4000)).read(WHOLE)
    np.testing.assert_array_equal(got, (GREY / 4000).astype("f4"))


def test_blocks_convert_like_the_whole() -> None:
    source = Converted(ArraySource(GREY), "u1", scale=(100, 3000))
    whole = source.read(WHOLE)
    box = Region((2, 1, 3), (7, 6, 8))
    np.testing.assert_array_equal(source.read(box), whole[box.slices])


def test_pore_value_gives_a_mask() -> None:
    mask = Converted(ArraySource(GREY % 3), bool, pore=2)
    np.testing.assert_array_equal(mask.read(WHOLE), GREY % 3 == 2)
    assert facts_of(mask).kind == "mask"
    for wrong in ({"to": bool}, {"to": "u1", "pore": 0}, {"to": bool, "pore": 0, "scale": (0, 1)}):
        with pytest.raises(ParameterError):
            Converted(ArraySource(GREY), **wrong)


@pytest.mark.parametrize("to", ["u2", "i4", "u4", "i8", "f4", "f8"])
def test_a_plain_cast_that_loses_nothing_is_done(to: str) -> None:
    got = Converted(ArraySource(GREY), to).read(WHOLE)
    np.testing.assert_array_equal(got, GREY)
    assert got.dtype == np.dtype(to)


@pytest.mark.parametrize(
    ("values", "to"),
    [
        (np.array([1, 256]), "u1"),
        (np.array([1, -1]), "u2"),
        (np.array([1.0, 1.5]), "u1"),
        (np.array([1.0, 1e300]), "f4"),
        (np.array([1, 2**63], "u8"), "i8"),
        (np.array([1, 2**53 + 1]), "f8"),
        (np.array([1.0, np.nan]), "u1"),
    ],
)
def test_a_plain_cast_that_would_change_a_value_names_it(values: np.ndarray, to: str) -> None:
    source = Converted(ArraySource(values[None, None]), to)
    with pytest.raises(ParameterError, match=r"at voxel \(0, 0, 1\).*scale=\(low, high\)"):
        source.read(Region((0, 0, 0), (1, 1, 2)))


def test_a_refused_value_is_placed_in_the_whole_volume() -> None:
    values = GREY.copy()
    values[5, 6, 7] = 60000
    with pytest.raises(ParameterError, match=r"60000 at voxel \(5, 6, 7\)"):
        Converted(ArraySource(values), "i2").read(Region((4, 5, 6), (6, 7, 8)))


@pytest.mark.parametrize("scale", [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_a_scale_that_is_no_range_is_refused(scale: tuple) -> None:
    with pytest.raises(ParameterError, match="increasing pair"):
        Converted(ArraySource(GREY), "u1", scale=scale)


def test_nan_and_infinity_are_counted_and_the_first_is_placed(tmp_path: Path) -> None:
    values = GREY.astype("f4")
    np.save(tmp_path / "a.npy", values)
    source = open_source(tmp_path / "a.npy")
    assert isinstance(source, FiniteSource)
    np.testing.assert_array_equal(source.read(WHOLE), values)
    values[4, 3, 2], values[5, 0, 0], values[0, 0, 0] = np.nan, -np.inf, np.inf
    np.save(tmp_path / "a.npy", values)
    source = open_source(tmp_path / "a.npy")
    with pytest.raises(NonFiniteError, match=r"2 of 448 voxels.*first at voxel \(4, 3, 2\)"):
        source.read(Region((1, 0, 0), (9, 7, 8)))
    source.read(Region((6, 0, 0), (9, 7, 8)))
    assert np.isnan(open_source(tmp_path / "a.npy", finite=False).read(WHOLE)).any()


def test_views_are_picklable_and_part_of_the_identity(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GREY)
    source = open_source(tmp_path / "a.npy")
    views = [
        source,
        Cropped(source, Region((0, 0, 0), (2, 2, 2))),
        Cropped(source, Region((0, 0, 0), (2, 2, 3))),
        Converted(source, "u1", scale=(0, 4000)),
        Converted(source, "u1", scale=(0, 4001)),
        Converted(source, bool, pore=0),
        Converted(source, "i4"),
    ]
    identities = [str(view.identity()) for view in views]
    assert len(set(identities)) == len(views)
    assert [str(pickle.loads(pickle.dumps(view)).identity()) for view in views] == identities


def test_views_keep_kind_and_classes() -> None:
    labels = ArraySource(GREY % 3, None, "labels", {"pore": 0})
    crop = Cropped(labels, Region((0, 0, 0), (2, 2, 2)))
    assert facts_of(crop) == facts_of(Cropped(FiniteSource(labels), Region((0, 0, 0), (2, 2, 2))))
    assert facts_of(crop).classes == {"pore": 0}
    assert facts_of(Converted(crop, "u1")).classes == {"pore": 0}
    assert facts_of(Converted(crop, "u1", scale=(0, 2))).kind == "grey"
