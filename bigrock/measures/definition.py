"""What a measure is: reductions over a volume, and how their results become named quantities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.volumes.source import Facts

__all__ = ["FieldOfView", "Found", "Measure"]


@dataclass(frozen=True, slots=True)
class Found:
    """What the reductions of a measure found, for `Measure.describe`.

    Parameters
    ----------
    results : list
        Of `Measure.reductions`, in their order.
    solid : list
        Of `Measure.solid_reductions`.
    whole : list, optional
        Of `Measure.reductions` again, over the mask of the field of view: the denominators. None
        where the whole volume is inside, or the measure is not `relative`.

    Examples
    --------
    >>> Found([21]).whole is None
    True
    """

    results: list[Any]
    solid: list[Any] = ()  # type: ignore[assignment]
    whole: list[Any] | None = None


class Measure(ABC):
    """One name that `bigrock.measure` understands, with its options; subclass it as a frozen dataclass.

    A new measure is one such class, entered in `bigrock.measures.registry.MEASURES`; everything
    else (one shared read, classes, field of view, JSON, CSV, tables, units) follows. Reductions of
    several measures that are equal run once.

    Attributes
    ----------
    name : str
        What callers write.
    of : {"values", "phase"}
        What the reductions are given: the voxels as stored, or the mask of the phase.
    units : mapping
        Quantity → unit, by its last name or, more specific, its dotted path; nothing where it is
        a plain number. "length", "area", "volume" stand for m, m², m³ where the voxel size is
        known, else for voxels; "per length", "per area", "per volume" for their inverse.
    relative : bool
        Whether `describe` takes denominators from the field of view (`Found.whole`).

    Examples
    --------
    >>> from bigrock.measures import MEASURES
    >>> MEASURES["porosity"].of
    'phase'
    """

    name: ClassVar[str]
    of: ClassVar[Literal["values", "phase"]] = "phase"
    units: ClassVar[Mapping[str, str]] = {}
    relative: ClassVar[bool] = True

    @abstractmethod
    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return what must be reduced, any number; all of them share the one read."""

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return what must be reduced of the other voxels inside the field of view."""
        return ()

    def fitting(self, facts: Facts) -> Reduction | None:
        """Return what must be known of the phase first, or None; costs a read before."""
        return None

    def fitted(self, result: Any) -> Measure:
        """Return the measure completed by the result of `fitting`."""
        return self

    def within(self, field: FieldOfView) -> Self:
        """Return the measure for the voxels inside a field of view.

        Masks are cut to the field before the reductions see them; a measure of values must do so
        itself.
        """
        if self.of == "values":
            raise ParameterError(
                f"measure {self.name!r} cannot leave out what lies outside the field of view: the numbers would "
                "be those of the square. Measure it without field_of_view, or crop the volume."
            )
        return self

    @abstractmethod
    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities: numbers, one-dimensional arrays, text, None, `pyarrow.Table`, or mappings of these."""
