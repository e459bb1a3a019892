"""Settings of the shale workflows, with every default."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator

from bigrock.errors import ParameterError
from bigrock.models import CPU_FEATURES, SegmentationConfig
from bigrock.training import Augmentation, TrainingConfig
from bigrock.workflows.settings import ImportSettings, ReportSettings, RunSettings, Section, Settings

__all__ = [
    "AccountSettings",
    "CleanUpSettings",
    "FewSliceSettings",
    "NetworkSettings",
    "SelectionSettings",
    "ShaleJob",
    "ShaleSettings",
]


def _training(value: Any) -> TrainingConfig:
    """Return how to train, from what a file says of it."""
    if isinstance(value, TrainingConfig):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not allowed, it must be a section such as max_epochs: 60.")
    given = dict(value)
    _refuse_unknown(given, TrainingConfig)
    varied = given.get("augmentation")
    if isinstance(varied, Mapping):
        _refuse_unknown(varied, Augmentation)
        given["augmentation"] = Augmentation(**varied)
    try:
        return TrainingConfig(**given)
    except TypeError as error:
        raise ValueError(f"{value!r} is not allowed ({error}).") from error


def _refuse_unknown(given: Mapping[str, Any], kind: type[Any]) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    for name in given:
        if name not in known:
            raise ValueError(
                f"{name!r} would be ignored, there is no such key. Use some of: {', '.join(known)}."
            )


class NetworkSettings(Section):
    """What the network is made of; see `bigrock.models.SegmentationConfig`.

    Attributes
    ----------
    neighbours : int
        2.5-D: slices on each side that are given as further channels.
    features : tuple of int
        Channels at each level.
    architecture : {"dynunet", "basicunet"}
        Which of MONAI's U-Nets.
    norm : {"batch", "none"}
        Normalisation that leaves no seams.
    standardize : {"slice", "volume", "none"}
        What is brought to mean 0 and deviation 1.

    Examples
    --------
    >>> NetworkSettings(neighbours=1).made({"solid": 0, "pore": 1}).channels
    3
    """

    neighbours: int = Field(default=0, ge=0)
    features: Annotated[tuple[int, ...], Field(strict=False)] = CPU_FEATURES
    architecture: Literal["dynunet", "basicunet"] = "dynunet"
    norm: Literal["batch", "none"] = "batch"
    standardize: Literal["slice", "volume", "none"] = "slice"

    def made(self, classes: Mapping[str, int]) -> SegmentationConfig:
        """Return the configuration of a network for these classes."""
        return SegmentationConfig(classes, **self.model_dump())


class CleanUpSettings(Section):
    """What is done to the labels after the network.

    Attributes
    ----------
    majority : int
        Slices above and below that have a vote on each voxel; 0 leaves the labels as they are.
    min_pore_voxels : int
        Pores with fewer voxels, counted over the whole stack, become what hosts them; 0 keeps them all.

    Examples
    --------
    >>> CleanUpSettings().needed
    False
    """

    majority: int = Field(default=0, ge=0)
    min_pore_voxels: int = Field(default=0, ge=0)

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.majority or self.min_pore_voxels)


class SelectionSettings(Section):
    """Which slices are annotated; see `bigrock.workflows.shale.select_slices`.

    Attributes
    ----------
    training, test : int
        How many slices to train on, and to score at the end; two more choose the weights.
    apart : int or None
        Slices between these and the training slices at least; None: a tenth of the interval.

    Examples
    --------
    >>> SelectionSettings(training=8).test
    5
    """

    training: int = Field(default=6, ge=1)
    test: int = Field(default=5, ge=0)
    apart: int | None = Field(default=None, ge=1)


class FewSliceSettings(Settings):
    """Settings of `segment_from_slices`.

    Attributes
    ----------
    selection : SelectionSettings
        How many slices have which part; `training` is replaced by the argument ``slices``.
    network : NetworkSettings
        The network.
    training : TrainingConfig
        How it is trained; in a file a section with its fields.
    pores : tuple of str or None
        Classes that are pores; None: those with "pore" in their names.
    clean_up : CleanUpSettings
        What is done to the labels.
    baselines : bool
        Segment the test slices by a random forest and by local Otsu as well, to compare with.
    run : RunSettings
        Executor, memory, blocks.

    Examples
    --------
    >>> FewSliceSettings(training={"max_epochs": 5}).training.max_epochs
    5
    """

    selection: SelectionSettings = SelectionSettings()
    network: NetworkSettings = NetworkSettings()
    training: Annotated[Any, PlainValidator(_training)] = TrainingConfig()
    pores: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    clean_up: CleanUpSettings = CleanUpSettings()
    baselines: bool = False
    run: RunSettings = RunSettings()

    def pore_names(self, classes: Mapping[str, int]) -> tuple[str, ...]:
        """Return the classes that are pores."""
        if self.pores is None:
            return tuple(name for name in classes if "pore" in name.lower())
        unknown = [name for name in self.pores if name not in classes]
        if unknown:
            raise ParameterError(
                f"pores names {', '.join(unknown)}, and the classes are {', '.join(classes)}. Use these."
            )
        return self.pores

    @field_validator("pores")
    @classmethod
    def _some(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and len(set(names)) < len(names):
            raise ValueError(f"{names} names a class twice.")
        return names


class AccountSettings(Section):
    """What is said of the pores; see `bigrock.workflows.shale.account`.

    Attributes
    ----------
    organic_porosity : {"hosted", "bulk", "notes"}
        Which definition is the headline; all three are given.
    pores_count_as_om : bool
        Whether the content of organic matter includes its pores.
    min_pore_voxels : int
        Smaller pores have no aspect ratio.
    depth : str or None
        Where the sample comes from, such as "2310 m".

    Examples
    --------
    >>> AccountSettings().organic_porosity
    'hosted'
    """

    organic_porosity: Literal["hosted", "bulk", "notes"] = "hosted"
    pores_count_as_om: bool = False
    min_pore_voxels: int = Field(default=20, ge=1)
    depth: str | None = None


SHALE_CLASSES = {"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3}
"""The classes of a shale; the third and the fourth are the pores of the accounting."""


class ShaleSettings(FewSliceSettings):
    """Settings of the whole shale job, `bigrock.workflows.shale.run_shale`.

    Attributes
    ----------
    scan : ImportSettings
        How the stack is read.
    classes : dict of str to int
        The class table of the labels.
    quality : bool
        Look for lost, doubled, shifted and striped slices first.
    account : AccountSettings
        Organic porosity and the rest of the accounting.
    report : ReportSettings
        The page.

    Examples
    --------
    >>> ShaleSettings(selection={"training": 4}).selection.training
    4
    """

    scan: ImportSettings = ImportSettings()
    classes: dict[str, int] = SHALE_CLASSES
    quality: bool = True
    account: AccountSettings = AccountSettings()
    report: ReportSettings = ReportSettings()


class ShaleJob(ShaleSettings):
    """A configuration file of the shale workflow: its settings, what it reads, where it writes.

    Attributes
    ----------
    workflow : {"shale"}
        What the file is for.
    source : str
        The stack.
    labels : str or None
        A label volume, or a folder of annotated slices; None: the folder of the job is asked to hold them.
    folder : str
        Where everything goes.
    overwrite, resume : bool
        Replace what an earlier job of other settings left; continue an interrupted one.

    Examples
    --------
    >>> ShaleJob(workflow="shale", source="stack.tif", folder="shale").labels is None
    True
    """

    workflow: Literal["shale"]
    source: str
    folder: str
    labels: str | None = None
    overwrite: bool = False
    resume: bool = True

    @property
    def settings(self) -> ShaleSettings:
        """The settings alone."""
        return ShaleSettings(**{name: getattr(self, name) for name in ShaleSettings.model_fields})
