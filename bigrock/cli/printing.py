"""What the commands print: JSON or tables on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import typer

__all__ = ["complain", "say", "show", "show_json", "show_rows"]

_COLOURS = {"error": "bold red", "warning": "yellow", "hint": "dim"}


def complain(message: str, what: str = "error") -> None:
    """Write a message to stderr.

    Parameters
    ----------
    message : str
        Plain text.
    what : {"error", "warning", "hint"}
        Its first word.
    """
    from rich.console import Console
    from rich.text import Text

    text = Text(f"{what}: ", style=_COLOURS[what]).append(message, style="not bold default")
    Console(stderr=True).print(text, soft_wrap=True)


def say(message: str) -> None:
    """Write a line of text to stdout, as it is."""
    typer.echo(message)


def show(thing: Any) -> None:
    """Write anything that rich can draw, such as a table, to stdout."""
    from rich.console import Console

    Console().print(thing)


def show_rows(rows: Iterable[tuple[str, Any]], title: str | None = None) -> None:
    """Write labels and values to stdout, one pair a line.

    Parameters
    ----------
    rows : iterable of pairs
        Label and value; a value of None is left out.
    title : str, optional
        A heading.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, value in rows:
        if value is not None:
            table.add_row(Text(label), Text(str(value)))
    console = Console()
    if title:
        console.print(Text(title, style="bold underline"), soft_wrap=True)
    console.print(table)


def show_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
