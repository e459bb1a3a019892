"""The account of a shale as a page."""

from __future__ import annotations

import os
from pathlib import Path

from bigrock.measures import Measurements
from bigrock.report import write_report
from bigrock.report.section import Section
from bigrock.report.shale_figures import (
    aspect_picture,
    organic_porosity_grid,
    stacked_profile,
    volumes_grid,
)
from bigrock.report.views import view_picture
from bigrock.volumes import source_of
from bigrock.volumes.source import Source, facts_of
from bigrock.workflows.shale.accounting import ShaleAccount

__all__ = ["account_sections", "write_account_report"]


def account_sections(
    found: ShaleAccount, labels: Source | str | os.PathLike[str], *, longest: int = 192
) -> list[Section]:
    """Return the account as sections of a page: organic porosity, profile, shapes of pores, and a view.

    Parameters
    ----------
    found : ShaleAccount
        What `account` returned.
    labels : Volume, Source or path
        What was accounted.
    longest : int
        Voxels along the longest axis of the view; the volume is halved until it fits.

    Returns
    -------
    list of Section

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> from bigrock.workflows.shale.accounting import account
    >>> stack = Shale((8, 32, 32), level="easy").truth
    >>> [s.heading for s in account_sections(account(stack, progress=False), stack, longest=32)]
    ['Organic porosity', 'Pores in three dimensions']
    """
    source = source_of(labels)
    classes = facts_of(source).classes
    shale, profiles = found.measurements["shale"], found.measurements["profiles"]
    pictures = [stacked_profile({name: axes["z"] for name, axes in profiles.items()}, classes)]
    shapes = aspect_picture(shale["aspect_ratio"], classes)
    grids = {"Definitions": organic_porosity_grid(shale), "Volumes": volumes_grid(shale["volumes"])}
    numbers = Section("Organic porosity", pictures + ([shapes] if shapes else []), grids=grids)
    pores = list(shale["aspect_ratio"])
    fog = [found.organic_matter] if found.organic_matter else []
    view = view_picture(source, surfaces=pores, fog=fog, longest=longest)
    return [numbers, Section("Pores in three dimensions", [view])]


def write_account_report(
    found: ShaleAccount,
    labels: Source | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
) -> Path:
    """Write a page about the account of a stack, and return its path.

    Shows slices, organic porosity in three definitions with all volumes, the classes along z, aspect
    ratios, a view of the pores from outside, and everything measured class by class.

    Parameters
    ----------
    found : ShaleAccount
        What `account` returned.
    labels : Volume, Source or path
        What was accounted.
    path : str or path-like
        The page; one that is there is replaced.
    title : str, optional
        Heading of the page.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> from bigrock.workflows.shale.accounting import account
    >>> stack = Shale((8, 32, 32), level="easy").truth
    >>> found = account(stack, progress=False)
    >>> write_account_report(found, stack, tempfile.mkdtemp() + "/account.html").name
    'account.html'
    """
    source = source_of(labels)
    told = found.measurements
    kept = {name: told[name] for name in told if name not in ("shale", "pore_space")}
    parts = [Measurements(kept, told.units, told.volume), found.pores]
    return write_report(
        {found.sample: source},
        path,
        measurements=parts,
        title=title or f"Account of {found.sample}",
        sections=account_sections(found, source),
    )
