"""Settings of the workflows: what a configuration file may say, with every default.

Strict: a key that is not known, or a value of another type, is an error that names it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, field_validator

from bigrock.units import parse_voxel_size
from bigrock.workflows.validation import as_config_error

__all__ = [
    "ImportSettings",
    "LocalOtsuSettings",
    "ReportSettings",
    "RunSettings",
    "Section",
    "SegmentJob",
    "SegmentSettings",
    "Settings",
]

Triple = Annotated[tuple[int, int, int], Field(strict=False)]
Pair = Annotated[tuple[float, float], Field(strict=False)]


def _voxel_size(value: Any) -> Any:
    """Return a voxel size as it was written, once it is known to be one."""
    if value is not None:
        parse_voxel_size(value)
    return list(value) if isinstance(value, tuple) else value


def _executor(value: Any) -> Any:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise ValueError(
        f"{value!r} is not allowed. Use serial, threads, a number of threads, or tcp://host:port."
    )


class Section(BaseModel):
    """A part of the settings: no unknown keys, no values of other types, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Settings(Section):
    """The outermost model: its errors name keys by their whole path."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise as_config_error(error, type(self)) from None


class ImportSettings(Section):
    """How the scan is read; the keywords of `bigrock.import_volume`.

    Attributes
    ----------
    voxel_size : str, float, sequence of three, or None
        Such as ``"2.25 um"`` or ``"10, 5, 5 nm"`` (z, y, x). None takes what the file states.
    crop : str or None
        Part of the scan, such as ``"0:100, 50:250, :"`` (z, y, x).
    convert : str or None
        Data type of the volume.
    scale : pair of float or None
        Grey levels (low, high) that become the ends of the range of `convert`.
    shape, dtype, offset, order
        Of a raw file: z, y, x; type with byte order (``">u2"``); header bytes; "C" or "F".
    dataset, channel, axes
        Which array of a file with several, which channel, the order of its axes.

    Examples
    --------
    >>> ImportSettings(voxel_size="2.25 um").order
    'C'
    """

    voxel_size: Annotated[Any, PlainValidator(_voxel_size)] = None
    crop: str | None = None
    convert: str | None = None
    scale: Pair | None = None
    shape: Triple | None = None
    dtype: str | None = None
    offset: int = 0
    order: Literal["C", "F"] = "C"
    dataset: str | None = None
    channel: int | None = None
    axes: str | None = None


class LocalOtsuSettings(Section):
    """The threshold; the settings of `bigrock.kernels.LocalOtsu`, with its guards switched on.

    Attributes
    ----------
    radius : int
        Half width of the window in voxels; about the size of the largest pores or a little more.
    ndim : {2, 3}
        A square window in each slice, or a cube.
    pore : {"dark", "bright"}
        Which side of the threshold is pore.
    min_contrast : float
        A window whose two sides differ by less than this share of the contrast of the whole volume
        has no two phases; the threshold of the whole volume decides there. 0 switches it off.
    min_pore_fraction : float
        The same for a window whose smaller side holds less than this share of its voxels.
    clip : float
        Share of the voxels that the 256 grey levels leave out, half at either end; not for uint8.

    Examples
    --------
    >>> LocalOtsuSettings(radius=15).pore
    'dark'
    """

    radius: int = Field(default=31, ge=1, le=1000)
    ndim: Literal[2, 3] = 2
    pore: Literal["dark", "bright"] = "dark"
    min_contrast: float = Field(default=0.5, ge=0, le=1)
    min_pore_fraction: float = Field(default=0.05, ge=0, le=0.5)
    clip: float = Field(default=0.001, ge=0, lt=1)


class ReportSettings(Section):
    """The report page.

    Attributes
    ----------
    title : str or None
        Heading; made from the name of the scan where None.
    figures : bool
        Write every figure as a PNG file beside the page.

    Examples
    --------
    >>> ReportSettings().figures
    True
    """

    title: str | None = None
    figures: bool = True


class RunSettings(Section):
    """How passes run; none of this changes a voxel.

    Attributes
    ----------
    executor : str, int or None
        "serial", "threads", a number of threads, or the address of a Dask scheduler. None takes
        the current Dask client, and threads where there is none.
    backend : {"auto", "cpu", "gpu"}
        What computes.
    ram : str or None
        Memory that a worker may use, such as ``"4 GiB"``; 80 % of what there is where None.
    block : triple of int or None
        Core of a block in voxels; chosen by memory where None.

    Examples
    --------
    >>> RunSettings(ram="4 GiB").backend
    'cpu'
    """

    executor: Annotated[str | int | None, PlainValidator(_executor)] = None
    backend: Literal["auto", "cpu", "gpu"] = "cpu"
    ram: str | None = None
    block: Triple | None = None


class SegmentSettings(Settings):
    """Settings of `bigrock.workflows.segment`.

    Attributes
    ----------
    scan : ImportSettings
        How the scan is read.
    standardize : {"auto", "slice", "none"}
        Whether slices are brought to mean 0 and deviation 1 before the threshold; "auto" does it
        where their brightness drifts by more than the contrast. See `segmentation_kernel`.
    local_otsu : LocalOtsuSettings
        The threshold.
    measures : tuple of str
        What is measured of the pores; see `bigrock.workflows.parse_measures`.
    report : ReportSettings
        The page.
    run : RunSettings
        Executor, memory, blocks.

    Examples
    --------
    >>> SegmentSettings(local_otsu={"radius": 15}).local_otsu.radius
    15
    """

    scan: ImportSettings = ImportSettings()
    standardize: Literal["auto", "slice", "none"] = "auto"
    local_otsu: LocalOtsuSettings = LocalOtsuSettings()
    measures: Annotated[tuple[str, ...], Field(strict=False)] = ("porosity", "profiles")
    report: ReportSettings = ReportSettings()
    run: RunSettings = RunSettings()

    @field_validator("measures")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from bigrock.workflows.measure_text import parse_measures

        parse_measures(names)
        return names


class SegmentJob(SegmentSettings):
    """A configuration file of the segment workflow: its settings, what it reads, where it writes.

    Attributes
    ----------
    workflow : {"segment"}
        What the file is for.
    source : str
        The scan: a file, a folder or glob of slices, a zarr folder or URL.
    folder : str
        Where the volumes, numbers, figures and the page go.
    overwrite : bool
        Replace what an earlier job of other settings left in the folder.
    resume : bool
        Continue an interrupted job.

    Examples
    --------
    >>> SegmentJob(workflow="segment", source="core.tif", folder="core").settings.standardize
    'auto'
    """

    workflow: Literal["segment"]
    source: str
    folder: str
    overwrite: bool = False
    resume: bool = True

    @property
    def settings(self) -> SegmentSettings:
        """The settings alone."""
        return SegmentSettings(**{name: getattr(self, name) for name in SegmentSettings.model_fields})
