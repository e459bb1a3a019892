"""Settings of the shale workflows, with every default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bigrock.errors import ParameterError
from bigrock.training import TrainingConfig
from bigrock.workflows.settings import ImportSettings, ReportSettings, RunSettings, Section, Settings
from bigrock.workflows.shale.annotation_files import pore_names
from bigrock.workflows.shale.network_settings import NetworkSettings, TrainingSettings

__all__ = [
    "AccountSettings",
    "CleanUpSettings",
    "FewSliceSettings",
    "SelectionSettings",
    "ShaleJob",
    "ShaleSettings",
    "SweepSettings",
]


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
    diverse : bool
        Offer a painter training slices by their texture, not at equal intervals.
    slices : dict of str to tuple of int, or None
        The slices themselves, in place of the above: for "training", "validation" and "test".

    Examples
    --------
    >>> SelectionSettings(training=8).test
    5
    """

    training: int = Field(default=6, ge=1)
    test: int = Field(default=5, ge=0)
    apart: int | None = Field(default=None, ge=1)
    diverse: bool = False
    slices: dict[str, Annotated[tuple[int, ...], Field(strict=False)]] | None = None

    @property
    def wanted(self) -> int | dict[str, tuple[int, ...]]:
        """What `segment_from_slices` takes: how many training slices, or which slices for what."""
        return self.training if self.slices is None else self.slices


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
        Classes that are pores; None: those whose names end in "pore" or "pores".
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
    training: TrainingSettings = TrainingConfig()
    pores: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    clean_up: CleanUpSettings = CleanUpSettings()
    baselines: bool = False
    run: RunSettings = RunSettings()

    def pore_names(self, classes: Mapping[str, int]) -> tuple[str, ...]:
        """Return the classes that are pores."""
        if self.pores is None:
            return tuple(pore_names(classes))
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


class SweepSettings(Section):
    """Whether the job finds out as well how many slices are enough; see `bigrock.workflows.shale.sweep`.

    Attributes
    ----------
    counts : tuple of int
        Numbers of training slices to compare; none: no sweep. A training for each of them and each seed.
    seeds : tuple of int
        Seeds of weights and patches.

    Examples
    --------
    >>> SweepSettings(counts=[2, 4, 6]).seeds
    (0,)
    """

    counts: Annotated[tuple[int, ...], Field(strict=False)] = ()
    seeds: Annotated[tuple[int, ...], Field(strict=False)] = (0,)


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
    sweep : SweepSettings
        How many slices are enough: on request.
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
    sweep: SweepSettings = SweepSettings()
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
