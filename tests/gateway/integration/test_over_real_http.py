"""The gateway behind a real HTTP server, its models behind TCP and unix sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import httpx
import pytest
import uvicorn
from modelport_store.memory_store import MemoryStore

from tests.support.gateway_harness import Harness, running_harness
from tests.support.scripted_model import ScriptedModel, scripted_model
from tests.support.waiting import until


@asynccontextmanager
async def listening(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the harness's gateway on a free port and give a client for it."""
    config = uvicorn.Config(harness.gateway.app, port=0, log_config=None, lifespan="off", http="httptools")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    server.should_exit = True
    await serving


@pytest.fixture(params=["tcp", "unix"])
async def replica(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ScriptedModel]:
    async with scripted_model(tmp_path / "m.sock" if request.param == "unix" else None) as model:
        yield model


async def test_a_hundred_users_at_once_all_get_their_predictions(replica: ScriptedModel) -> None:
    async with (
        running_harness(MemoryStore(), limit_predict="1000/second") as harness,
        listening(harness) as client,
    ):
        harness.serve("iris", replica.address)
        await harness.settle()

        async def predict(users: aiohttp.ClientSession, number: int, row: int) -> int:
            headers = {"Authorization": f"Bearer {harness.control.token(admin=True, sub=f'user-{number}')}"}
            body = {"input": [number, row % 2]}
            async with users.post("/predict/iris", json=body, headers=headers) as response:
                return response.status

        async def user(users: aiohttp.ClientSession, number: int) -> list[int]:
            return [await predict(users, number, row) for row in range(4)]

        # Not httpx: its pool's bookkeeping takes longer than a hundred users' predictions.
        async with aiohttp.ClientSession(str(client.base_url)) as users:
            statuses = await asyncio.gather(*(user(users, number) for number in range(100)))
    assert {status for each in statuses for status in each} == {200}
    assert len(replica.received) == 200, "every second request of a user is a repetition"


async def test_a_caller_that_leaves_harms_nobody(replica: ScriptedModel) -> None:
    async with running_harness(MemoryStore()) as harness, listening(harness) as client:
        harness.serve("iris", replica.address)
        await harness.settle()
        host = client.base_url
        _, writer = await asyncio.open_connection(host.host, host.port)
        head = (
            f"POST /predict/iris HTTP/1.1\r\nHost: x\r\nAuthorization: {harness.bearer['Authorization']}\r\n"
        )
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        await until(lambda: harness.gateway._in_flight.in_flight == 1)
        writer.close()
        await until(lambda: harness.gateway._in_flight.in_flight == 0)
        response = await client.post("/predict/iris", json={"input": [1, 2]}, headers=harness.bearer)
        assert response.status_code == 200


async def test_browsers_may_call_from_the_origins_allowed_only(replica: ScriptedModel) -> None:
    origins = "https://app.example.com"
    async with running_harness(MemoryStore(), cors_origins=origins) as harness, listening(harness) as client:
        asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        allowed = await client.options("/predict/iris", headers={"Origin": origins, **asking})
        refused = await client.options("/predict/iris", headers={"Origin": "https://evil.example", **asking})
    assert allowed.headers["access-control-allow-origin"] == origins
    assert "access-control-allow-origin" not in refused.headers
