"""Networks without training: what a map makes of them is known, whatever they have learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bigrock.models import (
    Bundle,
    SuperResolutionConfig,
    SurrogateConfig,
    build_super_resolution_net,
    build_surrogate_net,
    save_bundle,
)


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="session")
def finer(networks: Path) -> Bundle:
    """Super-resolution by 2, random."""
    torch.manual_seed(0)
    config = SuperResolutionConfig(scale=2, features=8, blocks=1)
    return save_bundle(networks / "finer", build_super_resolution_net(config), config)


@pytest.fixture(scope="session")
def surrogate(networks: Path) -> Bundle:
    """A surrogate for windows of 16, random."""
    torch.manual_seed(1)
    config = SurrogateConfig(16, views="shared", features=(4, 8), head=8, members=2, log10_rmse=0.1)
    return save_bundle(networks / "surrogate", build_surrogate_net(config).eval(), config)
