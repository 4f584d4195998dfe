from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.disturbances.harness import Harness, build_harness


# Of the folder: later ones take the platform away.
@pytest.fixture(scope="package")
def harness(cluster: Any, platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    built = build_harness(cluster, platform, tmp_path_factory.mktemp("disturbed"))
    yield built
    built.person.cli("delete", built.model_id, "--yes")
