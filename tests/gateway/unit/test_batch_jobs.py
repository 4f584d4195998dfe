"""Files for batch jobs on their way through the gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from modelport_gateway.http.batch_uploads import BatchJobs, is_batch_path
from modelport_gateway.request.paths import parse_target
from modelport_http.problem import Problem
from starlette.requests import ClientDisconnect

PATH = "/api/v1/predict/iris/batch"
PIECE = bytes(1 << 20)


@asynccontextmanager
async def control_api(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    await serving


def scope(*headers: tuple[bytes, bytes], method: str = "POST") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": PATH, "query_string": b"output=csv", "headers": headers}


class Caller:
    """Sends pieces for as long as it is asked for them, and keeps what it is answered."""

    def __init__(self, pieces: int, *, goes_away: bool = False) -> None:
        self.sent = 0
        self.pieces = pieces
        self.answer: list[dict[str, Any]] = []
        self._goes_away = goes_away

    async def receive(self) -> dict[str, Any]:
        if self.sent == self.pieces:
            return {"type": "http.disconnect"}
        self.sent += 1
        more = self.sent < self.pieces or self._goes_away
        return {"type": "http.request", "body": PIECE, "more_body": more}

    async def send(self, message: dict[str, Any]) -> None:
        self.answer.append(message)


async def respond_with(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def test_the_file_goes_no_faster_than_it_is_read_and_the_response_comes_back() -> None:
    go_on, seen = asyncio.Event(), {"size": 0}

    async def slow(asked: Any, receive: Any, send: Any) -> None:
        seen["asked"] = asked
        await go_on.wait()
        more = True
        while more:
            message = await receive()
            seen["size"] += len(message["body"])
            more = message["more_body"]
        await respond_with(send, 202, b"{}", (b"location", b"/api/v1/jobs/1"), (b"set-cookie", b"x=1"))

    caller = Caller(64)
    async with control_api(slow) as control:
        asked = scope((b"x-api-key", b"k"), (b"cookie", b"secret"), (b"idempotency-key", b"n1"))
        passing = asyncio.create_task(BatchJobs(control)(asked, caller.receive, caller.send))
        await asyncio.sleep(0.5)
        # What the sockets hold, and not the whole file.
        assert caller.sent < 32
        go_on.set()
        await passing
    assert seen["size"] == 64 * len(PIECE)
    headers = dict(seen["asked"]["headers"])
    assert (headers[b"x-api-key"], headers[b"idempotency-key"]) == (b"k", b"n1")
    assert b"cookie" not in headers
    assert seen["asked"]["query_string"] == b"output=csv"
    assert caller.answer[0]["status"] == 202
    assert dict(caller.answer[0]["headers"]) == {b"location": b"/api/v1/jobs/1"}


async def test_a_caller_that_goes_away_leaves_no_whole_file() -> None:
    ended = asyncio.get_running_loop().create_future()

    async def app(_asked: Any, receive: Any, _send: Any) -> None:
        message = {"more_body": True, "type": "http.request"}
        while message["type"] == "http.request" and message["more_body"]:
            message = await receive()
        ended.set_result(message["type"])

    async with control_api(app) as control:
        caller = Caller(2, goes_away=True)
        with pytest.raises(ClientDisconnect):
            await BatchJobs(control)(scope(), caller.receive, caller.send)
        assert await asyncio.wait_for(ended, 60) == "http.disconnect"


async def test_a_control_api_that_is_away_is_a_503() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1", timeout=60) as control:
        caller = Caller(1)
        with pytest.raises(Problem) as refused:
            await BatchJobs(control)(scope(), caller.receive, caller.send)
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers


@pytest.mark.parametrize("path", [PATH, "/api/v1/predict/iris/versions/v2/batch"])
def test_no_prediction_has_these_paths(path: str) -> None:
    assert is_batch_path(path)
    # So that neither the fast path nor the predictions of the server take them.
    assert parse_target(path) is None


@pytest.mark.parametrize(
    "path", ["/api/v1/predict/batch", "/predict/iris/batch", f"{PATH}/x", "/api/v1/predict/a/b/batch"]
)
def test_no_other_path_is_passed_on(path: str) -> None:
    assert not is_batch_path(path)
