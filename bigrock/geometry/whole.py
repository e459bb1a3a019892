"""What counts as a whole number where a user gives one."""

from __future__ import annotations

from numbers import Integral
from typing import TypeGuard

__all__ = ["is_whole"]


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number, of Python or numpy; True and 3.0 are none.

    Examples
    --------
    >>> is_whole(3), is_whole(3.0), is_whole(True), is_whole("3")
    (True, False, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)
