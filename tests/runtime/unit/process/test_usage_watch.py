"""How many threads and how much memory a process has, and what it is ended for."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
from modelport_runtime.process.supervision import Child
from modelport_runtime.process.usage_watch import MAX_THREADS, Usage, UsageWatch

from tests.support.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")

PLENTY = 1 << 40
USES = """
import sys, threading
threads, megabytes = map(int, sys.stdin.readline().split())
held = bytearray(b"x") * (megabytes << 20)
go_on = threading.Event()
threading.stack_size(1 << 16)
for _ in range(threads): threading.Thread(target=go_on.wait, daemon=True).start()
open("/proc/self/comm", "w").write("a) S 1 (b")
print("there", flush=True)
sys.stdin.readline()
"""


class Process(Child):
    """A child that uses what it is given."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", USES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        super().__init__(self._process.pid)

    def uses(self, threads: int = 0, megabytes: int = 0) -> None:
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        given.write(f"{threads} {megabytes}\n")
        given.flush()
        assert answers.readline() == "there\n"

    def close(self) -> int:
        self._process.kill()
        self._process.communicate()
        return self._process.returncode

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None


@pytest.fixture
def process() -> Iterator[Process]:
    started = Process()
    yield started
    started.close()


def test_usage_is_read_of_a_process_with_any_name(process: Process) -> None:
    usage = Usage.open(process.pid)
    process.uses(threads=7, megabytes=50)

    threads, resident = usage.read()

    assert threads == 8
    assert 50 << 20 < resident < 150 << 20
    process.close()
    assert usage.read() == (0, 0)


async def test_a_model_within_its_limits_goes_on(process: Process) -> None:
    process.uses(threads=20, megabytes=20)
    watch = UsageWatch(process, Usage.open(process.pid), PLENTY)
    watch.begin()

    await asyncio.sleep(0.6)

    assert watch.overuse is None
    assert not process.has_ended
    watch.end()


@pytest.mark.parametrize(
    ("threads", "most_bytes", "reason", "says"),
    [
        (MAX_THREADS + 9, PLENTY, "SandboxViolation", f"{MAX_THREADS + 10} threads"),
        (0, 30 << 20, "OutOfMemory", "its limit is 30 MiB"),
    ],
)
async def test_a_model_beyond_its_limits_is_ended(
    threads: int, most_bytes: int, reason: str, says: str, process: Process
) -> None:
    process.uses(threads, megabytes=50)
    watch = UsageWatch(process, Usage.open(process.pid), most_bytes)
    watch.begin()

    await until(lambda: process.has_ended)

    assert watch.overuse is not None
    assert watch.overuse.reason == reason
    assert says in watch.overuse.message
    watch.end()
