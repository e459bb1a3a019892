"""Out to a painter and back: what is painted comes back, and what went wrong on the way is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from bigrock import ArraySource
from bigrock.datasets import Shale
from bigrock.engine.through import Through
from bigrock.errors import (
    NonFiniteError,
    ParameterError,
    PhaseError,
    SliceStackError,
    VolumeExistsError,
    VoxelSizeError,
)
from bigrock.geometry import Region
from bigrock.kernels import LocalOtsu
from bigrock.workflows.shale import export_annotation, import_annotation, select_slices
from bigrock.workflows.shale.annotation_files import class_table, colours_of, legend_text
from bigrock.workflows.shale.annotation_prelabels import PrelabelSettings, prelabels

SHALE = Shale((24, 128, 112), level="easy", seed=1)
OPTIONS = {"radius": 15, "progress": False}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    choice = select_slices(24, 3, voxel_size=SHALE.voxel_size, test=1)
    return export_annotation(SHALE, tmp_path_factory.mktemp("a") / "out", slices=choice, **OPTIONS).folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "painted"))


def labels_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("slice_*_labels.*"))


def test_what_was_not_touched_comes_back_as_it_was(folder: Path):
    found = import_annotation(folder, stack=SHALE)
    assert tuple(found) == select_slices(24, 3, voxel_size=SHALE.voxel_size, test=1).slices
    assert found.total.share == 0
    assert found.classes == class_table(4)
    assert found.voxel_size == SHALE.voxel_size
    assert set(found.roles.values()) == {"train", "validation", "test"}
    assert set(found.of_role("train")) == {6, 12, 18}
    for z, labels in found.items():
        assert (labels.dtype, labels.shape) == (np.uint8, (128, 112))
        np.testing.assert_array_equal(tifffile.imread(folder / f"slice_{z:05d}_labels.tif"), labels)


def test_the_grey_pictures_are_the_slices_with_their_pixel_size(folder: Path):
    grey = tifffile.imread(folder / "slice_00012_grey.tif")
    np.testing.assert_array_equal(grey, SHALE.read(Region((12, 0, 0), (13, 128, 112)))[0])
    with tifffile.TiffFile(folder / "slice_00012_grey.tif") as file:
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["unit"] == "nm"
        assert file.pages[0].tags["XResolution"].value == (1, 5)


def test_labels_to_begin_with_are_far_better_than_local_otsu_alone():
    rock = SHALE.truth
    truth = np.stack([rock.read(Region((z, 0, 0), (z + 1, 128, 112)))[0] for z in (6, 12, 18)])
    made = prelabels(SHALE, (6, 12, 18), class_table(4), PrelabelSettings(radius=15), progress=False)
    begun = np.stack(list(made.values()))
    plain = LocalOtsu(15, min_contrast=0.5, min_pore_fraction=0.05).fit(SHALE, progress=False)
    mask = np.stack([Through(SHALE, plain).read(Region((z, 0, 0), (z + 1, 128, 112)))[0] for z in made])

    def iou(a, b):
        return (a & b).sum() / (a | b).sum()

    assert iou(begun >= 2, truth >= 2) > 1.5 * iou(mask, truth >= 2)
    assert iou(begun == 1, truth == 1) > 0.5


def test_the_share_of_changed_pore_pixels_is_counted(folder: Path):
    path = folder / "slice_00012_labels.tif"
    before = tifffile.imread(path)
    after = before.copy()
    pores = np.argwhere(before >= 2)
    for y, x in pores[:7]:
        after[y, x] = 0
    matrix = np.argwhere(before == 0)
    after[tuple(matrix[:3].T)] = 2
    after[tuple(matrix[3:40].T)] = 1
    after[tuple(pores[-5:].T)] = 255
    tifffile.imwrite(path, after)
    found = import_annotation(folder)
    changed = found.changed[12]
    assert changed.pores_changed == 10
    assert changed.pores == len(pores) + 3 - 5
    assert changed.share == 10 / changed.pores
    assert changed.annotated == before.size - 5
    assert found.total.pores_changed == 10
    assert found.total.pores == sum(c.pores for c in found.changed.values())
    json.dumps(found.to_dict(), allow_nan=False)


def test_partly_painted_slices_are_taken(folder: Path):
    path = labels_of(folder)[0]
    labels = tifffile.imread(path)
    labels[:100] = 255
    tifffile.imwrite(path, labels)
    found = import_annotation(folder)
    assert (found[next(iter(found))] == 255).sum() == 100 * 112


def saved_as(path: Path, labels: np.ndarray, how: str) -> None:
    """What painters do to a picture."""
    colours = colours_of(class_table(4))
    path.unlink()
    if how == "int64 tiff":
        tifffile.imwrite(path, labels.astype(np.int64))
    elif how == "float tiff with an axis":
        tifffile.imwrite(path, labels[None].astype(np.float32))
    elif how == "grey png":
        Image.fromarray(labels).save(path.with_suffix(".png"))
    elif how == "palette png sorted anew":
        order = np.array([3, 1, 0, 2], np.uint8)
        picture = Image.fromarray(order[labels])
        picture.putpalette([c for v in np.argsort(order) for c in colours[int(v)]])
        picture.save(path.with_suffix(".png"))
    else:
        rgb = np.zeros((*labels.shape, 4 if how == "rgba png" else 3), np.uint8)
        for value, colour in colours.items():
            rgb[labels == value] = (*colour, 255)[: rgb.shape[2]]
        if how == "rgba png":
            Image.fromarray(rgb).save(path.with_suffix(".png"))
        else:
            tifffile.imwrite(path, rgb, photometric="rgb")


@pytest.mark.parametrize(
    "how",
    ["int64 tiff", "float tiff with an axis", "grey png", "palette png sorted anew", "rgba png", "rgb tiff"],
)
def test_labels_come_back_whatever_the_painter_saves(folder: Path, how: str):
    path = folder / "slice_00012_labels.tif"
    labels = tifffile.imread(path)
    saved_as(path, labels, how)
    np.testing.assert_array_equal(import_annotation(folder)[12], labels)


@pytest.mark.parametrize("classes", [2, 3, {"matrix": 0, "pore": 1, "pyrite": 2}])
def test_labels_are_written_as_png_with_other_class_tables(tmp_path: Path, classes):
    done = export_annotation(SHALE, tmp_path / "out", slices=[3, 9], classes=classes, format="png", **OPTIONS)
    assert [p.suffix for p in labels_of(done.folder)] == [".png", ".png"]
    picture = Image.open(done.folder / "slice_00003_labels.png")
    assert picture.mode == "P"
    assert picture.getpalette()[:3] == [178, 178, 178]
    assert done.shares[3]["matrix"] > 0.5
    if "pyrite" in done.classes:
        with pytest.raises(PhaseError, match="no pixel of any slice is 'pyrite'"):
            import_annotation(done.folder)
    else:
        assert len(import_annotation(done.folder)) == 2


def test_wide_grey_values_are_written_as_16_bits(tmp_path: Path):
    volume = SHALE.read(Region.whole(SHALE.shape)).astype(np.float32) / 100
    source = ArraySource(volume, voxel_size=SHALE.voxel_size)
    done = export_annotation(source, tmp_path / "out", slices=[3, 9], **OPTIONS)
    grey = tifffile.imread(done.folder / "slice_00003_grey.tif")
    low, high = json.loads((done.folder / "manifest.json").read_text())["grey_levels"]
    np.testing.assert_allclose(grey / 65535 * (high - low) + low, volume[3], atol=1e-4)
    assert import_annotation(done.folder, stack=source).total.share == 0


def test_the_legend_names_every_value():
    lines = legend_text(class_table(4)).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["0", "1", "2", "3", "255"]
    many = {"matrix": 0, "pore": 1} | {f"mineral {k}": k for k in range(2, 200)}
    assert len(set(colours_of(many).values())) == 201


def replaced(path: Path, change) -> None:
    labels = tifffile.imread(path)
    path.unlink()
    tifffile.imwrite(path, change(labels))


def set_pixel(value):
    def change(labels):
        labels[4, 5] = value
        return labels

    return change


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda f: replaced(labels_of(f)[0], lambda a: a[:-1]), SliceStackError, r"has shape \(127, 112\)"),
        (lambda f: replaced(labels_of(f)[0], lambda a: a.T), SliceStackError, "without scaling"),
        (lambda f: replaced(labels_of(f)[0], set_pixel(9)), PhaseError, r"9 \(1 pixels\)"),
        (
            lambda f: replaced(labels_of(f)[0], lambda a: np.full_like(a, 255)),
            ParameterError,
            "no pixel is annotated",
        ),
        (lambda f: labels_of(f)[0].rename(f / "mine.tif"), SliceStackError, r"missing .* mine\.tif"),
        (lambda f: labels_of(f)[0].unlink(), SliceStackError, "is missing"),
        (
            lambda f: shutil.copy(labels_of(f)[0], labels_of(f)[0].with_suffix(".png")),
            SliceStackError,
            "both",
        ),
        (lambda f: labels_of(f)[0].write_bytes(b"no picture"), SliceStackError, "cannot be read"),
        (
            lambda f: sorted(f.glob("*grey*"))[0].write_bytes(b"no picture"),
            SliceStackError,
            "not the picture",
        ),
        (lambda f: (f / "manifest.json").unlink(), ParameterError, "no readable manifest"),
        (lambda f: (f / "manifest.json").write_text("{}"), ParameterError, "not of an annotation"),
        (
            lambda f: replaced(sorted(f.glob("*grey*"))[0], lambda a: a[::-1]),
            SliceStackError,
            "not the picture",
        ),
        (
            lambda f: [replaced(p, lambda a: np.where(a == 2, 3, a)) for p in labels_of(f)],
            PhaseError,
            "'organic pore'",
        ),
        (
            lambda f: replaced(
                labels_of(f)[0], lambda a: np.stack([a, a, a], axis=-1).astype(np.uint8) + np.uint8(7)
            ),
            PhaseError,
            "colours that are not in the legend",
        ),
    ],
)
def test_what_went_wrong_on_the_way_is_told(folder: Path, change, error, told):
    change(folder)
    with pytest.raises(error, match=told):
        import_annotation(folder)


def test_labels_of_another_stack_are_refused(folder: Path):
    with pytest.raises(SliceStackError, match="not those of"):
        import_annotation(folder, stack=Shale(SHALE.shape, level="easy", seed=2))
    with pytest.raises(SliceStackError, match="not those of"):
        import_annotation(folder, stack=Shale((23, 128, 112), level="easy", seed=1))


NAN = np.full((8, 40, 40), 5, np.float32)
NAN[2, 3, 4] = np.nan
GREY = np.random.default_rng(0).integers(0, 255, (8, 40, 40), np.uint8)
VOXEL = (1e-8, 5e-9, 5e-9)


@pytest.mark.parametrize(
    ("source", "settings", "error", "told"),
    [
        (ArraySource(GREY), {"slices": [1]}, VoxelSizeError, "no voxel size"),
        (ArraySource(GREY, VOXEL), {"slices": [8]}, ParameterError, "stack of 8"),
        (ArraySource(GREY, VOXEL), {"slices": []}, ParameterError, "stack of 8"),
        (ArraySource(GREY, VOXEL), {"slices": [1, 1]}, ParameterError, "twice"),
        (ArraySource(GREY, VOXEL), {"slices": [1], "classes": 5}, PhaseError, "classes=5"),
        (ArraySource(GREY, VOXEL), {"slices": [1], "classes": {"a": 0, "b": 1}}, PhaseError, "no pore"),
        (ArraySource(GREY, VOXEL), {"slices": [1], "classes": {"a": 0, "pore": 2}}, PhaseError, "0, 1, 2"),
        (ArraySource(GREY, VOXEL), {"slices": [1], "shell": 4}, ParameterError, "shell=4"),
        (ArraySource(GREY, VOXEL), {"slices": [1], "format": "jpg"}, ParameterError, "jpg"),
        (ArraySource(GREY > 9, VOXEL), {"slices": [1]}, PhaseError, "mask"),
        (ArraySource(NAN, VOXEL), {"slices": [1]}, NonFiniteError, "NaN"),
    ],
)
def test_nothing_is_written_where_the_input_is_wrong(tmp_path: Path, source, settings, error, told):
    with pytest.raises(error, match=told):
        export_annotation(source, tmp_path / "out", **{**OPTIONS, **settings})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_hold_hours_of_painting_is_left_alone(folder: Path):
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(VolumeExistsError, match="hours of painting"):
        export_annotation(SHALE, folder, slices=[1], **OPTIONS)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_real_stack_is_exported(shared_data: Path, tmp_path: Path):
    stack = tifffile.imread(shared_data / "fibsem_flyem" / "grey_140x400x400_u8.tif")[:12, :160, :160]
    source = ArraySource(stack, voxel_size=(1e-8, 1e-8, 1e-8))
    done = export_annotation(source, tmp_path / "out", slices=[2, 9], **OPTIONS)
    np.testing.assert_array_equal(tifffile.imread(done.folder / "slice_00002_grey.tif"), stack[2])
