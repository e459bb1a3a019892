"""Kernels as text: ``standardize | local-otsu radius=31``, for the command line and configuration files."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import bigrock.kernels as kernels
from bigrock.engine.kernel import Chain, Kernel
from bigrock.errors import ParameterError

__all__ = ["kernel_vocabulary", "parse_kernel"]

_SIMPLE = (int, float, bool, str)
_WORDS = {"true": True, "false": False, "none": None}


def parse_kernel(text: str) -> Kernel:
    """Return the kernel that a text describes: names and ``key=value`` settings, joined by ``|``.

    The names are those of `bigrock.kernels` in lower case with hyphens, the keys are the fields of
    these kernels. Strict: what is not understood is an error, never left out.

    Parameters
    ----------
    text : str
        Such as ``"standardize | local-otsu radius=31 min_contrast=0.3"``.

    Returns
    -------
    Kernel
        One kernel, or the chain of several.

    Raises
    ------
    ParameterError
        If a kernel or key is not known, a value is not allowed, or a setting is missing; names what
        is allowed.

    Examples
    --------
    >>> parse_kernel("threshold value=90 pore=dark")
    Threshold(value=90.0, pore='dark')
    >>> len(parse_kernel("standardize | global-otsu").stages)
    2
    """
    stages = [_stage(part.split(), text) for part in text.split("|")]
    return stages[0] if len(stages) == 1 else Chain(tuple(stages))


def kernel_vocabulary() -> dict[str, dict[str, str]]:
    """Return every kernel that `parse_kernel` knows, and what each of its settings may be.

    Examples
    --------
    >>> kernel_vocabulary()["threshold"]
    {'value': 'a number', 'pore': 'dark or bright'}
    """
    return {
        name: {key: _allowed(hint) for key, hint in _settings(kernel).items()}
        for name, kernel in _known().items()
    }


def _known() -> dict[str, type[Kernel]]:
    found = {name: getattr(kernels, name) for name in kernels.__all__}
    return {
        _hyphened(name): thing
        for name, thing in found.items()
        if isinstance(thing, type) and issubclass(thing, Kernel)
    }


def _hyphened(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _settings(kernel: type[Kernel]) -> dict[str, Any]:
    """Return the fields of a kernel that can be written as text, with their types; arrays cannot."""
    hints = get_type_hints(kernel)
    fields = dataclasses.fields(kernel)  # type: ignore[arg-type]
    return {f.name: hints[f.name] for f in fields if f.init and _writable(hints[f.name])}


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _writable(hint: Any) -> bool:
    return all(
        part in (*_SIMPLE, type(None)) or get_origin(part) is Literal or _is_series(part)
        for part in _alternatives(hint)
    )


def _is_series(hint: Any) -> bool:
    return get_origin(hint) is tuple and all(part in _SIMPLE for part in get_args(hint))


def _stage(words: list[str], text: str) -> Kernel:
    known = _known()
    if not words:
        raise ParameterError(
            f"kernel {text!r} has an empty stage: nothing is named there. Write it like "
            f"'standardize | local-otsu radius=31' (kernels: {', '.join(known)})."
        )
    name = words[0]
    if name not in known:
        raise ParameterError(
            f"kernel {name!r} is not known{_near(name, known)}. Use some of: {', '.join(known)}."
        )
    kernel = known[name]
    allowed = _settings(kernel)
    values: dict[str, Any] = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ParameterError(
                f"{word!r} after {name} is not a setting. Write settings as key=value without spaces, "
                "and '|' between kernels."
            )
        if key not in allowed:
            keys = ", ".join(allowed) or "none"
            raise ParameterError(f"{name} has no setting {key!r}{_near(key, allowed)}. Its settings: {keys}.")
        if key in values:
            raise ParameterError(f"{name} {key} is given twice in {text!r}. Give it once.")
        values[key] = _value(name, key, value, allowed[key])
    _check_complete(name, kernel, values)
    return kernel(**values)


def _check_complete(name: str, kernel: type[Kernel], values: dict[str, Any]) -> None:
    missing = [
        f.name
        for f in dataclasses.fields(kernel)  # type: ignore[arg-type]
        if f.init
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
        and f.name not in values
    ]
    if missing:
        raise ParameterError(
            f"{name} needs {', '.join(missing)}. Write it like '{name} {' '.join(f'{key}=…' for key in missing)}'."
        )


def _value(name: str, key: str, text: str, hint: Any) -> Any:
    for part in _alternatives(hint):
        try:
            return _converted(text, part)
        except ValueError:
            continue
    raise ParameterError(f"{name} {key}={text} is not allowed. Give {_allowed(hint)}.")


def _converted(text: str, hint: Any) -> Any:
    """Return a text as a value of a type; raise ValueError where it is none."""
    if get_origin(hint) is Literal:
        found = [choice for choice in get_args(hint) if str(choice) == text]
        if not found:
            raise ValueError(text)
        return found[0]
    if _is_series(hint):
        parts = text.split(",")
        return tuple(_converted(p, t) for p, t in zip(parts, get_args(hint), strict=True))
    if hint in (bool, type(None)):
        if text not in _WORDS or not isinstance(_WORDS[text], hint):
            raise ValueError(text)
        return _WORDS[text]
    return hint(text)


def _allowed(hint: Any) -> str:
    return " or ".join(_told(part) for part in _alternatives(hint))


def _told(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if _is_series(hint):
        return f"{len(get_args(hint))} values separated by commas"
    names = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a word",
        type(None): "none",
    }
    return names[hint]


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""
