"""A server that stops tells the requests that it gives up."""

import asyncio
import json
from typing import Any

from modelport_http.stopping import StoppingMiddleware
from starlette.types import Receive, Scope, Send

SCOPE: Scope = {"type": "http", "path": "/", "method": "POST", "headers": []}
START = {"type": "http.response.start", "status": 200, "headers": []}


async def sent_until_cancelled(*messages: dict[str, Any]) -> list[Any]:
    """What goes out when a request that has sent `messages` is given up."""
    sent: list[Any] = []
    hanging = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        hanging.set()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    request = asyncio.create_task(StoppingMiddleware(app)(SCOPE, receive, send))
    await hanging.wait()
    request.cancel()
    await request
    return sent


async def test_a_request_that_is_given_up_gets_a_503_with_retry_after() -> None:
    start, body = await sent_until_cancelled()
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"5"
    assert json.loads(body["body"])["status"] == 503


async def test_a_response_that_has_begun_is_left_incomplete() -> None:
    assert await sent_until_cancelled(START) == [START]
