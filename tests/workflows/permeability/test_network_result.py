"""What a training says of itself is JSON, also where a score is no number."""

from __future__ import annotations

import json
from types import SimpleNamespace

from bigrock.workflows.permeability.network_training import NetworkResult


def test_the_r2_of_a_single_rock_is_none() -> None:
    bundle = SimpleNamespace(folder="model", task="permeability")
    trained = SimpleNamespace(bundle=bundle, epochs=1, seconds=0.5, validation={"r2": 0.5})
    found = NetworkResult(trained, {"r2": float("nan"), "count": 1, "rmse_log10": 0.25})  # type: ignore[arg-type]
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["test"] == {"r2": None, "count": 1, "rmse_log10": 0.25}
