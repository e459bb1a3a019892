"""The main job: a scan becomes a pore mask, its numbers, and a report page, in one folder."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bigrock
from bigrock.engine.progress import ProgressLike
from bigrock.errors import NotAVolumeError, ParameterError, VolumeExistsError, VolumeNotFoundError
from bigrock.measures import Measurements
from bigrock.volumes import Source, Volume, open_volume
from bigrock.workflows.agreement import Agreement
from bigrock.workflows.segment_numbers import compare_with_truth, measure_once, write_pages
from bigrock.workflows.settings import ImportSettings, SegmentSettings

__all__ = ["SegmentResult", "segment"]

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
    from bigrock.kernels import GlobalOtsu
    from bigrock.workflows.execution import executing

    start = time.monotonic()
    settings = settings or SegmentSettings()
    place = _prepared(folder, overwrite)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        new = {"resume": resume, "overwrite": overwrite, "block": settings.run.block, "pyramid": True, **how}
        scan = _imported(source, place / "scan.zarr", settings.scan, new)
        place.mkdir(parents=True, exist_ok=True)
        pores = _segmented(scan, place / "pores.zarr", settings, how, new)
        grey = measure_once(scan, ("histogram",), place / "scan", how)
        measurements = measure_once(pores, settings.measures, place / "pores", how)
        found, by_global = None, None
        if truth is not None:
            otsu = GlobalOtsu(settings.local_otsu.pore, threshold=grey["histogram"]["otsu"])
            found, by_global = compare_with_truth(scan, pores, truth, otsu, place / "agreement.json", how)
    parts = (scan, pores, measurements, grey, found, by_global)
    report = write_pages(place, settings.report, source, *parts)
    return SegmentResult(place, report, *parts, time.monotonic() - start)


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


def _segmented(
    scan: Volume, dest: Path, settings: SegmentSettings, how: dict[str, Any], new: dict[str, Any]
) -> Volume:
    """Return the pores: those of an earlier call at once, where it did exactly this."""
    from bigrock.engine.running import run
    from bigrock.engine.settings import json_value
    from bigrock.workflows.execution import for_backend
    from bigrock.workflows.segment_kernel import segmentation_kernel

    config = settings.model_dump()
    if dest.exists() and new["resume"] and not new["overwrite"]:
        there = open_volume(dest, partial=True)
        made = {"config": json_value(config), "input": scan.identity(), "bigrock": bigrock.__version__}
        if there.complete and made.items() <= there.history[-1].items() and _same_code(there):
            return there
    kernel = for_backend(segmentation_kernel(settings, scan, **how), scan, settings.run.backend, **how)
    return run(kernel, scan, dest, config=config, **new)


def _same_code(pores: Volume) -> bool:
    """Return whether the kernels that made a mask compute today what they computed then."""
    from bigrock import kernels

    made = pores.history[-1]["kernel"]
    return all(
        getattr(getattr(kernels, stage["name"], None), "version", None) == stage["version"]
        for stage in made.get("stages", [made])
    )
