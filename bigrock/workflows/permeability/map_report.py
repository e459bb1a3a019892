"""The permeability map of a core as a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.models import SurrogateConfig
from bigrock.report import write_report
from bigrock.report.permeability_curves import k_profile_picture, k_rev_picture, upscaled_grid
from bigrock.report.permeability_figures import agreement_picture, map_picture, millidarcy
from bigrock.report.section import Section
from bigrock.report.tables import Grid
from bigrock.units import format_length, format_permeability
from bigrock.volumes.source import Source
from bigrock.workflows.permeability.map_result import PermeabilityMap
from bigrock.workflows.permeability.solving import AXES

__all__ = ["map_sections", "write_map_report"]


def map_sections(found: PermeabilityMap) -> list[Section]:
    """Return a permeability map as sections of a page: maps, upscaled k, error, profiles, REV.

    Examples
    --------
    >>> import tempfile, bigrock
    >>> from bigrock.workflows.permeability import map_permeability
    >>> tube = np.zeros((16, 16, 16), bool)
    >>> tube[:, 4:12, 4:12] = True
    >>> core, place = bigrock.ArraySource(tube, (1e-6,) * 3), tempfile.mkdtemp()
    >>> how = {"window": 16, "axes": "z", "rev_sample": 0, "report": False, "progress": False}
    >>> found = map_permeability(core, place, **how)
    >>> [section.heading for section in map_sections(found)][:2]
    ['Permeability map', 'Upscaled permeability']
    """
    sections = [_maps(found), _numbers(found)]
    if found.figures["agreement"] is not None:
        sections.append(_agreement(found))
    profiles = [k_profile_picture(axis, told) for axis, told in found.figures["profiles"].items()]
    sections.append(Section("Along the core", profiles))
    sections.append(_rev(found))
    return sections


def write_map_report(
    found: PermeabilityMap, core: Source, path: str | os.PathLike[str], *, title: str | None = None
) -> Path:
    """Write a page about the permeability map of a core, and return its path.

    Parameters
    ----------
    found : PermeabilityMap
        What `map_permeability` returned.
    core : Source
        What was mapped; its slices are shown.
    path : str or path-like
        The page; one that is there is replaced.
    title : str, optional
        Heading of the page.

    Examples
    --------
    >>> import tempfile, bigrock
    >>> from bigrock.workflows.permeability import map_permeability
    >>> tube = np.zeros((16, 16, 16), bool)
    >>> tube[:, 4:12, 4:12] = True
    >>> core, place = bigrock.ArraySource(tube, (1e-6,) * 3), tempfile.mkdtemp()
    >>> how = {"window": 16, "axes": "z", "rev_sample": 0, "report": False, "progress": False}
    >>> found = map_permeability(core, place, **how)
    >>> write_map_report(found, core, place + "/page.html").name
    'page.html'
    """
    name = Path(str(getattr(core, "path", "core"))).stem
    return write_report(
        {name: core},
        path,
        title=title or f"Permeability of {name}",
        sections=map_sections(found),
        # Otsu's threshold of the core is not what makes pores of the fine grid.
        mark_threshold=False,
    )


def _maps(found: PermeabilityMap) -> Section:
    step = found.plan.step_m
    pictures = []
    every = np.concatenate([millidarcy(found.k(axis)).ravel() for axis in found.axes])
    flowing = every[every > 0]
    limits = (float(flowing.min()), float(flowing.max())) if np.unique(flowing).size > 1 else None
    for axis in found.axes:
        k, label = millidarcy(found.k(axis)), f"k along {axis} (mD)"
        pictures.append(map_picture(f"k-{axis}", k, step, label=label, log=True, limits=limits))
    for axis in found.axes[:1]:
        label, told = f"deviation of log10 k, {axis}", found.uncertainty(axis)
        pictures.append(
            map_picture(f"uncertainty-{axis}", told, step, label=label, caption=_uncertainty(found))
        )
    pictures.append(map_picture("porosity", 100 * found.windows["porosity"], step, label="porosity (%)"))
    if found.plan.solver.surrogate:
        outside = found.windows["outside"].astype(float)
        pictures.append(map_picture("outside", outside, step, label="unlike what was learnt"))
    note = "Crosses: windows that no pore crosses along that axis (k = 0)."
    if found.figures["unbounded"]:
        note += f" {found.figures['unbounded']} windows hold no solid and no wall: k is infinite, a cross as well."
    return Section("Permeability map", pictures, note, columns=1)


def _uncertainty(found: PermeabilityMap) -> str:
    bundles = found.plan.solver.surrogate
    if found.plan.method == "surrogate":
        if sum(bundle.expect(SurrogateConfig).members for bundle in bundles) == 1:
            return (
                "One network: its error on the validation rocks, the same everywhere. An ensemble (members, or several "
                "surrogates) tells where it is unsure. The error of segmentation is not in it."
            )
        return "Spread of the networks, and their error on validation rocks; the error of segmentation is not in it."
    return (
        "The uncertainty of the Stokes solver alone (spread of the flux over slices): that of segmentation and "
        "super-resolution is not in it."
    )


def _numbers(found: PermeabilityMap) -> Section:
    told = found.figures
    grid = upscaled_grid(told["permeability"])
    beside = told["kozeny_carman"]["geometric_of_flowing_m2"]
    rows = [
        ("method", "surrogate" if told["method"] == "surrogate" else "Stokes flow in every window"),
        ("windows", " × ".join(map(str, told["counts"]))),
        ("window", f"{told['window']} voxels of {format_length(told['fine_voxel_size_m'], 4)}"),
        ("step", f"{told['step']} voxels"),
        ("super-resolution", f"×{told['scale']}" if told["scale"] > 1 else "none"),
        ("left out at the far faces (z, y, x)", f"{', '.join(map(str, told['left_out']))} voxels"),
        ("share of the core in windows", f"{100 * told['covered_share']:.3g} %"),
        ("threshold", _threshold(found)),
        ("sides of a window in Stokes flow", told["boundary"]),
        ("porosity", f"{100 * told['porosity']['mean']:.4g} %"),
        ("Kozeny–Carman, geometric mean", "–" if beside is None else format_permeability(beside)),
    ]
    if told["unbounded"]:
        rows.append(("windows without solid and wall (k infinite)", str(told["unbounded"])))
    if told["not_converged"]:
        rows.append(("Stokes solutions that did not converge", str(told["not_converged"])))
    if told["outside_share"] is not None:
        rows.append(("windows unlike what was learnt", f"{100 * told['outside_share']:.3g} %"))
    return Section(
        "Upscaled permeability", grids={"By axis": grid, "How": Grid(("", ""), tuple(rows))},
        note="Windows that do not percolate count as k = 0: where there is one, the geometric and the harmonic mean "
        "are 0.",
    )  # fmt: skip


def _threshold(found: PermeabilityMap) -> str:
    """Return what makes pores of the fine grid."""
    threshold = found.plan.settings.threshold
    if found.plan.super_resolution is None:
        return "none: the core is a mask"
    if threshold == "fraction":
        return "each voxel of the core keeps its pore fraction"
    return f"pore where the super-resolved pore fraction is over {threshold:g}"


def _agreement(found: PermeabilityMap) -> Section:
    told = found.figures["agreement"]
    flat = found.windows.ravel()
    pairs: dict[str, Any] = {}
    for axis in found.axes:
        x, y = (millidarcy(flat[name][:, AXES.index(axis)]) for name in ("physics_m2", "surrogate_m2"))
        if np.isfinite(x).any():
            pairs[axis] = (x, y)
    picture = agreement_picture("agreement", pairs, x_label="Stokes flow (mD)", y_label="surrogate (mD)")

    def interval(name: str) -> str:
        low, high = told[f"{name}_ci95"]
        return f"{low:.3f} … {high:.3f}"

    rows = (
        ("bias of log10 k", f"{told['bias']:.3f}", interval("bias")),
        ("root mean square of the difference", f"{told['rmse']:.3f}", interval("rmse")),
        ("deviation that the networks tell", f"{told['deviation_told']:.3f}", ""),
        ("windows solved by both", str(told["windows"]), ""),
    )
    grid = Grid(("log10 k, surrogate − Stokes flow", "", "95 % interval (bootstrap over windows)"), rows)
    return Section("The map's own error", [picture], grids={"Windows solved by both": grid})


def _rev(found: PermeabilityMap) -> Section:
    told = found.figures["rev"]
    curves = {"Stokes flow in single windows": told["windows"], "Darcy flow on the grid": told["upscaled"]}
    picture = k_rev_picture(told["axis"], curves, told["edge_m"])
    settled = told["edge_m"]
    said = (
        f"Not reached: {told['reason']}"
        if settled is None
        else f"Reached from {format_length(settled, 4)} on"
    )
    return Section("Representative volume", [picture], f"{said}. Criterion: {told['criterion']}.")
