"""The report page: one HTML file that needs no network, and its figures as PNG files."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import bigrock
from bigrock.report.curves import histogram_pictures, profile_pictures, sampled_histogram
from bigrock.report.figures import Picture, Volumes, middle_slices, named_volumes, slice_pictures
from bigrock.report.provenance import Step, history_steps
from bigrock.report.results import Results, read_results
from bigrock.report.section import Section
from bigrock.report.sections import sections_of
from bigrock.report.tables import Row, volume_rows
from bigrock.units import format_length, format_voxel_size
from bigrock.volumes.source import Source

__all__ = ["write_curves", "write_figures", "write_report"]


@dataclass(frozen=True, slots=True)
class _SliceRow:
    heading: str
    where: str
    pictures: list[Picture]


@dataclass(frozen=True, slots=True)
class _Figures:
    slices: list[_SliceRow]
    histogram: list[Picture]
    profiles: list[Picture]
    sampled: bool
    sections: list[Section]

    @property
    def all(self) -> list[Picture]:
        drawn = [p for section in self.sections for p in section.pictures]
        return [p for row in self.slices for p in row.pictures] + self.histogram + self.profiles + drawn


def write_report(
    volumes: Volumes,
    path: str | os.PathLike[str],
    *,
    measurements: Any = None,
    title: str | None = None,
    sections: Sequence[Section] = (),
    mark_threshold: bool = True,
) -> Path:
    """Write one self-contained HTML page about volumes and their measurements, and return its path.

    Shows slices of the three planes (each volume, and the pores over the grey levels), the grey
    histogram, porosity profiles, the curves of whatever else was measured
    (`bigrock.report.sections`), tables of results with units, and what made each volume. All styles
    and images are inside the file; it opens without a network and prints well. Reads three slices
    per volume from the pyramid, so it takes a few seconds and little memory at any size.

    Parameters
    ----------
    volumes : Volume, sequence or mapping of str to Volume
        From before to after, such as a scan and its mask. Names are taken from the paths, or are
        the keys of the mapping.
    path : str or path-like
        The page to write; an existing file is replaced, missing folders are made.
    measurements : Measurements, mapping, or sequence of these, optional
        What `bigrock.measure` returned, such as that of the mask and that of the scan. Without a
        measured grey histogram the page has that of the slices shown.
    title : str, optional
        Heading of the page.
    sections : sequence of Section, optional
        Further figures and tables, before those of the measurements.
    mark_threshold : bool
        Mark Otsu's global threshold in the grey histogram; False where it takes no part in what is shown.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ParameterError
        If no volume is given.
    CorruptChunkError
        If stored voxels of a slice cannot be decoded.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Sandstone
    >>> rock = Sandstone((16, 32, 32))
    >>> page = write_report({"before": rock, "after": rock.truth}, tempfile.mkdtemp() + "/rock.html")
    >>> page.name
    'rock.html'
    """
    named = named_volumes(volumes)
    measured = read_results(measurements)
    figures = _figures(named, measured, mark_threshold)
    heading = title or " → ".join(named)
    html = _render(
        title=heading,
        date=f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        version=bigrock.__version__,
        headline=_headline(named, measured),
        slices=figures.slices,
        histogram=figures.histogram,
        sampled=figures.sampled,
        profiles=figures.profiles,
        sections=[*sections, *figures.sections],
        results=measured.tables,
        grids=measured.grids,
        facts=[volume_rows(name, volume) for name, volume in named.items()],
        provenance=_provenance(named),
    )
    page = Path(path)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html, encoding="utf-8")
    return page


def write_figures(
    volumes: Volumes, folder: str | os.PathLike[str], *, measurements: Any = None
) -> list[Path]:
    """Write every figure of the report as a PNG file, and return their paths.

    Parameters
    ----------
    volumes : Volume, sequence or mapping of str to Volume
        As for `write_report`.
    folder : str or path-like
        Where to; made if missing. Files are named ``slice-xy-<volume>.png``,
        ``slice-xy-overlay.png``, ``histogram-linear.png``, ``profile-z.png`` and so on.
    measurements : Measurements, mapping, or sequence of these, optional
        As for `write_report`.

    Returns
    -------
    list of Path
        In the order of the page.

    Raises
    ------
    ParameterError
        If no volume is given.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Sandstone
    >>> [path.name for path in write_figures(Sandstone((16, 32, 32)).truth, tempfile.mkdtemp())]
    ['slice-xy-mask.png', 'slice-xz-mask.png', 'slice-yz-mask.png']
    """
    return _written(_figures(named_volumes(volumes), read_results(measurements)), folder)


def write_curves(measurements: Any, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the curves and bars of measurements as PNG files, and return their paths; needs no volume.

    Parameters
    ----------
    measurements : Measurements, mapping, or sequence of these
        As for `write_report`.
    folder : str or path-like
        Where to; made if missing. Files are named ``histogram-linear.png``, ``profile-z.png``,
        ``connectivity.png``, ``fractal-counts.png`` and so on.

    Returns
    -------
    list of Path
        In the order of the page.

    Examples
    --------
    >>> import tempfile
    >>> curve = {"sizes": [1, 2, 4], "lacunarity": [4.0, 2.0, 1.5]}
    >>> [path.name for path in write_curves({"lacunarity": curve}, tempfile.mkdtemp())]
    ['lacunarity.png']
    """
    return _written(_figures({}, read_results(measurements)), folder)


