from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.disturbances.world import World, build_world


# Of the folder: later ones take the platform away.
@pytest.fixture(scope="package")
def world(cluster: Any, platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    built = build_world(cluster, platform, tmp_path_factory.mktemp("disturbed"))
    yield built
    built.person.cli("delete", built.model_id, "--yes")
