"""Probes of a process that others let not run: its time stands still, until even that is too long."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime.process.starvation import Schedule, waited_with_children
from modelport_standalone.local_cluster.probes import Probes, Termination, Timings

SERVER = Path(__file__).with_name("pod_server.py")


@asynccontextmanager
async def served(folder: Path, **env: str) -> AsyncIterator[str]:
    socket = str(folder / "s")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(SERVER)), env={"LISTEN": f"unix:{socket}", **env}
    )
    try:
        yield socket
    finally:
        process.kill()
        await process.wait()


def a_probe(path: str, period: float, failures: int, seconds: float = 1) -> dict[str, Any]:
    probe = {"httpGet": {"path": path}, "periodSeconds": period, "failureThreshold": failures}
    return {**probe, "timeoutSeconds": seconds}


def probing(container: dict[str, Any], socket: str, waited: Callable[[], float], seen: list[Any]) -> Probes:
    async def on_start() -> None:
        seen.append("loaded")

    return Probes(
        container,
        socket,
        Timings(starting_probe=0.02),
        waited=waited,
        on_start=on_start,
        on_change=lambda started, ready: seen.append((started, ready)),
    )


def starved_since_now(share: float) -> Callable[[], float]:
    began = time.monotonic()
    return lambda: share * (time.monotonic() - began)


async def test_a_starved_start_has_the_time_that_it_was_given(tmp_path: Path) -> None:
    seen: list[Any] = []
    container = {"startupProbe": a_probe("/startupz", 0.3, 1)}
    async with served(tmp_path, DELAY="1.2") as socket:
        task = asyncio.create_task(probing(container, socket, starved_since_now(0.95), seen).run())
        async with asyncio.timeout(180):
            while not seen:
                assert not task.done()
                await asyncio.sleep(0.02)
        task.cancel()
    # It is reported before it is said to have started: priority is lowered then.
    assert seen == ["loaded", (True, True)]


async def test_a_start_that_hangs_on_its_own_is_given_up_at_its_limit(tmp_path: Path) -> None:
    container = {"startupProbe": a_probe("/startupz", 0.2, 1)}
    async with served(tmp_path, REFUSE="startupz") as socket:
        termination = await probing(container, socket, lambda: 0.0, []).run()
    assert termination == Termination("StartupProbeFailed", "It had not started after 0 s.")


async def test_even_a_starved_start_is_given_up_some_time_in_words(tmp_path: Path) -> None:
    container = {"startupProbe": a_probe("/startupz", 0.1, 1)}
    async with served(tmp_path, REFUSE="startupz") as socket:
        termination = await probing(container, socket, starved_since_now(0.99), []).run()
    assert termination.reason == "StartupProbeFailed"
    assert termination.message.startswith("It was starved of CPU: of the 1 s since its start it waited")


@pytest.mark.parametrize(("share", "killed"), [(0.0, True), (0.9, False)])
async def test_silence_of_a_starved_process_does_not_count(
    tmp_path: Path, share: float, killed: bool
) -> None:
    container = {"livenessProbe": a_probe("/healthz", 0.02, 3, 0.05)}
    began = time.monotonic()
    # Nobody listens: each asking fails.
    probes = probing(container, str(tmp_path / "nobody"), starved_since_now(share), [])
    task = asyncio.create_task(probes.run())
    done, _ = await asyncio.wait({task}, timeout=120)
    assert done
    termination = task.result()
    assert ("starved of CPU" in termination.message) is not killed
    assert time.monotonic() - began > 0.05


def test_the_waiting_time_of_a_real_process_is_read_from_the_scheduler() -> None:
    schedule = Schedule.open(os.getpid())
    before = schedule.waited()
    assert 0 <= before <= schedule.waited() <= waited_with_children(os.getpid()) + 1
    schedule.close()
    assert schedule.waited() == 0.0
    assert Schedule.open(2**22 - 1).waited() == 0.0
