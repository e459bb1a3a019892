"""Kernels as text: the vocabulary is that of the kernels, and nothing is guessed."""

from __future__ import annotations

import dataclasses

import pytest

import bigrock.kernels
from bigrock.engine import Chain, Kernel
from bigrock.errors import ParameterError
from bigrock.kernels import GlobalOtsu, LocalOtsu, SelectClass, Standardize, Threshold
from bigrock.workflows import kernel_vocabulary, parse_kernel


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("local-otsu radius=31", LocalOtsu(radius=31)),
        (
            "local-otsu radius=7 ndim=3 pore=bright min_contrast=0.3",
            LocalOtsu(7, 3, pore="bright", min_contrast=0.3),
        ),
        ("  global-otsu  ", GlobalOtsu()),
        ("global-otsu threshold=80", GlobalOtsu(threshold=80.0)),
        ("global-otsu threshold=none", GlobalOtsu()),
        ("select-class value=2", SelectClass(2)),
        ("threshold value=1e3", Threshold(1000.0)),
    ],
)
def test_a_text_is_the_kernel_that_it_describes(text: str, kernel: Kernel) -> None:
    assert parse_kernel(text) == kernel


def test_stages_are_chained_in_the_order_they_are_written() -> None:
    chain = parse_kernel("standardize per=volume | local-otsu radius=5")
    assert isinstance(chain, Chain)
    assert [type(stage) for stage in chain.stages] == [Standardize, LocalOtsu]
    assert chain.halo == (0, 5, 5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty stage"),
        ("standardize |", "empty stage"),
        ("local_otsu radius=3", "did you mean local-otsu"),
        ("otsu", "Use some of: "),
        ("local-otsu", "needs radius"),
        ("local-otsu raduis=3", "did you mean radius"),
        ("local-otsu radius=3.5", "Give a whole number"),
        ("local-otsu radius=3 pore=black", "dark or bright"),
        ("local-otsu radius=3 radius=4", "twice"),
        ("local-otsu radius = 3", "key=value"),
        ("local-otsu 31", "key=value"),
        ("standardize mean=3", "no setting 'mean'"),
        ("local-otsu radius=0", "radius=0"),
    ],
)
def test_a_text_that_is_not_understood_is_refused(text: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        parse_kernel(text)


def test_every_kernel_of_the_package_can_be_written_as_text() -> None:
    known = kernel_vocabulary()
    assert {"global-otsu", "local-otsu", "select-class", "standardize", "threshold"} <= set(known)
    assert known["standardize"] == {
        "per": "slice or volume",
        "field_of_view": "centre_y,centre_x,radius or none",
    }
    kernels = [getattr(bigrock.kernels, name) for name in bigrock.kernels.__all__]
    for kernel in (k for k in kernels if isinstance(k, type) and issubclass(k, Kernel)):
        needed = {f.name for f in dataclasses.fields(kernel) if f.init and f.default is dataclasses.MISSING}
        name = "".join(f"-{c.lower()}" if c.isupper() else c for c in kernel.__name__).lstrip("-")
        assert needed <= set(known[name]), f"{name} cannot be written as text"