def _written(figures: _Figures, folder: str | os.PathLike[str]) -> list[Path]:
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    files = []
    for picture in figures.all:
        files.append(place / f"{picture.name}.png")
        files[-1].write_bytes(picture.png)
    return files


def _figures(volumes: dict[str, Source], measured: Results, mark_threshold: bool = True) -> _Figures:
    cuts = middle_slices(volumes)
    histogram = measured.histogram or sampled_histogram(volumes, cuts)
    if histogram and not mark_threshold:
        histogram = {name: histogram[name] for name in ("values", "counts")}
    return _Figures(
        slices=_slice_rows(slice_pictures(volumes, cuts)) if volumes else [],
        histogram=histogram_pictures(histogram) if histogram else [],
        profiles=profile_pictures(measured.profiles, total=measured.porosity, metres=measured.metres),
        sampled=not measured.histogram,
        sections=sections_of(measured),
    )


def _slice_rows(planes: Mapping[str, list[Picture]]) -> list[_SliceRow]:
    """Return a row per plane; the planes of a single volume stand side by side in one row."""
    if all(len(pictures) == 1 for pictures in planes.values()):
        single = [
            replace(
                pictures[0], title=f"{plane} plane", caption=f"{pictures[0].where}. {pictures[0].caption}"
            )
            for plane, pictures in planes.items()
        ]
        return [_SliceRow("", "", single)]
    rows = []
    for plane, pictures in planes.items():
        places = {picture.where for picture in pictures}
        if len(places) > 1:
            pictures = [replace(p, caption=f"{p.where}. {p.caption}") for p in pictures]
        rows.append(_SliceRow(f"{plane} plane", places.pop() if len(places) == 1 else "", pictures))
    return rows


def _headline(volumes: Mapping[str, Source], measured: Results) -> list[Row]:
    first = next(iter(volumes.values()))
    size = first.voxel_size
    rows = []
    if measured.porosity is not None:
        rows.append(Row("porosity", f"{100 * measured.porosity:.2f}", "%"))
    rows.append(Row("extent", " × ".join(map(str, first.shape)), "voxels"))
    if size is None:
        return [*rows, Row("voxel size", "not stated")]
    extent = [format_length(n * s, 3) for n, s in zip(first.shape, size, strict=True)]
    return [*rows, Row("voxel size", format_voxel_size(size)), Row("physical extent", " × ".join(extent))]


def _provenance(volumes: Mapping[str, Source]) -> dict[str, list[Step] | str]:
    """Return the history of each volume; a history that another one continues is told once."""
    histories = {name: tuple(getattr(volume, "history", ())) for name, volume in volumes.items()}
    told: dict[str, list[Step] | str] = {}
    for name, history in histories.items():
        longer = next(
            (
                n
                for n, h in histories.items()
                if n != name and len(h) > len(history) and h[: len(history)] == history
            ),
            None,
        )
        if not history:
            told[name] = history_steps([{"step": "source", "input": volumes[name].identity()}])
        elif longer is not None:
            count = "the first step" if len(history) == 1 else f"the first {len(history)} steps"
            told[name] = f"Made by {count} of {longer}, below."
        else:
            told[name] = history_steps(history)
    return told


def _render(**contents: Any) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = files("bigrock.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["data_uri"] = _data_uri
    # The style is our own file, never a user's text.
    style = Markup(here.joinpath("page.css").read_text(encoding="utf-8"))
    template = environment.from_string(here.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(style=style, **contents)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
