from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.disturbances.world import World, build_world


@pytest.fixture(scope="session")
def world(cluster: Any, platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    built = build_world(cluster, platform, tmp_path_factory.mktemp("disturbed"))
    yield built
    built.person.cli("delete", built.model_id, "--yes")
