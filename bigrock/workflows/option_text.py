"""Frozen dataclasses as text: a name and ``key=value`` settings; what kernels and measures share."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from bigrock.errors import ParameterError

__all__ = ["built", "near", "vocabulary"]

T = TypeVar("T")

_SIMPLE = (int, float, bool, str)
_WORDS = {"true": True, "false": False, "none": None}


def built(words: list[str], what: str, known: Mapping[str, type[T]]) -> T:
    """Return the object that words describe: its name, then settings.

    Strict: what is not understood is an error, never left out.

    Parameters
    ----------
    words : list of str
        At least the name.
    what : str
        What it is, for errors: "kernel", "measure".
    known : mapping of str to type
        Name to dataclass.

    Raises
    ------
    ParameterError
        If a name or key is not known, a value is not allowed, or a setting is missing.

    Examples
    --------
    >>> from bigrock.kernels import Threshold
    >>> built(["threshold", "value=90"], "kernel", {"threshold": Threshold})
    Threshold(value=90.0, pore='dark')
    """
    name = words[0]
    if name not in known:
        raise ParameterError(
            f"{what} {name!r} is not known{near(name, known)}. Use some of: {', '.join(known)}."
        )
    allowed = _settings(known[name])
    values: dict[str, Any] = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ParameterError(
                f"{word!r} after {name} is not a setting. Write settings as key=value without spaces, "
                f"and quotes around a {what} with its settings."
            )
        if key not in allowed:
            keys = ", ".join(allowed) or "none"
            raise ParameterError(f"{name} has no setting {key!r}{near(key, allowed)}. Its settings: {keys}.")
        if key in values:
            raise ParameterError(f"{name} {key} is given twice in {' '.join(words)!r}. Give it once.")
        values[key] = _value(name, key, value, allowed[key])
    _check_complete(name, known[name], values)
    return known[name](**values)


def vocabulary(known: Mapping[str, type[Any]]) -> dict[str, dict[str, str]]:
    """Return what each setting of each dataclass may be.

    Examples
    --------
    >>> from bigrock.kernels import Threshold
    >>> vocabulary({"threshold": Threshold})
    {'threshold': {'value': 'a number', 'pore': 'dark or bright'}}
    """
    return {
        name: {key: _allowed(hint) for key, hint in _settings(thing).items()} for name, thing in known.items()
    }


def near(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that was probably meant, or nothing.

    Examples
    --------
    >>> near("raduis", ["radius"])
    ' (did you mean radius?)'
    """
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _settings(thing: type[Any]) -> dict[str, Any]:
    """Return the fields that can be written as text, with their types; arrays cannot."""
    hints = get_type_hints(thing)
    fields = dataclasses.fields(thing)
    return {f.name: hints[f.name] for f in fields if f.init and _writable(hints[f.name])}


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Return what a value may be, as far as that can be written as text."""
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    tests = (_is_simple, _is_series, _is_numbers)
    return tuple(part for part in parts if part is type(None) or any(test(part) for test in tests))


def _writable(hint: Any) -> bool:
    return any(part is not type(None) for part in _alternatives(hint))


def _is_simple(hint: Any) -> bool:
    return hint in _SIMPLE or get_origin(hint) is Literal


def _is_series(hint: Any) -> bool:
    return get_origin(hint) is tuple and all(_is_simple(part) or part is ... for part in get_args(hint))


def _is_numbers(hint: Any) -> bool:
    """Return whether a type is a dataclass of numbers, such as a cylinder: written with commas."""
    return dataclasses.is_dataclass(hint) and set(get_type_hints(hint).values()) == {float}


def _check_complete(name: str, thing: type[Any], values: dict[str, Any]) -> None:
    missing = [
        f.name
        for f in dataclasses.fields(thing)
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
        except ParameterError:
            raise
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
        parts, kinds = text.split(","), get_args(hint)
        kinds = kinds[:1] * len(parts) if kinds[-1] is ... else kinds
        return tuple(_converted(p, t) for p, t in zip(parts, kinds, strict=True))
    if _is_numbers(hint):
        numbers = [float(part) for part in text.split(",")]
        if len(numbers) != len(dataclasses.fields(hint)):
            raise ValueError(text)
        return hint(*numbers)
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
        kinds = get_args(hint)
        if kinds[-1] is ...:
            return f"{_told(kinds[0])}, or several separated by commas"
        return f"{len(kinds)} values separated by commas"
    if _is_numbers(hint):
        return ",".join(field.name for field in dataclasses.fields(hint))
    names = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a word",
        type(None): "none",
    }
    return names[hint]
