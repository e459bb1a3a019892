"""Networks that are trained once for all tests here."""

from __future__ import annotations

import pytest
from small_networks import SHORT, SR, SURROGATE, TRAIN, VALIDATION

from bigrock.training import (
    Trained,
    train_super_resolution,
    train_surrogate,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    folder = tmp_path_factory.mktemp("made")
    return {
        "sr": train_super_resolution(TRAIN, VALIDATION, SR, SHORT["sr"], folder=folder / "sr"),  # type: ignore[arg-type]
        "surrogate": train_surrogate(
            TRAIN,
            VALIDATION,
            SURROGATE,
            SHORT["surrogate"],  # type: ignore[arg-type]
            folder=folder / "surrogate",
        ),
    }
