"""Accounts of several stacks side by side, down the well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigrock.errors import ParameterError
from bigrock.workflows.shale.accounting import ShaleAccount

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["maturity_table"]


def maturity_table(accounts: Sequence[ShaleAccount], path: str | os.PathLike[str] | None = None) -> pa.Table:
    """Return a table of several stacks, one row each, ordered by depth; and write it as CSV.

    Organic matter is a volume fraction, as are all contents: weight percent of organic carbon would
    need densities, which no image has.

    Parameters
    ----------
    accounts : sequence of ShaleAccount
        Of the stacks.
    path : str or path-like, optional
        CSV file to write; one that is there is replaced.

    Returns
    -------
    pyarrow.Table
        ``sample``, ``depth_m``, ``om_content``, ``om_content_with_pores``, ``porosity``,
        ``organic_pores``, ``inorganic_pores`` (fractions of the volume), ``op_hosted``, ``op_bulk``,
        ``op_notes``, ``organic_share``, volumes in m³, and for both kinds of pores the number, the
        median aspect ratio, the share of the largest component, and the fractal dimension.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> from bigrock.workflows.shale.accounting import account
    >>> stacks = [account(Shale((16, 48, 48), level=level).truth, sample=level, progress=False)
    ...           for level in ("easy", "hard")]
    >>> maturity_table(stacks)["sample"].to_pylist()
    ['easy', 'hard']
    """
    import pyarrow as pa

    ordered = sorted(accounts, key=lambda a: (a.depth_m is None, a.depth_m or 0.0))
    if not ordered:
        raise ParameterError("a maturity table of no stack would be empty. Give at least one account.")
    table = pa.Table.from_pylist([_maturity_row(one) for one in ordered])
    if path is not None:
        import pyarrow.csv as csv

        csv.write_csv(table, Path(path))
    return table


def _maturity_row(one: ShaleAccount) -> dict[str, Any]:
    porosity, om, op = one["porosity"], one["om_contents"], one["organic_porosity"]
    row: dict[str, Any] = {
        "sample": one.sample,
        "depth_m": one.depth_m,
        "om_content": om["without_pores"],
        "om_content_with_pores": om["with_pores"],
        "porosity": porosity["total"],
        "organic_pores": porosity["organic"],
        "inorganic_pores": porosity["inorganic"],
        **{f"op_{name}": op[name] for name in ("hosted", "bulk", "notes")},
        "organic_share": one["organic_share"],
        **{f"{name}_m3": told["volume"] for name, told in one["volumes"].items() if name != "others"},
    }
    for short, (name, shape) in zip(("organic", "inorganic"), one["aspect_ratio"].items(), strict=True):
        row[f"{short}_pores_number"] = one.pores["pores"][name]["number"]
        row[f"{short}_median_aspect_ratio"] = shape["median"]
        row[f"{short}_largest_share"] = one.measurements["connectivity"][name]["largest"]
        row[f"{short}_fractal_dimension"] = one.measurements["fractal"][name]["phase"]["dimension"]
    return {key: float("nan") if value is None and key != "depth_m" else value for key, value in row.items()}
