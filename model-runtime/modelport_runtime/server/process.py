"""The server process: uvicorn on a socket that was bound before rights were given up."""

import asyncio
import gc
import logging
import signal
import socket
from dataclasses import dataclass

import uvicorn
from modelport_http.connections.timeouts import Patience, Silence
from modelport_http.fast_path.protocol import fast_path_protocol
from modelport_http.server import SweepingServer

from modelport_runtime import metrics
from modelport_runtime.process.environment import watch_parent
from modelport_runtime.process.listening import BACKLOG
from modelport_runtime.process.starvation import Schedule
from modelport_runtime.process.supervision import Child
from modelport_runtime.process.usage_watch import Usage
from modelport_runtime.sandbox import allowed, enter
from modelport_runtime.sandbox.refusals import Refuser
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.fast_path import FastPath
from modelport_runtime.server.handler import PredictionHandler
from modelport_runtime.server.http import App
from modelport_runtime.server.model_supervisor import ModelSupervisor
from modelport_runtime.server.status import status_document
from modelport_runtime.settings import Settings

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 25
"""Below Kubernetes' 30 s between SIGTERM and SIGKILL."""
_PATIENCE = Patience()
"""With who connects: gateways, and what else a network without policies lets come."""


@dataclass(frozen=True)
class Parts:
    """What serves, put together."""

    supervisor: ModelSupervisor
    app: App
    fast_path: FastPath


def run(
    settings: Settings, child: Child, listener: socket.socket, connection: socket.socket, line: socket.socket
) -> None:
    """Confine this process, then serve until SIGTERM and let requests that have begun end.

    line: the server's end of a `refusals.Line`.
    """
    # While /proc is still there.
    schedule, usage = Schedule.open(child.pid), Usage.open(child.pid)
    report = enter.enter(allowed.of_the_server(child.pid), settings.memory_bytes)
    log.info("sandboxed", extra={"part": "front", "sandbox_level": report.level, "detail": report.detail})
    if settings.parent_pid is not None:
        watch_parent(settings.parent_pid)
    batcher = build_batcher(settings)
    metrics.WAITING.set_function(batcher.waiting)
    refuser = Refuser(line)
    supervisor = ModelSupervisor(
        settings, report, batcher, child, schedule=schedule, usage=usage, refused=refuser.refused
    )
    parts = build(settings, batcher, supervisor)
    # uvicorn raises the signal once more when it has drained; a requested end is exit code 0.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    _serve(parts, listener, connection, refuser)
    child.end()


def build_batcher(settings: Settings) -> Batcher:
    """Return the empty queue with the settings' bounds; without a model it queues until it is full."""
    return Batcher(
        max_queue=settings.max_queue,
        max_batch=settings.max_batch_size,
        stuck_after=settings.stuck_after_seconds,
    )


def build(settings: Settings, batcher: Batcher, supervisor: ModelSupervisor) -> Parts:
    """Wire both paths to one handler. Nothing is started; `/status` reads `supervisor` at each request."""
    predictions = PredictionHandler(batcher, lambda: supervisor.state, max_body_bytes=settings.max_body_bytes)
    app = App(
        batcher, predictions, lambda: supervisor.state, lambda: status_document(settings, supervisor.state)
    )
    return Parts(supervisor, app, FastPath(predictions))


def _serve(parts: Parts, listener: socket.socket, connection: socket.socket, refuser: Refuser) -> None:
    server = build_server(parts)

    # What is there from the start stays, and need not be gone through again.
    gc.freeze()

    async def serve() -> None:
        refuser.watch()
        await parts.supervisor.connect(connection)
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())


def build_server(parts: Parts, patience: Patience = _PATIENCE) -> SweepingServer:
    """Return a server of both paths, not started. A signal stops it; requests in flight have 25 s then."""
    config = uvicorn.Config(
        parts.app,
        loop="uvloop",
        http=fast_path_protocol(parts.fast_path, is_closing=lambda: server.should_exit),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = SweepingServer(config, Silence(patience))
    return server
