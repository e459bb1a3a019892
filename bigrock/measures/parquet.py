"""Measurements as Parquet files: one for every table, and one of all numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.measures.quantities import is_array, is_table, plain

if TYPE_CHECKING:
    from bigrock.measures.measurements import Measurements

__all__ = ["write_parquet"]

_NUMBERS = "measurements"


def write_parquet(measurements: Measurements, folder: Path) -> list[Path]:
    """Write measurements into a folder, and return the files.

    Parameters
    ----------
    measurements : Measurements
        What to write.
    folder : Path
        Made where it is missing; files of the same names are replaced.

    Returns
    -------
    list of Path
        ``measurements.parquet`` first, then the tables.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.measures import Measurements
    >>> found = Measurements({"porosity": {"total": 0.25}}, {}, {})
    >>> [file.name for file in write_parquet(found, Path(tempfile.mkdtemp()))]
    ['measurements.parquet']
    """
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    told = {b"bigrock": json.dumps(plain(measurements.volume), ensure_ascii=False).encode()}
    written: dict[str, Any] = {_NUMBERS: _numbers(measurements)}
    for measure, quantity, table in measurements.tables():
        written[_free_name(f"{measure}-{quantity}", written)] = table
    files = []
    for name, table in written.items():
        files.append(folder / f"{name}.parquet")
        pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **told}), files[-1])
    return files


def _free_name(text: str, taken: dict[str, Any]) -> str:
    """Return a text as the name of a file that is not taken yet, whatever a class is called."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in text)
    name, number = safe, 2
    # Not every file system tells capitals from small letters.
    while name.lower() in {other.lower() for other in taken}:
        name, number = f"{safe}-{number}", number + 1
    return name


def _numbers(measurements: Measurements) -> Any:
    """Return every number, truth and text in long form."""
    import pyarrow as pa

    schema = pa.schema(
        [
            ("measure", pa.string()),
            ("quantity", pa.string()),
            ("index", pa.int64()),
            ("value", pa.float64()),
            ("unit", pa.string()),
            ("text", pa.string()),
        ]
    )
    parts = [pa.table(columns, schema=schema) for columns in _columns(measurements)]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _columns(measurements: Measurements) -> Iterator[dict[str, Any]]:
    for measure, quantity, value, unit in measurements.rows():
        if is_table(value):
            continue
        entries = list(value) if is_array(value) else [value]
        count = len(entries)
        yield {
            "measure": [measure] * count,
            "quantity": [quantity] * count,
            "index": range(count) if is_array(value) else [None],
            "value": [_number(entry) for entry in entries],
            "unit": [unit or None] * count,
            "text": [entry if isinstance(entry, str) else None for entry in entries],
        }


def _number(entry: Any) -> float | None:
    """Return a number, 1 and 0 for true and false, None for all else."""
    if not isinstance(entry, int | float | np.number | np.bool_):
        return None
    return float(entry) if np.isfinite(entry) else None
