"""Every pass in these tests runs on strict codecs."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _strict(strict_codecs: None) -> None:
    """Use the fixture of the same purpose in every test."""
