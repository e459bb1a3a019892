"""The numbers of the main job and its page: measured once, kept as JSON and CSV beside the volumes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bigrock.engine.settings import json_value, settings_of
from bigrock.kernels import GlobalOtsu
from bigrock.measures import Measurements
from bigrock.volumes import Source, Volume
from bigrock.workflows.agreement import Agreement
from bigrock.workflows.settings import ReportSettings

__all__ = ["compare_with_truth", "measure_once", "write_pages"]


def measure_once(
    volume: Volume, what: tuple[str, ...], file: Path, options: Mapping[str, Any]
) -> Measurements:
    """Return measurements of a volume: those in the file where they are of the same voxels, else new ones.

    Measurements that hold tables, such as that of the components, are taken again: the file has none.

    Parameters
    ----------
    volume : Volume
        What is measured; its history tells its voxels from others.
    what : tuple of str
        As for `parse_measures`.
    file : Path
        Without a suffix; new measurements are written to it as ``.json`` and ``.csv``, and where
        there are tables into the folder ``…-tables`` as Parquet.
    options : mapping
        For `bigrock.measure`: executor, ram, progress.

    Examples
    --------
    >>> import pathlib, tempfile, bigrock
    >>> from bigrock.datasets import Sandstone
    >>> truth = bigrock.import_volume(Sandstone((8, 16, 16)).truth, "memory://measure-once.zarr")
    >>> file = pathlib.Path(tempfile.mkdtemp(), "truth")
    >>> first = measure_once(truth, ("porosity",), file, {})
    >>> measure_once(truth, ("porosity",), file, {})["porosity"] == first["porosity"]
    True
    """
    from bigrock.measures import measure
    from bigrock.workflows.measure_text import parse_measures

    wanted = parse_measures(what)
    told = _kept(file.with_suffix(".json"))
    volume_told, tables = told.get("volume", {}), file.with_name(f"{file.name}-tables")
    same = volume_told.get("history") == list(volume.history)
    if (
        same
        and volume_told.get("measures") == {m.name: settings_of(m) for m in wanted}
        and not tables.exists()
    ):
        return Measurements({m.name: told[m.name] for m in wanted}, told["units"], volume_told)
    measurements = measure(volume, wanted, **options)
    shutil.rmtree(tables, ignore_errors=True)
    if any(measurements.tables()):
        measurements.to_parquet(tables)
    measurements.to_json(file.with_suffix(".json"))
    measurements.to_csv(file.with_suffix(".csv"))
    return measurements


def compare_with_truth(
    scan: Volume,
    pores: Volume,
    truth: Source,
    otsu: GlobalOtsu,
    file: Path,
    options: Mapping[str, Any],
) -> tuple[Agreement, Agreement]:
    """Return how well the pores were found, and how well one threshold would have found them.

    Kept in a file, and taken from there where it is of the same voxels.

    Parameters
    ----------
    scan, pores : Volume
        Grey levels and mask.
    truth : Source
        A mask of the true pores.
    otsu : GlobalOtsu
        Fitted; the one threshold.
    file : Path
        A JSON file.
    options : mapping
        For `bigrock.reduce`: executor, ram, progress.

    Examples
    --------
    >>> import pathlib, tempfile, bigrock
    >>> from bigrock.datasets import Sandstone
    >>> rock = Sandstone((8, 32, 32), grain_diameter_voxels=12)
    >>> scan = bigrock.import_volume(rock, "memory://compare-scan.zarr")
    >>> pores = bigrock.run(bigrock.kernels.GlobalOtsu(), scan, "memory://compare-pores.zarr")
    >>> otsu, file = bigrock.kernels.GlobalOtsu().fit(scan), pathlib.Path(tempfile.mkdtemp(), "a.json")
    >>> found, by_global = compare_with_truth(scan, pores, rock.truth, otsu, file, {})
    >>> found == by_global
    True
    """
    from bigrock.engine.reducing import reduce
    from bigrock.workflows.agreement import AgreesWith

    compared = {
        "pores": json_value(pores.history),
        "truth": json_value(truth.identity()),
        "otsu": settings_of(otsu),
    }
    told = _kept(file)
    if told.get("compared") == compared:
        return Agreement(**told["found"]), Agreement(**told["global_otsu"])
    [found] = reduce(pores, [AgreesWith(truth)], title="compare", **options)
    [by_global] = reduce(scan, [AgreesWith(truth)], through=otsu, title="compare global Otsu", **options)
    told = {"compared": compared, "found": asdict(found), "global_otsu": asdict(by_global)}
    file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return found, by_global


def write_pages(
    folder: Path,
    report: ReportSettings,
    source: Any,
    scan: Volume,
    pores: Volume,
    measurements: Measurements,
    grey: Measurements,
    found: Agreement | None,
    by_global: Agreement | None,
) -> Path:
    """Write ``report.html`` and its figures, and return the path of the page.

    Parameters
    ----------
    folder : Path
        Where to; the figures go into ``figures`` in it.
    report : ReportSettings
        Title, and whether figures are written.
    source : Any
        What the job was given; its name stands in the title.
    scan, pores, measurements, grey, found, by_global
        As in `SegmentResult`.
    """
    from bigrock.report import write_figures, write_report

    volumes = {"scan": scan, "pores": pores}
    told = [measurements, grey]
    if found and by_global:
        told.insert(1, _truth_table(found, by_global))
    name = Path(os.fspath(source)).name if isinstance(source, str | os.PathLike) else type(source).__name__
    if report.figures:
        write_figures(volumes, folder / "figures", measurements=told)
    title = report.title or f"Pores of {name}"
    return write_report(volumes, folder / "report.html", measurements=told, title=title)


def _kept(file: Path) -> dict[str, Any]:
    """Return what an earlier call left in a file; nothing where there is none, or it was cut off."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _truth_table(found: Agreement, by_global: Agreement) -> Measurements:
    """Return what was found beside the truth, as a table for the page."""
    quantities: dict[str, Any] = {"true_porosity": found.true_porosity}
    for name, agreement in (("found", found), ("global Otsu", by_global)):
        quantities[name] = {
            "porosity": agreement.porosity,
            "iou": agreement.iou,
            "wrongly_pore": agreement.only_found,
            "missed_pore": agreement.only_true,
        }
    units = dict.fromkeys(("porosity", "true_porosity"), "fraction")
    units |= dict.fromkeys(("wrongly_pore", "missed_pore"), "voxels")
    return Measurements({"agreement with the truth": quantities}, {"agreement with the truth": units}, {})
