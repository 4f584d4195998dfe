"""The worker as a child: started, started again when it has died, and given a socket of its own to call
through.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_process.backoff import Backoff
from modelport_process.logging import copy_line
from pydantic import SecretStr
from starlette.types import ASGIApp

from modelport_standalone.data_dir import DATABASE_VARIABLE, DataDir
from modelport_standalone.local_cluster import tasks
from modelport_standalone.local_cluster.cluster import LocalCluster
from modelport_standalone.local_cluster.orphans import ChildRegister

log = structlog.get_logger(__name__)

_STOP_SECONDS = 3.0
_FIRST_RESTART_SECONDS = 0.5
_LAST_RESTART_SECONDS = 5.0
_RAN_WELL_SECONDS = 10.0
_LINE_BYTES = 1 << 20
_MEMORY_BYTES = 1 << 30


class WorkerChild:
    """`run` until it is cancelled.

    `internal`: the socket on which the control API's internal app listens; `key`: what it wants to be shown.
    """

    def __init__(self, data: DataDir, internal: Path, key: SecretStr, register: ChildRegister) -> None:
        self._environment = _environment(data, internal, key)
        self._register = register

    async def run(self) -> None:
        """Start the worker, and again after a pause whenever it ends; cancelled, stop it."""
        backoff = Backoff(_FIRST_RESTART_SECONDS, _LAST_RESTART_SECONDS)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run_once()
            if loop.time() - began > _RAN_WELL_SECONDS:
                backoff.reset()
            delay = round(backoff.next_delay(), 2)
            log.warning("batch_worker_ended", exit_code=code, starts_again_in_seconds=delay)
            await asyncio.sleep(delay)

    async def _run_once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            # -P: a click.py in the folder that the platform was started in is none of its modules.
            *(sys.executable, "-P", "-m", "modelport_standalone.batch_worker", str(os.getpid())),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        self._register.add(process.pid)
        try:
            if process.stderr is not None:
                await _copy(process.stderr)
            return await process.wait()
        finally:
            await _stop(process)
            self._register.remove(process.pid)


async def _copy(lines: asyncio.StreamReader) -> None:
    while True:
        try:
            line = await lines.readline()
        except ValueError:
            continue  # Longer than any of ours: dropped.
        if not line:
            return
        copy_line(line.decode(errors="replace"))


async def _stop(process: asyncio.subprocess.Process) -> None:
    """SIGTERM: what it has taken is given back. SIGKILL after a while: then its lease runs out."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment(data: DataDir, internal: Path, key: SecretStr) -> Mapping[str, str]:
    return {
        "MODELPORT_CONTROL_API_WORKER_MEMORY_BYTES": str(_MEMORY_BYTES),
        **os.environ,
        # What is reserved counts too where memory is limited: these reserve little.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        DATABASE_VARIABLE: data.database_url,
        "MODELPORT_CONTROL_API_ARTIFACTS_URL": str(data.artifacts),
        "MODELPORT_CONTROL_API_INTERNAL_URL": f"unix:{internal}",
        "MODELPORT_INTERNAL_KEY": key.get_secret_value(),
        "MODELPORT_CONTROL_API_WORKER_LISTEN": "",
    }


_DRAIN_SECONDS = 1
# The start is the platform's: jobs of an earlier run can wait for so long.
_BEGINS_AFTER_SECONDS = 2.0


@asynccontextmanager
async def running(
    data: DataDir, cluster: LocalCluster, internal: ASGIApp, key: SecretStr
) -> AsyncIterator[None]:
    """`key`: MODELPORT_INTERNAL_KEY."""
    socket = cluster.sockets / "internal.sock"
    # The folder is readable by its owner only, and so is all that is in it.
    server = Server(build_config(internal, drain=_DRAIN_SECONDS, uds=str(socket)))
    serving = asyncio.create_task(server.serve())
    working = tasks.start(_work(WorkerChild(data, socket, key, cluster.register)), "batch worker")
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait([working])
        server.should_exit = True
        await asyncio.wait([serving])
        await asyncio.to_thread(_remove, socket)


async def _work(child: WorkerChild) -> None:
    await asyncio.sleep(_BEGINS_AFTER_SECONDS)
    await child.run()


def _remove(socket: Path) -> None:
    socket.unlink(missing_ok=True)
