"""Doubt about which value is pore: a porosity that few rocks have."""

from __future__ import annotations

import warnings

__all__ = ["PolarityWarning", "warn_of_polarity"]

_HIGHEST_USUAL = 0.6


class PolarityWarning(UserWarning):
    """So much of the volume is pore that pore and solid may be exchanged.

    Examples
    --------
    >>> issubclass(PolarityWarning, UserWarning)
    True
    """


def warn_of_polarity(
    porosity: float,
    pore: str,
    remedy: str = "Say which value is pore with pore=…, here or at the import.",
    stacklevel: int = 3,
) -> None:
    """Warn where a porosity is higher than rocks have: pore and solid may be exchanged.

    Parameters
    ----------
    porosity : float
        Fraction.
    pore : str
        What was taken as pore, for people.
    remedy : str
        What to do, as a sentence.
    stacklevel : int
        As for `warnings.warn`: 3 is the caller of who calls this.

    Examples
    --------
    >>> warn_of_polarity(0.2, "mask value True")
    """
    if porosity > _HIGHEST_USUAL:
        warnings.warn(
            f"porosity {porosity:.3f} is over {_HIGHEST_USUAL}, which few rocks reach: {pore} was counted as "
            f"pore, and if that is the solid, the porosity is {1 - porosity:.3f}. {remedy}",
            PolarityWarning,
            stacklevel=stacklevel,
        )
