"""What a user writes for an executor is what the passes get."""

from __future__ import annotations

import numpy as np
import pytest

import bigrock
from bigrock.errors import BackendError, EngineError, ParameterError
from bigrock.workflows.execution import executing, for_backend


@pytest.mark.parametrize(
    ("text", "executor"),
    [(None, None), ("serial", "serial"), ("threads", "threads"), ("3", 3), (2, 2)],
)
def test_a_text_is_the_executor_that_it_names(text: str | int | None, executor: object) -> None:
    with executing(text) as given:
        assert given == executor


@pytest.mark.parametrize("text", ["0", 0, "fast", "-1", "head:8786"])
def test_what_names_no_executor_is_refused(text: str | int) -> None:
    with pytest.raises(ParameterError, match="executor"), executing(text):
        pass


def test_an_address_where_no_scheduler_answers_is_an_error() -> None:
    with pytest.raises(EngineError, match="no Dask scheduler"), executing("nonsense://host:1"):
        pass


def test_the_gpu_backend_without_a_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from bigrock.kernels import backend

    missing = backend._Probe(usable=False, device="", reason="there is no CUDA device")
    monkeypatch.setattr(backend, "_probe_gpu", lambda: missing)
    scan = bigrock.ArraySource(np.zeros((2, 2, 2), np.uint8))
    kernel = bigrock.kernels.Threshold(3)
    assert for_backend(kernel, scan, "auto") is kernel
    with pytest.raises(BackendError, match="no CUDA device"):
        for_backend(kernel, scan, "gpu")
