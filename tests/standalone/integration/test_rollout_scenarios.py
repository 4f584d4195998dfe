"""Rollouts of candidates of many kinds: each ends as it should, and no caller is failed."""

from collections.abc import Iterator

import pytest

from tests.support.platform_process import PlatformProcess
from tests.support.rollout_scenarios import SCENARIOS, check_end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EACH_TIME = {"raises on a segment", "too big"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    running = PlatformProcess(tmp_path_factory.mktemp("scenarios")).start()
    yield running
    running.stop()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in EACH_TIME else pytest.mark.nightly) for name in SCENARIOS],
)
async def test_a_candidate_ends_as_it_should(name: str, platform: PlatformProcess) -> None:
    with platform.register_user() as owner:
        await check_end(name, owner)
