"""Fixtures that every test may use: real scans, and codecs that never fall back in silence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zarr
from hypothesis import settings

# The same examples every time, however busy the machine is.
settings.register_profile("bigrock", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("bigrock")

ROOT = Path(__file__).parent.parent
# What several test files share lies beside them in modules, so that worker processes can import it too.
SHARED = "engine", "datasets", "kernels", "measures", "training", "volumes/formats", "workflows/permeability"
for folder in SHARED:
    sys.path.insert(0, str(ROOT / "tests" / folder))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans, which is no part of the project."""
    folder = Path(os.environ.get("BIGROCK_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real scans at {folder}: set BIGROCK_TEST_DATA to their folder")
    return folder


@pytest.fixture
def strict_codecs() -> Iterator[None]:
    """Make the compiled codec pipeline raise where it would hand over to zarr's own."""
    with zarr.config.set({"codec_pipeline.strict": True}):
        yield
