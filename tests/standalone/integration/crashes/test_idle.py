"""What a platform costs that nobody asks anything."""

import time

import pytest

from tests.standalone.integration.crashes.accounts import register, serve
from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform, poll
from tests.standalone.integration.crashes.processes import Child, cpu_seconds, pss_bytes
from tests.support.slowness import slowness

_SECONDS = 10.0
_MOST_CPU_SHARE = 0.03
_MOST_PLATFORM_BYTES = 250 << 20
_MOST_CHILD_BYTES = 200 << 20


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_three_idle_models_cost_next_to_nothing() -> None:
    with killable_platform() as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client:
            for tag in ("one", "two", "three"):
                serve(client, tag)
        poll(lambda: "" if _workers(platform) else "none", "the batch worker is there")
        children = platform.children()
        everybody = [platform.running.pid, *(child.pid for child in children)]
        assert [child.is_runtime for child in children].count(True) == 3
        # The least of a few: the end of the start may fall into the first.
        shares = min((measure_shares(everybody) for _ in range(2)), key=lambda each: sum(each.values()))
        memory = {pid: pss_bytes(pid) for pid in everybody}
        print(f"CPU: {shares}; PSS in MiB: { {pid: size >> 20 for pid, size in memory.items()} }")
        # Each wake-up costs more where others have had the caches meanwhile.
        assert sum(shares.values()) < _MOST_CPU_SHARE * slowness()
        assert memory[platform.running.pid] < _MOST_PLATFORM_BYTES
        assert all(memory[child.pid] < _MOST_CHILD_BYTES for child in children)
        assert platform.stop() == 0


def _workers(platform: KillablePlatform) -> list[Child]:
    return [child for child in platform.children() if child.is_batch_worker]


def measure_shares(pids: list[int]) -> dict[int, float]:
    """Of one core."""
    before = {pid: cpu_seconds(pid) for pid in pids}
    time.sleep(_SECONDS)
    return {pid: (cpu_seconds(pid) - before[pid]) / _SECONDS for pid in pids}
