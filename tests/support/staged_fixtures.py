"""A control API on a cluster that a test plays, for visitors of the web UI."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.staged_platform import StagedPlatform


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator["StagedPlatform"]:
    # Here and not above: most tests play no cluster.
    from modelport_control_api.migrations import upgrade as migrate

    from tests.support.staged_platform import staged_platform

    folder = tmp_path_factory.mktemp("stage")
    database = f"sqlite:///{folder / 'control-api.db'}"
    migrate.upgrade(database)
    with staged_platform(folder, database) as stage:
        yield stage
