"""Kernels as text: ``standardize | local-otsu radius=31``, for the command line and configuration files."""

from __future__ import annotations

import bigrock.kernels as kernels
from bigrock.engine.kernel import Chain, Kernel
from bigrock.errors import ParameterError
from bigrock.workflows.option_text import built, vocabulary

__all__ = ["kernel_vocabulary", "parse_kernel"]


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
    known = _known()
    stages = []
    for words in (part.split() for part in text.split("|")):
        if not words:
            raise ParameterError(
                f"kernel {text!r} has an empty stage: nothing is named there. Write it like "
                f"'standardize | local-otsu radius=31' (kernels: {', '.join(known)})."
            )
        stages.append(built(words, "kernel", known))
    return stages[0] if len(stages) == 1 else Chain(tuple(stages))


def kernel_vocabulary() -> dict[str, dict[str, str]]:
    """Return every kernel that `parse_kernel` knows, and what each of its settings may be.

    Examples
    --------
    >>> kernel_vocabulary()["threshold"]
    {'value': 'a number', 'pore': 'dark or bright'}
    """
    return vocabulary(_known())


def _known() -> dict[str, type[Kernel]]:
    found = {name: getattr(kernels, name) for name in kernels.__all__}
    return {
        _hyphened(name): thing
        for name, thing in found.items()
        if isinstance(thing, type) and issubclass(thing, Kernel)
    }


def _hyphened(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
