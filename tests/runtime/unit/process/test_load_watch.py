"""The limit on loading, of a process that runs, sleeps, or is let not run by others."""

import asyncio
import signal
import sys
import time
from typing import cast

import pytest
from modelport_runtime.process.starvation import Schedule
from modelport_runtime.process.supervision import Child, LoadWatch

SLEEPS = "import time; print(flush=True); time.sleep(60)"
SPARES_ITSELF = f"import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN); {SLEEPS}"


class Process:
    """A child as the server process sees one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def status(self) -> int | None:
        return self._process.returncode

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.status is None:
            self._process.send_signal(number)


class Starved(Schedule):
    """For `seconds` from now on others have the processor."""

    def __init__(self, seconds: float) -> None:
        super().__init__(None)
        self._began = time.monotonic()
        self._seconds = seconds

    def waited(self) -> float:
        return min(self._seconds, time.monotonic() - self._began)


@pytest.mark.parametrize(
    ("code", "starved", "ended_by"),
    [(SLEEPS, 0.0, signal.SIGALRM), (SLEEPS, 1.0, signal.SIGALRM), (SPARES_ITSELF, 0.0, signal.SIGKILL)],
)
async def test_a_load_has_its_time_and_no_more(code: str, starved: float, ended_by: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", code), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    watch = LoadWatch(cast(Child, Process(process)), Starved(starved), 0.3)
    began = time.monotonic()
    watch.begin()
    async with asyncio.timeout(180):
        assert await process.wait() == -ended_by
    assert watch.is_over
    assert time.monotonic() - began >= 0.3 + starved
    watch.end()


async def test_a_load_that_has_ended_is_left_alone() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", SLEEPS), stdout=asyncio.subprocess.PIPE
    )
    watch = LoadWatch(cast(Child, Process(process)), Schedule(None), 0.2)
    watch.begin()
    watch.end()
    await asyncio.sleep(0.5)
    assert (process.returncode, watch.is_over) == (None, False)
    process.kill()
    await process.wait()
