"""Configuration files: strict, commented, and with errors that name the key."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from bigrock.errors import ConfigError
from bigrock.models import PAPER_SUPER_RESOLUTION, PAPER_SURROGATE
from bigrock.training import Augmentation, TrainingConfig
from bigrock.workflows import SegmentJob, SegmentSettings, load_config
from bigrock.workflows.permeability.network_settings import PermeabilityJob, PermeabilitySettings
from bigrock.workflows.segment_kernel import segmentation_kernel
from bigrock.workflows.shale.settings import ShaleJob, ShaleSettings

CONFIGS = Path(__file__).parents[2] / "configs"
MODELS: dict[str, type[BaseModel]] = {
    "segment": SegmentJob,
    "shale": ShaleJob,
    "permeability": PermeabilityJob,
}
DEFAULTS: dict[str, type[BaseModel]] = {
    "segment": SegmentSettings,
    "shale": ShaleSettings,
    "permeability": PermeabilitySettings,
}
FULL = [CONFIGS / f"{stem}.yaml" for stem in MODELS]
MINIMAL = "workflow: segment\nsource: core.tif\nfolder: out\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "job.yaml"
    path.write_text(text)
    return path


def keys_of(model: type[BaseModel]) -> list[tuple[str, ...]]:
    """Every dotted key of a model, sections and leaves."""
    found: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        found.append((name,))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += [(name, *rest) for rest in keys_of(field.annotation)]
    return found


def test_there_is_a_file_for_every_workflow_and_no_other() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {*MODELS, "permeability-paper"}


@pytest.mark.parametrize("path", FULL, ids=lambda p: p.name)
def test_every_shipped_file_loads_and_states_the_defaults(path: Path) -> None:
    job = load_config(path)
    assert job.settings == DEFAULTS[path.stem]()
    if not isinstance(job, PermeabilityJob):
        assert (job.overwrite, job.resume) == (False, True)


def test_the_shale_file_lists_every_key_of_the_training() -> None:
    training = yaml.safe_load((CONFIGS / "shale.yaml").read_text())["training"]
    assert set(training) == {field.name for field in fields(TrainingConfig)}
    assert set(training["augmentation"]) == {field.name for field in fields(Augmentation)}


def test_the_file_of_the_paper_names_its_networks() -> None:
    job = load_config(CONFIGS / "permeability-paper.yaml")
    assert job.super_resolution == PAPER_SUPER_RESOLUTION
    assert replace(job.surrogate, edge=256) == PAPER_SURROGATE
    assert (job.fine_tuning.learning_rate, job.fine_tuning.patience) == (1e-4, 30)


@pytest.mark.parametrize("path", FULL, ids=lambda p: p.name)
def test_every_key_stands_in_the_shipped_file_with_a_comment(path: Path) -> None:
    text = path.read_text()
    values = yaml.safe_load(text)
    lines = text.splitlines()
    for keys in keys_of(MODELS[path.stem]):
        part = values
        for key in keys:
            assert key in part, f"{'.'.join(keys)} is not in {path.name}"
            part = part[key]
        pattern = re.compile(rf"^{'  ' * (len(keys) - 1)}{keys[-1]}:")
        at = next(i for i, line in enumerate(lines) if pattern.match(line))
        above = lines[at - 1].lstrip().startswith("#")
        assert "#" in lines[at] or above or isinstance(part, dict), f"{'.'.join(keys)} has no comment"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("local_otsu: {radius: 0}", ["local_otsu.radius", "0", "greater than or equal to 1"]),
        ("local_otsu: {radius: '31'}", ["local_otsu.radius", "'31'", "valid integer"]),
        ("local_otsu: {raduis: 3}", ["local_otsu.raduis", "3", "did you mean radius", "min_contrast"]),
        ("local_otsu: {pore: black}", ["local_otsu.pore", "'black'", "dark or bright"]),
        ("standardise: slice", ["key standardise", "did you mean standardize"]),
        ("standardize: rows", ["key standardize", "'rows'", "auto, slice or none"]),
        ("scan: {voxel_size: '3'}", ["scan.voxel_size", "unit", "2.25 um"]),
        ("scan: {shape: [10, 10]}", ["scan.shape", "[10, 10]", "too few"]),
        ("measures: [permeability]", ["key measures", "permeability", "porosity"]),
        ("run: fast", ["key run", "'fast'", "executor"]),
        ("run: {backend: tpu}", ["run.backend", "'tpu'", "auto, cpu or gpu"]),
        ("run: {executor: 2.5}", ["run.executor", "2.5", "tcp://"]),
        ("overwrite: maybe", ["key overwrite", "'maybe'", "boolean"]),
    ],
)
def test_a_wrong_value_is_an_error_with_the_key_the_value_and_what_is_allowed(
    tmp_path: Path, lines: str, told: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(written(tmp_path, MINIMAL + lines))
    message = str(error.value)
    assert "job.yaml" in message
    assert [part for part in told if part not in message] == []


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(written(tmp_path, "workflow: segment\nlocal_otsu: {ndim: 4}\nsurprise: 1\n"))
    assert [
        key for key in ("source", "folder", "local_otsu.ndim", "surprise") if key not in str(error.value)
    ] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source: a\nfolder: b\n", "workflow: None"),
        ("workflow: shake\n", "'shake'"),
        ("- a\n- b\n", "no keys"),
        ("", "no keys"),
        ("workflow: [segment\n", "no YAML"),
        (MINIMAL + "folder: again\n", "twice, again in line 4"),
        (MINIMAL + "run:\n  ram: 1 GiB\n  ram: 2 GiB\n", "key ram is given twice"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_config(written(tmp_path, text))


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(("wanted", "given"), [("shale", "permeability"), ("permeability", "shale")])
def test_a_file_of_another_workflow_is_named_before_its_keys(wanted: str, given: str) -> None:
    with pytest.raises(ConfigError, match=f"another workflow, {given}. Use one with workflow: {wanted}"):
        load_config(CONFIGS / f"{given}.yaml", expected=wanted, nonsense=1)


def test_what_is_given_in_the_call_replaces_the_keys_of_the_file(tmp_path: Path) -> None:
    job = load_config(written(tmp_path, MINIMAL), source="other.tif", folder=None)
    assert (job.source, job.folder) == ("other.tif", "out")


def test_settings_become_the_kernel_that_they_name() -> None:
    import numpy as np

    import bigrock

    grey8 = bigrock.ArraySource(np.zeros((2, 2, 2), np.uint8))
    settings = SegmentSettings(standardize="slice", local_otsu={"radius": 5, "ndim": 3, "pore": "bright"})  # type: ignore[arg-type]
    standardize, otsu = segmentation_kernel(settings, grey8).stages  # type: ignore[attr-defined]
    assert standardize.per == "slice"
    assert (otsu.radius, otsu.ndim, otsu.pore) == (5, 3, "bright")
    assert otsu.min_contrast == settings.local_otsu.min_contrast
