"""Errors of settings in the words of a configuration file: the key, the value, what is allowed."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

from bigrock.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = ["as_config_error"]


def as_config_error(error: ValidationError, model: type[BaseModel]) -> ConfigError:
    """Return the error of a model as one that names every wrong key, its value, and what is allowed.

    Parameters
    ----------
    error : pydantic.ValidationError
        From `model`.
    model : type
        The model, for the keys that are allowed.

    Returns
    -------
    ConfigError

    Examples
    --------
    >>> from pydantic import ValidationError
    >>> from bigrock.workflows.settings import ReportSettings
    >>> try:
    ...     ReportSettings(figures=3)
    ... except ValidationError as wrong:
    ...     print(as_config_error(wrong, ReportSettings))
    key figures: 3 is not allowed, it must be a valid boolean.
    """
    return ConfigError("\n".join(_line(detail, model) for detail in error.errors()))


def _line(detail: Any, model: type[BaseModel]) -> str:
    path, kind, value = detail["loc"], detail["type"], detail["input"]
    key = ".".join(map(str, path)) or "settings"
    if kind == "extra_forbidden":
        keys = list(_section(model, path[:-1]).model_fields)
        close = difflib.get_close_matches(str(path[-1]), keys, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return f"key {key}: {value!r} would be ignored, there is no such key{hint}. Use some of: {', '.join(keys)}."
    if kind == "missing" and path and isinstance(path[-1], int):
        return f"key {'.'.join(map(str, path[:-1]))}: {value!r} is not allowed, it has too few values."
    if kind == "missing":
        return f"key {key} is missing, and has no default. Add it."
    if kind == "value_error":
        return f"key {key}: {detail['ctx']['error']}"
    if kind == "model_type":
        known = ", ".join(_section(model, path).model_fields)
        return f"key {key}: {value!r} is not allowed, it must be a section with some of the keys: {known}."
    return f"key {key}: {value!r} is not allowed, {_rule(detail['msg'])}."


def _rule(message: str) -> str:
    return (
        message.replace("Input should be", "it must be").replace("Tuple should", "it should").replace("'", "")
    )


def _section(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model of a section."""
    from pydantic import BaseModel

    for key in path:
        hint = model.model_fields[str(key)].annotation
        options = [hint, *get_args(hint)]
        model = next(t for t in options if isinstance(t, type) and issubclass(t, BaseModel))
    return model
