"""The tree of quantities that a measure gives: its leaves, as JSON, and as words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["is_array", "is_table", "leaves", "plain", "worded"]

_INLINE = 4


def is_table(value: Any) -> bool:
    """Return whether a value is a `pyarrow.Table`; does not import pyarrow.

    Examples
    --------
    >>> is_table({"a": 1})
    False
    """
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(value, pyarrow.Table)


def is_array(value: Any) -> bool:
    """Return whether a value is a series of values.

    Examples
    --------
    >>> is_array(np.zeros(3)), is_array("zyx")
    (True, False)
    """
    return isinstance(value, np.ndarray | list | tuple)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and the value of everything in nested mappings that is no mapping itself.

    Parameters
    ----------
    value : Any
        A mapping, or a leaf.
    path : tuple of str
        Of `value`.

    Examples
    --------
    >>> list(leaves({"z": {"mean": 0.5}, "total": 1}))
    [(('z', 'mean'), 0.5), (('total',), 1)]
    """
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, str(name)))
    else:
        yield path, value


def plain(value: Any) -> Any:
    """Return a value as JSON has it: of a table the number of rows and the names of the columns.

    Numbers that are not finite have no JSON and become None.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), "b": np.uint64(3)})
    {'a': [1.0, None], 'b': 3}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if is_table(value):
        return {"rows": value.num_rows, "columns": list(value.column_names)}
    if isinstance(value, np.ndarray):
        numbers = value.tolist()
        clean = value.dtype.kind in "biu" or (value.dtype.kind == "f" and bool(np.isfinite(value).all()))
        return numbers if clean else plain(numbers)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def worded(value: Any) -> str:
    """Return a value for a cell of a table; of an array of more than four how many and their range.

    Examples
    --------
    >>> worded(None), worded(True), worded(0.12345678), worded(np.arange(9))
    ('not known', 'yes', '0.123457', '9 values, 0 to 8')
    """
    if value is None:
        return "not known"
    if is_table(value):
        return f"{value.num_rows} rows"
    if is_array(value):
        return _range(np.asarray(value))
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else "not known"
    return str(value)


def _range(values: Any) -> str:
    if values.size == 0:
        return "none"
    if values.size <= _INLINE:
        return ", ".join(worded(value) for value in values.tolist())
    told = f"{values.size} values"
    if values.dtype.kind not in "iuf":
        return told
    known = values[np.isfinite(values)]
    return f"{told}, {known.min():.6g} to {known.max():.6g}" if known.size else f"{told}, none known"
