"""Running platforms: one for all tests that only use it, and new ones for tests that end them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.platform_process import PlatformProcess


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator["PlatformProcess"]:
    """`.url`, `.register_user()`, `.admin_token()`. Do not stop it: others use it too."""
    from tests.support.platform_process import PlatformProcess, measuring

    # What only a whole platform runs is counted in this one: the others would count the same lines again.
    process = PlatformProcess(tmp_path_factory.mktemp("platform"), **measuring()).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def new_platform(tmp_path: Path) -> Iterator[Callable[..., "PlatformProcess"]]:
    """Make platforms on one data folder, to be started, stopped and killed at will."""
    from tests.support.platform_process import PlatformProcess

    made: list[PlatformProcess] = []

    def make(**env: str) -> PlatformProcess:
        made.append(PlatformProcess(tmp_path, **env))
        return made[-1]

    yield make
    for each in made:
        if each._process is not None and each.process.poll() is None:
            each.process.kill()
            each.process.communicate()
