"""The worker and what it asks the platform by: the control API's internal app, on a socket of this user's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from modelport_http.server import Server
from modelport_http.serving import build_config
from pydantic import SecretStr
from starlette.types import ASGIApp

from modelport_standalone.batch_worker.child import WorkerChild
from modelport_standalone.data_dir import DataDir
from modelport_standalone.local_cluster import tasks
from modelport_standalone.local_cluster.cluster import LocalCluster

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
