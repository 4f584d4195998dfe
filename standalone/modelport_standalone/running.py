"""From a claimed folder and a bound port to a running platform, and back."""

import asyncio
import signal
import socket
from typing import Any

from modelport_http.server import Server
from modelport_process.descriptors import raise_limit
from modelport_process.garbage import spared

from modelport_standalone import platform, sandbox_check
from modelport_standalone.data_dir import DataDir
from modelport_standalone.options import Options
from modelport_standalone.saying import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(options: Options, data: DataDir, listener: socket.socket) -> int:
    """Serve until a signal; gives the exit code. Raises `CannotStart`."""
    raise_limit()
    stop = _hear_signals()
    checking = asyncio.create_task(sandbox_check.check(data.root))
    async with platform.running(data, allow_unsandboxed=options.allow_unsandboxed) as (fronts, operator):
        # Here and not above: it imports what the fronts did.
        from modelport_standalone.greeting import greet
        from modelport_standalone.server import build_server

        _say_sandbox(options, *await checking)
        url = options.url(listener.getsockname()[1])
        with spared():
            greeting = asyncio.create_task(greet(options, data, fronts, url))
            await _serve(build_server(options, fronts, listener), listener, stop, greeting, operator)
    say("Stopped.")
    return 0


async def _serve(
    server: Server,
    listener: socket.socket,
    stop: asyncio.Event,
    greeting: asyncio.Task[None],
    operator: asyncio.Task[None],
) -> None:
    """Return after a signal. Raises what ended one of the tasks before."""
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    vital: set[asyncio.Task[Any]] = {serving, operator, stopping}
    await asyncio.wait({greeting, *vital}, return_when=asyncio.FIRST_COMPLETED)
    if _went_well(greeting):
        await asyncio.wait(vital, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    greeting.cancel()
    stopping.cancel()
    await asyncio.wait({serving, greeting})
    for task in (greeting, operator, serving):
        if task.done() and not task.cancelled():
            task.result()


def _went_well(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _hear_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    return stop


def _say_sandbox(options: Options, level: int, detail: str) -> None:
    if level == 2:
        return
    how_far = "wholly (level 1 of 2)" if level else "at all (level 0 of 2)"
    say(f"This machine cannot isolate model code {how_far}: {detail}.")
    if options.allow_unsandboxed:
        say("WARNING: --allow-unsandboxed: an uploaded model can do all that you can. Upload only your own.")
    elif level == 0:
        say("Pickle and joblib files are refused; ONNX works. --allow-unsandboxed accepts them all the same.")
