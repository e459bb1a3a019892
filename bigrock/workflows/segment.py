"""The main job: a scan becomes a pore mask, its numbers, and a report page, in one folder."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigrock.engine.kernel import Kernel
from bigrock.engine.progress import ProgressLike
from bigrock.errors import NotAVolumeError, ParameterError, VolumeExistsError, VolumeNotFoundError
from bigrock.measures import Measurements
from bigrock.volumes import Source, Volume, open_volume
from bigrock.workflows.agreement import Agreement
from bigrock.workflows.settings import ImportSettings, SegmentSettings

__all__ = ["SegmentResult", "segment", "segmentation_kernel"]

_OURS = ("scan.zarr", "pores.zarr")


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What `segment` made, and where it lies.

    Attributes
    ----------
    folder, report : Path
        The folder, and the page in it.
    scan, pores : Volume
        Grey levels, and the mask (True = pore).
    measurements, grey : Measurements
        Of the pores, and of the grey levels.
    found, found_by_global_otsu : Agreement or None
        With the truth, where that was given: of the mask, and of one threshold for the whole volume.
    seconds : float
        Wall time of this call.
    """

    folder: Path
    report: Path
    scan: Volume
    pores: Volume
    measurements: Measurements
    grey: Measurements
    found: Agreement | None
    found_by_global_otsu: Agreement | None
    seconds: float

    @property
    def porosity(self) -> float | None:
        """Total porosity, as a fraction; None where it was not measured."""
        total = self.measurements.get("porosity", {}).get("total")
        return None if total is None else float(total)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON; the arrays stay in the files of the folder."""
        other = self.found_by_global_otsu
        return {
            "porosity": self.porosity,
            "true_porosity": self.found and self.found.true_porosity,
            "iou": self.found and self.found.iou,
            "global_otsu": other and {"porosity": other.porosity, "iou": other.iou},
            "seconds": round(self.seconds, 3),
            "report": str(self.report),
            "folder": str(self.folder),
            "scan": self.scan.path,
            "pores": self.pores.path,
            "shape": list(self.scan.shape),
            "dtype": str(self.scan.dtype),
            "voxel_size_m": self.scan.voxel_size and list(self.scan.voxel_size),
        }


def segment(
    source: str | os.PathLike[str] | Source,
    folder: str | os.PathLike[str],
    *,
    settings: SegmentSettings | None = None,
    truth: Source | None = None,
    overwrite: bool = False,
    resume: bool = True,
    progress: ProgressLike = None,
) -> SegmentResult:
    """Return the pores of a scan with their numbers, and leave a report page beside them.

    Imports the scan, finds the pores by local Otsu, measures them, and writes the page; out of core
    and block by block, so the memory is that of a few blocks. The folder then holds ``scan.zarr``,
    ``pores.zarr``, the numbers of both as JSON and CSV, ``figures/*.png`` and ``report.html``. The
    same call continues an interrupted job, and a finished one is not computed again. Exact: no
    setting of `settings.run` changes a voxel.

    A source that is a bigrock volume already is used where it lies, unless `settings.scan` changes it.

    Parameters
    ----------
    source : str, path-like or Source
        The scan; anything that `bigrock.import_volume` takes.
    folder : str or path-like
        A new folder on this machine, or one that the same job began.
    settings : SegmentSettings, optional
        The defaults otherwise; stored in the history of the mask.
    truth : Source, optional
        A mask of the true pores, to compare with.
    overwrite : bool
        Replace what a job of other settings left in the folder; other files in it are kept.
    resume : bool
        Continue what is there.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    SegmentResult

    Raises
    ------
    VolumeExistsError, ResumeError
        If the folder holds other files, or a job with another scan or other settings.
    ParameterError
        If the scan is segmented already, or a setting is not allowed.
    SourceError, PlanError, StorageFullError, RunError
        As for `bigrock.import_volume` and `bigrock.run`.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Sandstone
    >>> rock = Sandstone((32, 64, 64), grain_diameter_voxels=16)
    >>> result = segment(rock, tempfile.mkdtemp() + "/rock", truth=rock.truth, progress=False)
    >>> result.report.name, 0.1 < result.porosity < 0.3, result.found.iou > 0.8
    ('report.html', True, True)
    """
    from bigrock.engine.running import run
    from bigrock.workflows.execution import executing, for_backend

    start = time.monotonic()
    settings = settings or SegmentSettings()
    place = _prepared(folder, overwrite)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        new = {"resume": resume, "overwrite": overwrite, "block": settings.run.block, "pyramid": True, **how}
        scan = _imported(source, place / "scan.zarr", settings.scan, new)
        kernel = for_backend(segmentation_kernel(settings, scan), scan, settings.run.backend, **how)
        pores = run(kernel, scan, place / "pores.zarr", config=settings.model_dump(), **new)
        grey = _measured(scan, ("histogram",), place / "scan", how)
        measurements = _measured(pores, settings.measures, place / "pores", how)
        found, by_global = _compared(scan, pores, truth, grey, settings.local_otsu.pore, how)
    parts = (scan, pores, measurements, grey, found, by_global)
    report = _written(place, settings, source, *parts)
    return SegmentResult(place, report, *parts, time.monotonic() - start)


def segmentation_kernel(settings: SegmentSettings, scan: Source) -> Kernel:
    """Return the kernel that finds the pores of a scan.

    Parameters
    ----------
    settings : SegmentSettings
        What is asked for.
    scan : Source
        Its data type decides what ``standardize: auto`` means.

    Raises
    ------
    ParameterError
        If the scan is a mask or a label volume.

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> scan = bigrock.ArraySource(np.zeros((4, 4, 4), np.uint8))
    >>> segmentation_kernel(SegmentSettings(standardize="slice"), scan).stages[0].per
    'slice'
    """
    from bigrock.kernels import LocalOtsu, Standardize

    if scan.dtype.kind == "b" or getattr(scan, "kind", "grey") != "grey":
        raise ParameterError(
            f"the scan is {getattr(scan, 'kind', 'mask')} of type {scan.dtype}, which is segmented already: a "
            "threshold of it means nothing. Measure it with bigrock.measure (bigrock measure)."
        )
    otsu = LocalOtsu(**settings.local_otsu.model_dump())
    per = settings.standardize
    if per == "auto":
        per = "none" if scan.dtype.itemsize == 1 else "slice"
    return otsu if per == "none" else Standardize(per=per) | otsu


def _prepared(folder: str | os.PathLike[str], overwrite: bool) -> Path:
    """Return the folder, once it is known that nothing of the user's is in the way."""
    if "://" in os.fspath(folder):
        raise ParameterError(
            f"folder {os.fspath(folder)!r} is a URL, and the page and its figures are files. Give a folder of this "
            "machine; volumes elsewhere are made by bigrock.import_volume and bigrock.run."
        )
    place = Path(folder).expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise VolumeExistsError(f"{place} is a file. Choose another folder.")
    ours = any((place / name).exists() for name in _OURS)
    if place.exists() and any(place.iterdir()) and not (ours or overwrite):
        raise VolumeExistsError(
            f"{place} holds other files: the results would be mixed with them. Choose another folder, "
            "or overwrite=True (--overwrite), which replaces files of the same names and keeps the others."
        )
    place.mkdir(parents=True, exist_ok=True)
    return place


def _imported(
    source: str | os.PathLike[str] | Source, dest: Path, scan: ImportSettings, options: dict[str, Any]
) -> Volume:
    from bigrock.transfer import import_volume

    if scan == ImportSettings():
        if isinstance(source, Volume):
            return source
        if isinstance(source, str | os.PathLike):
            try:
                return open_volume(source)
            except (NotAVolumeError, VolumeNotFoundError):
                pass
    return import_volume(source, dest, **scan.model_dump(), **options)


def _measured(volume: Volume, what: tuple[str, ...], file: Path, options: Mapping[str, Any]) -> Measurements:
    """Return measurements, from the file of an earlier call where it belongs to the same voxels."""
    import json

    from bigrock.measures import measure

    numbers = file.with_suffix(".json")
    if numbers.exists():
        told = json.loads(numbers.read_text(encoding="utf-8"))
        same = told.get("volume", {}).get("history") == list(volume.history)
        if same and set(what) == set(told) - {"volume", "units"}:
            return Measurements({name: told[name] for name in what}, told["units"], told["volume"])
    measurements = measure(volume, what, **options)
    measurements.to_json(numbers)
    measurements.to_csv(file.with_suffix(".csv"))
    return measurements


def _compared(
    scan: Volume,
    pores: Volume,
    truth: Source | None,
    grey: Measurements,
    pore: Any,
    options: Mapping[str, Any],
) -> tuple[Agreement | None, Agreement | None]:
    """Return how well the pores were found, and how well one threshold would have found them."""
    from bigrock.engine.reducing import reduce
    from bigrock.kernels import GlobalOtsu
    from bigrock.workflows.agreement import AgreesWith

    if truth is None:
        return None, None
    otsu = GlobalOtsu(pore, threshold=grey["histogram"]["otsu"])
    [found] = reduce(pores, [AgreesWith(truth)], title="compare", **options)
    [by_global] = reduce(scan, [AgreesWith(truth)], through=otsu, title="compare global Otsu", **options)
    return found, by_global


def _written(
    place: Path,
    settings: SegmentSettings,
    source: Any,
    scan: Volume,
    pores: Volume,
    measurements: Measurements,
    grey: Measurements,
    found: Agreement | None,
    by_global: Agreement | None,
) -> Path:
    """Write the page and its figures; return the page."""
    from bigrock.report import write_figures, write_report

    volumes = {"scan": scan, "pores": pores}
    told = [measurements, grey]
    if found and by_global:
        told.insert(1, _truth_table({"found": found, "global Otsu": by_global}))
    name = Path(os.fspath(source)).name if isinstance(source, str | os.PathLike) else type(source).__name__
    title = settings.report.title or f"Pores of {name}"
    if settings.report.figures:
        write_figures(volumes, place / "figures", measurements=told)
    return write_report(volumes, place / "report.html", measurements=told, title=title)


def _truth_table(agreements: dict[str, Agreement]) -> Measurements:
    """Return what was found beside the truth, as a table for the page."""
    quantities: dict[str, Any] = {
        name: {
            "porosity": agreement.porosity,
            "true_porosity": agreement.true_porosity,
            "iou": agreement.iou,
            **{key: value for key, value in dataclasses.asdict(agreement).items() if key != "neither"},
        }
        for name, agreement in agreements.items()
    }
    units = {"porosity": "fraction", "true_porosity": "fraction"}
    units |= dict.fromkeys(("both", "only_found", "only_true"), "voxels")
    return Measurements({"agreement": quantities}, {"agreement": units}, {})
