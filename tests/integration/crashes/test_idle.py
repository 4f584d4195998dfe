"""What a platform costs that nobody asks anything."""

import time

import pytest

from tests.integration.crashes.accounts import register, serve
from tests.integration.crashes.killable import killable_platform
from tests.integration.crashes.processes import cpu_seconds, pss_bytes

_SECONDS = 10.0
_MOST_CPU_SHARE = 0.03
_MOST_PLATFORM_BYTES = 250 << 20
_MOST_RUNTIME_BYTES = 200 << 20


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_idle_models_cost_next_to_nothing() -> None:
    with killable_platform() as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client:
            for tag in ("one", "two", "three"):
                serve(client, tag)
        runtimes = [child.pid for child in platform.children()]
        everybody = [platform.running.pid, *runtimes]
        assert len(runtimes) == 3
        # The least of a few: the end of the start may fall into the first.
        shares = min((measure_shares(everybody) for _ in range(2)), key=lambda each: sum(each.values()))
        memory = {pid: pss_bytes(pid) for pid in everybody}
        print(f"CPU: {shares}; PSS in MiB: { {pid: size >> 20 for pid, size in memory.items()} }")
        assert sum(shares.values()) < _MOST_CPU_SHARE
        assert memory[platform.running.pid] < _MOST_PLATFORM_BYTES
        assert all(memory[pid] < _MOST_RUNTIME_BYTES for pid in runtimes)
        assert platform.stop() == 0


def measure_shares(pids: list[int]) -> dict[int, float]:
    """Of one core."""
    before = {pid: cpu_seconds(pid) for pid in pids}
    time.sleep(_SECONDS)
    return {pid: (cpu_seconds(pid) - before[pid]) / _SECONDS for pid in pids}
