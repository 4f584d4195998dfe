from typing import Any

import pytest

from tests.e2e.disturbances.world import World, build_world


@pytest.fixture(scope="session")
def world(cluster: Any, platform: Any, tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(cluster, platform, tmp_path_factory.mktemp("disturbed"))
