"""Settings of the networks of the permeability workflow, with every default; a file of them is one job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from bigrock.models import SuperResolutionConfig, SurrogateConfig
from bigrock.training import Coarsening, FineTuning, SuperResolutionTraining, SurrogateTraining
from bigrock.workflows.settings import Section, Settings

__all__ = ["PermeabilityJob", "PermeabilitySettings", "SplitSettings"]

_SET_BY_TRAINING = ("edge", "log10_k_mean", "log10_k_std", "log10_rmse", "domain")


def _made(kind: type[Any], without: tuple[str, ...] = ()) -> Any:
    """Return what makes a dataclass from a section of a file; a key that is not known is an error."""

    def make(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"{value!r} is not allowed, it must be a section with keys and values.")
        given = dict(value)
        _check_keys(given, kind, without)
        if isinstance(given.get("coarsening"), Mapping):
            _check_keys(given["coarsening"], Coarsening)
            given["coarsening"] = Coarsening(**given["coarsening"])
        try:
            return kind(**given)
        except TypeError as error:
            raise ValueError(f"{value!r} is not allowed ({error}).") from error

    return PlainValidator(make)


def _check_keys(given: Mapping[str, Any], kind: type[Any], without: tuple[str, ...] = ()) -> None:
    known = [field.name for field in dataclasses.fields(kind) if field.name not in without]
    for name in given:
        if name not in known:
            raise ValueError(
                f"{name!r} would be ignored, there is no such key. Use some of: {', '.join(known)}."
            )
    for field in dataclasses.fields(kind):
        value = given.get(field.name)
        if isinstance(value, str) and isinstance(field.default, int | float):
            wanted = (
                "true or false" if isinstance(field.default, bool) else f"a number, such as {field.default}"
            )
            raise ValueError(f"{field.name}: {value!r} is not {wanted}.")


class SplitSettings(Section):
    """Which rocks are learned from, choose the weights, and are only scored; see `bigrock.datasets.RockSet.split`.

    Attributes
    ----------
    train, validation, test : float
        Shares of the rocks; together 1.
    by : {"group", "family"}
        What is never cut: all rocks of one parent, or of one family.
    seed : int
        Of the split; the same one for all networks, so that no network sees another one's test rocks.
    held_out_families : tuple of str
        Families that are in the test part alone.

    Examples
    --------
    >>> SplitSettings().test
    0.2
    """

    train: float = Field(default=0.7, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    by: Literal["group", "family"] = "group"
    seed: int = Field(default=0, ge=0)
    held_out_families: Annotated[tuple[str, ...], Field(strict=False)] = ()


class PermeabilitySettings(Settings):
    """Settings of `bigrock.workflows.permeability.train_network` and of fine-tuning.

    Attributes
    ----------
    split : SplitSettings
        Parts of the rocks.
    super_resolution : SuperResolutionConfig
        The network, and how grey levels are read.
    super_resolution_training : SuperResolutionTraining
        How it is trained.
    surrogate : SurrogateConfig
        The network; its edge is that of the rocks.
    surrogate_training : SurrogateTraining
        How it is trained.
    fine_tuning : FineTuning
        How the super-resolution is tuned on permeability.

    Examples
    --------
    >>> PermeabilitySettings(fine_tuning={"fidelity": 0}).fine_tuning.fidelity
    0
    """

    split: SplitSettings = SplitSettings()
    super_resolution: Annotated[SuperResolutionConfig, _made(SuperResolutionConfig)] = SuperResolutionConfig()
    super_resolution_training: Annotated[SuperResolutionTraining, _made(SuperResolutionTraining)] = (
        SuperResolutionTraining()
    )
    surrogate: Annotated[SurrogateConfig, _made(SurrogateConfig, _SET_BY_TRAINING)] = SurrogateConfig()
    surrogate_training: Annotated[SurrogateTraining, _made(SurrogateTraining)] = SurrogateTraining()
    fine_tuning: Annotated[FineTuning, _made(FineTuning)] = FineTuning()


class PermeabilityJob(PermeabilitySettings):
    """A configuration file of the permeability workflow: its settings, and which rocks.

    Attributes
    ----------
    workflow : {"permeability"}
        What the file is for.
    rocks : str
        A set of rocks, from ``bigrock permeability prepare``.

    Examples
    --------
    >>> PermeabilityJob(workflow="permeability", rocks="rocks.zarr").split.by
    'group'
    """

    workflow: Literal["permeability"]
    rocks: str

    @property
    def settings(self) -> PermeabilitySettings:
        """The settings alone."""
        return PermeabilitySettings(
            **{name: getattr(self, name) for name in PermeabilitySettings.model_fields}
        )
