"""Where the pores of a shale are: organic and inorganic pores, organic matter, organic porosity, maturity."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import bigrock
from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Shape
from bigrock.measures import Connectivity, Measurements
from bigrock.units import parse_length
from bigrock.volumes import source_of
from bigrock.volumes.source import Facts, Source, facts_of, required_voxel_size
from bigrock.workflows.shale.aspect_ratios import aspect_ratios
from bigrock.workflows.shale.organic_porosity import UNITS, ShaleVolumes, organic_quantities

__all__ = ["ShaleAccount", "account"]

Definition = Literal["hosted", "bulk", "notes"]

ORGANIC_MATTER = "organic matter"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ShaleAccount:
    """What `account` found in one stack: prints itself, and is written as JSON, CSV, Parquet and a page.

    Attributes
    ----------
    sample : str
        Name of the stack.
    depth_m : float or None
        Where it comes from, metres.
    organic_matter : str or None
        The class of organic matter, where there is one.
    volumes : ShaleVolumes
        The counts of voxels.
    measurements : Measurements
        ``["shale"]`` (volumes, porosity, ``om_content``, ``organic_porosity``, ``organic_share``,
        ``aspect_ratio``, ``reasons``); ``["profiles"]``, ``["connectivity"]`` and ``["fractal"]`` by
        class; ``["pore_space"]`` of both kinds of pores together.
    pores : Measurements
        ``["pores"]`` by class of pores: the tables of the watershed.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> found = account(Shale((16, 48, 48), level="easy", seed=1).truth, progress=False)
    >>> found.volumes.total == 16 * 48 * 48
    True
    """

    sample: str
    depth_m: float | None
    organic_matter: str | None
    volumes: ShaleVolumes
    measurements: Measurements
    pores: Measurements

    def __getitem__(self, name: str) -> Any:
        """Return a quantity of ``measurements["shale"]``, such as ``account["om_content"]``."""
        return self.measurements["shale"][name]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        pores = self.pores.to_dict()
        told = self.measurements.to_dict()
        units = {**told.pop("units"), "pores": pores["units"]["pores"]}
        origin = told.pop("volume")
        heading = {"sample": self.sample, "depth_m": self.depth_m}
        return {**heading, **told, "pores": pores["pores"], "volume": origin, "units": units}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text, and write it to a file where a path is given."""
        import json

        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per number: measure, quantity, value, unit."""
        self._whole().to_csv(path)

    def to_parquet(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the tables of components, pores and throats, and all numbers, as Parquet files."""
        return self._whole().to_parquet(folder)

    def _whole(self) -> Measurements:
        values = {**self.measurements.values_by_measure, **self.pores.values_by_measure}
        units = {**self.measurements.units, **self.pores.units}
        return Measurements(values, units, self.measurements.volume)

    def __str__(self) -> str:
        return str(self._numbers())

    def __repr__(self) -> str:
        return f"<ShaleAccount of {self.sample}>"

    def __rich__(self) -> Any:
        return self._numbers().__rich__()

    def _numbers(self) -> Measurements:
        """Return the account without what it was made from."""
        told = self.measurements
        origin = {name: value for name, value in told.volume.items() if name != "classes"}
        return Measurements({"shale": told["shale"]}, told.units, origin)


