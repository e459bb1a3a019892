"""Measures as text: the vocabulary is that of the registry, and nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pytest

from bigrock.errors import ParameterError
from bigrock.measures import MEASURES, Measure, Porosity
from bigrock.workflows import measure_vocabulary, parse_measures


@dataclass(frozen=True)
class Boxes(Measure):
    """Counts of boxes: as an example."""

    name: ClassVar[str] = "boxes"
    sizes: tuple[int, ...] | None = None
    axes: tuple[Literal["z", "y", "x"], ...] = ("z",)
    kind: Literal["phase", "interface"] = "phase"

    def reductions(self, facts: Any) -> tuple[()]:
        return ()

    def describe(self, found: Any, facts: Any) -> dict[str, Any]:
        return {}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "boxes", Boxes)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("porosity", Porosity()),
        ("boxes", Boxes()),
        ("boxes sizes=3", Boxes(sizes=(3,))),
        ("boxes sizes=3,5,9 kind=interface", Boxes((3, 5, 9), kind="interface")),
        ("  boxes   sizes=none axes=y,x ", Boxes(axes=("y", "x"))),
    ],
)
def test_a_text_is_the_measure_that_it_describes(text: str, made: Measure) -> None:
    assert parse_measures([text]) == [made]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("boxs", "did you mean boxes"),
        ("boxes sizes=3,x", "Give a whole number, or several separated by commas or none"),
        ("boxes kind=both", "phase or interface"),
        ("boxes axes=q", "z or y or x, or several"),
        ("boxes sizes=3 sizes=4", "twice"),
        ("boxes 3", "key=value"),
    ],
)
def test_a_text_that_is_not_understood_is_refused(text: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        parse_measures([text])


def test_two_texts_may_not_contradict_each_other() -> None:
    assert len(parse_measures(["boxes", "porosity", "boxes"])) == 2
    with pytest.raises(ParameterError, match="asked for twice"):
        parse_measures(["boxes", "boxes sizes=3"])


def test_every_registered_measure_can_be_written_as_text() -> None:
    assert set(measure_vocabulary()) == set(MEASURES)
    for name in MEASURES:
        assert [m.name for m in parse_measures([name])] == [name]
