"""Errors of the library in the words of the command line: ``pore=…`` becomes ``--pore …``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

__all__ = ["in_options"]

_IN_COMMANDS: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"bigrock\.run\(bigrock\.kernels\.GlobalOtsu\(\), volume, dest\)": "bigrock run VOLUME DEST --kernel global-otsu",
    r"\b(\w+)=\((\d+(?:, \d+)*)\)": lambda found: f"{found[1]}={found[2].replace(', ', ',')}",
}
"""What the library says in Python, as a pattern, and what stands for it on the command line."""


def in_options(message: str, options: Iterable[str], aliases: Mapping[str, str] | None = None) -> str:
    """Return a message in which the library's keywords are the options of a command.

    Parameters
    ----------
    message : str
        Of an error or a warning; keywords stand in it as ``name=value``, or as names with underscores.
    options : iterable of str
        Parameters of the command; others are left as they are.
    aliases : mapping of str to str, optional
        Keyword of the library → parameter of the command, where they differ.

    Examples
    --------
    >>> in_options("give pore=… or overwrite=True (--overwrite)", ["pore", "overwrite"])
    'give --pore … or --overwrite'
    >>> in_options("leave field_of_view out", ["field_of_view"])
    'leave --field-of-view out'
    """
    for said, shown in _IN_COMMANDS.items():
        message = re.sub(said, shown, message)
    names = {name: name for name in options} | dict(aliases or {})
    message = message.replace(", give through=kernel", ", give --kernel TEXT" if "kernel" in names else "")
    for keyword, name in names.items():
        flag = "--" + name.replace("_", "-")
        message = re.sub(rf"(?<![\w.'-]){keyword}=True\b", flag, message)
        if keyword.startswith("no_"):
            message = re.sub(rf"(?<![\w.'-]){keyword[3:]}=False\b", flag, message)
        message = re.sub(rf"(?<![\w.'-]){keyword}=(?=[),.\s]|$)", flag, message)
        message = re.sub(rf"(?<![\w.'-]){keyword}=(?=\S)", f"{flag} ", message)
        if "_" in keyword:
            message = re.sub(rf"(?<![\w.'-]){keyword}(?![\w'])", flag, message)
        message = re.sub(rf"({flag}(?: '[^']*'| \S+)?) \({flag}(?: [^()]*)?\)", r"\1", message)
    return message