def account(
    labels: Source | str | os.PathLike[str],
    *,
    sample: str | None = None,
    depth: str | float | None = None,
    organic_matter: str = ORGANIC_MATTER,
    organic_pore: str = "organic pore",
    inorganic_pore: str = "inorganic pore",
    organic_porosity: Definition = "hosted",
    pores_count_as_om: bool = False,
    min_pore_voxels: int = 20,
    executor: Any = None,
    block: Shape | None = None,
    ram: str | float | None = None,
    progress: Any = None,
) -> ShaleAccount:
    r"""Return how much of a shale is organic matter and pore, of which kind, in which shapes, and how connected.

    Four reads in blocks, whatever the size of the stack: all classes at once, both kinds of pores
    together, and the pores by watershed (two). Exact counts, the same for any blocks and workers.
    With V the volumes of organic matter (OM), organic and inorganic pores:

    .. math::
        \text{hosted} = \frac{V_{org}}{V_{OM} + V_{org}}, \quad
        \text{bulk} = \frac{V_{org}}{V_{total}}, \quad
        \text{notes} = \frac{V_{org}}{V_{OM} + V_{inorg}}

    The third is written so in the notes to the method of 2023; its numerator is no part of its
    denominator. Without a class of organic matter (three classes) what needs its volume is None,
    and ``reasons`` says so.

    Parameters
    ----------
    labels : Volume, Source or path
        A label volume with a class table and a voxel size (each axis of its own).
    sample : str, optional
        Name in tables; by default that of the volume.
    depth : float or str, optional
        Metres, or a length such as ``"2900 m"``; for the maturity table.
    organic_matter, organic_pore, inorganic_pore : str
        Names of the classes.
    organic_porosity : {"hosted", "bulk", "notes"}
        Which definition is ``organic_porosity.value``; all three are told beside the volumes.
    pores_count_as_om : bool
        Whether ``om_content`` takes in the organic pores; both are told.
    min_pore_voxels : int
        Aspect ratios are those of pores of at least so many voxels that touch no face of the stack.
    executor, block, ram, progress
        As for `bigrock.run`; none of them changes the result.

    Returns
    -------
    ShaleAccount
        ``found["organic_porosity"]["value"]``, tables, JSON, CSV, and a page by `write_account_report`.

    Raises
    ------
    PhaseError
        If the volume has no class table or lacks a class of pores, or holds values outside of it.
    VoxelSizeError
        If the volume has no voxel size.

    References
    ----------
    .. [1] Loucks R.G. et al., "Morphology, genesis, and distribution of nanometer-scale pores in
       siliceous mudstones of the Mississippian Barnett Shale", J. Sediment. Res. 79, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> classes = {"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3}
    >>> voxels = np.zeros((4, 4, 4), np.uint8)
    >>> voxels[0], voxels[1, 0], voxels[3, 3] = 1, 2, 3
    >>> stack = bigrock.ArraySource(voxels, (1e-8, 5e-9, 5e-9), kind="labels", classes=classes)
    >>> found = account(stack, progress=False)
    >>> found["organic_porosity"]["hosted"], found["om_content"], found["organic_share"]
    (0.2, 0.25, 0.5)
    """
    source = source_of(labels)
    facts = facts_of(source)
    roles = _roles(facts, organic_matter, organic_pore, inorganic_pore)
    required_voxel_size(source, "the account of a shale")
    if organic_porosity not in ("hosted", "bulk", "notes"):
        raise ParameterError(
            f"organic_porosity={organic_porosity!r} is no definition. Use 'hosted', 'bulk' or 'notes'."
        )
    how = {"executor": executor, "block": block, "ram": ram, "progress": progress}
    kinds = [organic_pore, inorganic_pore]
    classes = bigrock.measure(
        source, ["porosity", "profiles", Connectivity(), "fractal"], classes=list(facts.classes), **how
    )
    _refuse_strangers(classes, facts)
    space = bigrock.measure(source, ["porosity", Connectivity(table=False), "fractal"], pore=kinds, **how)
    pores = bigrock.measure(source, "pores", classes=kinds, **how)
    volumes = _volumes(classes, roles)
    shale = organic_quantities(volumes, definition=organic_porosity, pores_count_as_om=pores_count_as_om)
    shale["aspect_ratio"] = {
        name: aspect_ratios(pores["pores"][name]["pores"], min_pore_voxels) for name in kinds
    }
    return ShaleAccount(
        sample=sample or PurePosixPath(str(getattr(source, "path", ""))).stem or "stack",
        depth_m=None if depth is None else parse_length(depth),
        organic_matter=roles["organic_matter"],
        volumes=volumes,
        measurements=_merged(shale, classes, space),
        pores=pores,
    )


def _roles(
    facts: Facts, organic_matter: str, organic_pore: str, inorganic_pore: str
) -> dict[str, str | None]:
    """Return the class of each role; of organic matter None where there is no such class."""
    table = ", ".join(f"{name!r} = {value}" for name, value in facts.classes.items()) or "none"
    if facts.kind != "labels" or not facts.classes:
        raise PhaseError(
            f"the volume has no class table (it holds {facts.kind}): which voxels are organic would be guessed. Give "
            "a label volume, such as the result of a shale segmentation."
        )
    roles = {"organic_pore": organic_pore, "inorganic_pore": inorganic_pore}
    if organic_matter in facts.classes or organic_matter != ORGANIC_MATTER:
        roles["organic_matter"] = organic_matter
    for role, name in roles.items():
        if name not in facts.classes:
            raise PhaseError(
                f"{role}={name!r} is not a class of the volume; its classes are {table}. Name the class with "
                f"{role}=…; pores that are not parted yet are parted by split_organic_pores."
            )
    if len(set(roles.values())) < len(roles):
        raise PhaseError(f"{roles}: one class has two roles, and would count twice. Name different classes.")
    return {"organic_matter": None, **roles}


def _refuse_strangers(classes: Measurements, facts: Facts) -> None:
    found = classes["porosity"]
    known = sum(q["pore_voxels"] for q in found.values())
    total = next(iter(found.values()))["voxels"]
    if known != total:
        raise PhaseError(
            f"{total - known} of {total} voxels have a value that is not in the class table {dict(facts.classes)}: "
            "they would be counted as nothing. Segment again, or import the volume with its full class table."
        )


def _volumes(classes: Measurements, roles: Mapping[str, str | None]) -> ShaleVolumes:
    counts = {name: q["pore_voxels"] for name, q in classes["porosity"].items()}
    taken = {role: None if name is None else counts[name] for role, name in roles.items()}
    some = next(iter(classes["porosity"].values()))
    named = {name: role for role, name in roles.items() if name is not None}
    rest = {name: count for name, count in counts.items() if name not in named}
    voxel_m3 = some["bulk_volume"] / some["voxels"]
    return ShaleVolumes(
        organic_matter=taken["organic_matter"],
        organic_pore=counts[str(roles["organic_pore"])],
        inorganic_pore=counts[str(roles["inorganic_pore"])],
        others=rest,
        total=some["voxels"],
        voxel_m3=voxel_m3,
    )


def _merged(shale: dict[str, Any], classes: Measurements, space: Measurements) -> Measurements:
    """Return one set of measurements: the account first, then what it was made from."""
    values = {"shale": shale, **classes.values_by_measure}
    units = {"shale": UNITS, **classes.units}
    values["pore_space"] = {name: space[name] for name in space}
    units["pore_space"] = {
        f"{name}.{quantity}": unit for name, told in space.units.items() for quantity, unit in told.items()
    }
    return Measurements(values, units, classes.volume)
