"""From a claimed folder and a bound port to a running platform and its HTTP server, and back."""

import asyncio
import signal
import socket
from typing import TYPE_CHECKING, Any

from modelport_http.connections.allowed_hosts import Hosts, HostsMiddleware, is_loopback
from modelport_http.connections.per_address import Crowd
from modelport_http.connections.timeouts import Silence
from modelport_http.fast_path.protocol import Handler, Headers
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_http.settings import Settings as EdgeSettings
from modelport_process.start import raise_limit, spared
from starlette.types import ASGIApp

from modelport_standalone import platform, sandbox_check
from modelport_standalone.data_dir import DataDir
from modelport_standalone.options import Options, say

if TYPE_CHECKING:
    from modelport_standalone.apps import Apps

# Together with the runtimes' own stop it stays within five seconds.
_DRAIN_SECONDS = 2


def build_server(options: Options, apps: "Apps", listener: socket.socket) -> Server:
    """Return the server of the platform, not started; on loopback it refuses names that are not its own.

    `listener`: already bound, for its address only.
    """
    doors, settings = EdgeSettings(), apps.control_plane.context.settings
    app: ASGIApp = apps.app
    handler: Handler = apps.fast_path
    # Elsewhere its names are the network's business, unless they are listed.
    if is_loopback(listener.getsockname()[0]) or doors.allowed_hosts:
        hosts = Hosts((options.host, *doors.allowed_hosts), settings.public_url)
        app, handler = HostsMiddleware(app, hosts), WellCalled(handler, hosts)
    crowd = Crowd(doors.connections_per_address, settings.trusted_proxies)
    tls: dict[str, Any] = {"ssl_certfile": options.tls_cert, "ssl_keyfile": options.tls_key}
    config = build_config(app, drain=_DRAIN_SECONDS, handler=handler, crowd=crowd, **tls)
    return Server(config, Silence(doors.patience))


class WellCalled:
    """The fast path, for requests by an allowed name; others go the long way, and are refused there."""

    def __init__(self, inner: Handler, hosts: Hosts) -> None:
        self._takes = inner.takes
        self._allow = hosts.allow
        self.begin = inner.begin

    def takes(self, target: bytes, headers: Headers) -> bool:
        return self._allow(headers) and self._takes(target, headers)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(options: Options, data: DataDir, listener: socket.socket) -> int:
    """Serve until a signal; gives the exit code. Raises `CannotStart`."""
    raise_limit()
    stop = _hear_signals()
    checking = asyncio.create_task(sandbox_check.check(data.root))
    async with platform.running(data, allow_unsandboxed=options.allow_unsandboxed) as (apps, operator):
        # Here and not above: it imports what the apps did.
        from modelport_standalone.console import print_banner

        _say_sandbox(options, *await checking)
        url = options.url(listener.getsockname()[1])
        with spared():
            banner = asyncio.create_task(print_banner(options, data, apps, url))
            await _serve(build_server(options, apps, listener), listener, stop, banner, operator)
    say("Stopped.")
    return 0


async def _serve(
    server: Server,
    listener: socket.socket,
    stop: asyncio.Event,
    banner: asyncio.Task[None],
    operator: asyncio.Task[None],
) -> None:
    """Return after a signal. Raises what ended one of the tasks before."""
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    vital: set[asyncio.Task[Any]] = {serving, operator, stopping}
    await asyncio.wait({banner, *vital}, return_when=asyncio.FIRST_COMPLETED)
    if _went_well(banner):
        await asyncio.wait(vital, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    banner.cancel()
    stopping.cancel()
    await asyncio.wait({serving, banner})
    for task in (banner, operator, serving):
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
