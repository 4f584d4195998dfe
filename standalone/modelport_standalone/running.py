"""From a claimed folder and a bound port to a running platform, and back."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import structlog
import uvicorn
from modelport.errors import ModelportError
from modelport_control_api.api_keys.schemas import Scope

from modelport_standalone import accounts, demo, platform, sandbox_check
from modelport_standalone.accounts import Admin
from modelport_standalone.data_dir import DataDir
from modelport_standalone.demo import Demo, DemoFailed
from modelport_standalone.options import Options
from modelport_standalone.platform import Platform
from modelport_standalone.welcome import welcome

log = structlog.get_logger(__name__)

# Together with the runtimes' own stop it stays within five seconds.
_DRAIN_SECONDS = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EVERYTHING: list[Scope] = ["predict", "models:read", "models:write", "analytics:read"]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The signals stop more than the server: `_stop_on_signals` hears them.
        yield


async def run(options: Options, data: DataDir, listener: socket.socket) -> int:
    """Serve until a signal; gives the exit code. Raises `CannotStart`."""
    checking = asyncio.create_task(sandbox_check.check(data.root))
    parts = platform.build(data, allow_unsandboxed=options.allow_unsandboxed)
    server = _Server(_server_config(options, parts))
    async with parts.running() as controller:
        admin = await asyncio.to_thread(accounts.open_admin, parts.control_plane.context, data)
        serving = asyncio.create_task(server.serve([listener]))
        greeting = asyncio.create_task(_greet(options, data, parts, admin, listener.getsockname()[1]))
        _stop_on_signals(server, greeting)
        _say_sandbox(options, *await checking)
        await asyncio.wait({serving, controller}, return_when=asyncio.FIRST_COMPLETED)
        failed = controller.done() and not serving.done()
        if failed:
            log.error("the controller ended; the platform stops", error=repr(controller.exception()))
        server.should_exit = True
        greeting.cancel()
        await asyncio.wait({serving, greeting})
    say("Stopped.")
    return 1 if failed else _code_of(greeting)


def say(line: str) -> None:
    print(line, flush=True)


async def _greet(options: Options, data: DataDir, parts: Platform, admin: Admin, port: int) -> None:
    context, url = parts.control_plane.context, options.url(port)
    cli_key = await asyncio.to_thread(accounts.open_key, context, data, "cli", _EVERYTHING)
    try:
        await asyncio.to_thread(accounts.log_cli_in, url, cli_key)
    except (ModelportError, OSError) as error:
        say(f"The modelport command is not logged in: {error}")
    opened = await _open_demo(data, parts, cli_key, url) if options.demo else None
    say(welcome(url, admin, data, opened))


async def _open_demo(data: DataDir, parts: Platform, cli_key: str, url: str) -> tuple[Demo, str] | None:
    key = await asyncio.to_thread(accounts.open_key, parts.control_plane.context, data, "demo", ["predict"])
    transport = httpx.ASGITransport(parts.app)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=None) as api:  # noqa: S113 - in process
        try:
            return await demo.open_demo(api, data, cli_key, key, say), key
        except DemoFailed as error:
            say(str(error))
            return None


def _stop_on_signals(server: uvicorn.Server, greeting: asyncio.Task[None]) -> None:
    def stop() -> None:
        # A second Ctrl-C does not wait for requests any more.
        server.force_exit = server.should_exit
        server.should_exit = True
        greeting.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)


def _say_sandbox(options: Options, level: int, detail: str) -> None:
    if level == 2:
        return
    say(f"This machine cannot isolate model code {'wholly' if level else 'at all'}: {detail}.")
    if options.allow_unsandboxed:
        say("WARNING: --allow-unsandboxed: an uploaded model can do all that you can. Upload only your own.")
    elif level == 0:
        say("Pickle and joblib files are refused; ONNX works. --allow-unsandboxed accepts them all the same.")


def _code_of(greeting: asyncio.Task[None]) -> int:
    if greeting.cancelled() or greeting.exception() is None:
        return 0
    log.error("the start failed", error=repr(greeting.exception()))
    return 1


def _server_config(options: Options, parts: Platform) -> uvicorn.Config:
    return uvicorn.Config(
        parts.app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about addresses is MODELPORT_TRUSTED_PROXIES' decision.
        proxy_headers=False,
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
