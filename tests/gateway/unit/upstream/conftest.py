"""Each test of this folder runs on both event loops, and over TCP and a unix socket where that may matter."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from modelport_gateway.routing.routes import Endpoint
from modelport_gateway.upstream.pool import Connections
from modelport_gateway.upstream.replica import Upstream, UpstreamCall, UpstreamResponse

from tests.support.event_loops import BOTH
from tests.support.scripted_model import ScriptedModel, scripted_model

MAX_ANSWER_BYTES = 100_000


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return BOTH


@dataclass
class Sender:
    """One replica, and all that asks it."""

    connections: Connections
    upstream: Upstream
    endpoint: Endpoint

    async def __call__(self, body: bytes = b"{}", *, timeout_seconds: float = 10) -> UpstreamResponse:
        call = UpstreamCall("POST", "/predict", body, request_id="req-1")
        due = asyncio.get_running_loop().time() + timeout_seconds
        return await self.upstream.send(self.endpoint, call, due=due)

    @property
    def idle(self) -> int:
        return len(self.connections.pool(self.endpoint.address)._idle)


def sender_at(address: str, *, per_endpoint: int = 8, connect_timeout_seconds: float = 5) -> Sender:
    connections = Connections(connect_timeout_seconds=connect_timeout_seconds, per_endpoint=per_endpoint)
    return Sender(connections, Upstream(connections, max_answer_bytes=MAX_ANSWER_BYTES), Endpoint(address))


@pytest.fixture
async def replica() -> AsyncIterator[ScriptedModel]:
    async with scripted_model() as running:
        yield running


@pytest.fixture(params=["tcp", "unix"])
async def either_replica(request: pytest.FixtureRequest) -> AsyncIterator[ScriptedModel]:
    # Not tmp_path: a unix socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="replica-") as folder:
        socket = Path(folder) / "http.sock" if request.param == "unix" else None
        async with scripted_model(socket) as running:
            yield running


@pytest.fixture
async def send(replica: ScriptedModel) -> AsyncIterator[Sender]:
    asking = sender_at(replica.address)
    yield asking
    await asking.connections.aclose()


@pytest.fixture
async def send_either(either_replica: ScriptedModel) -> AsyncIterator[Sender]:
    asking = sender_at(either_replica.address)
    yield asking
    await asking.connections.aclose()
