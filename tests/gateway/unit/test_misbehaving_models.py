"""A model is hostile: whatever it answers, the caller gets a documented problem, and soon."""

import asyncio

import pytest

from tests.support.gateway_harness import Harness, slice_object
from tests.support.scripted_model import Received, ScriptedModel, answering, http, scripted_model
from tests.support.waiting import until


async def hang(_: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def close_at_once(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def close_midway(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(http("200 OK", b"x" * 1000)[:200])
    await writer.drain()
    writer.close()


async def never_end(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        await writer.drain()


async def header_without_end(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Big: ")
    for _chunk in range(100):
        writer.write(b"x" * 0x100000)
        await writer.drain()


JSON = "Content-Type: application/json\r\n"
SCRIPTS = {
    "hangs": (hang, 504),
    "closes without a response": (close_at_once, 503),
    "closes midway": (close_midway, 502),
    "sends without end": (never_end, 502),
    "sends a header of 100 MB": (header_without_end, 502),
    "announces 10 GB": (
        answering(f"HTTP/1.1 200 OK\r\n{JSON}Content-Length: 9999999999\r\n\r\nx".encode()),
        502,
    ),
    "gives a wrong length": (
        answering(f"HTTP/1.1 200 OK\r\n{JSON}Content-Length: -5\r\n\r\n{{}}".encode()),
        502,
    ),
    "gives two lengths": (
        answering(f"HTTP/1.1 200 OK\r\n{JSON}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}".encode()),
        502,
    ),
    "redirects": (answering(http("302 Found", b"{}", extra="Location: http://169.254.169.254/\r\n")), 502),
    "invents a status": (answering(http("201 Created", b"{}")), 502),
    "requests a password": (
        answering(http("401 Unauthorized", b"{}", extra="WWW-Authenticate: Basic\r\n")),
        502,
    ),
    "returns HTML": (answering(http("200 OK", b"<script>", "text/html")), 502),
    "compresses": (answering(http("200 OK", b"\x1f\x8b", extra="Content-Encoding: gzip\r\n")), 502),
    "calls text JSON": (answering(http("200 OK", b"Traceback (most recent call last)")), 502),
    "returns nothing": (answering(http("200 OK", b"")), 502),
    "breaks its JSON off": (answering(http("200 OK", b'{"prediction": [1, 2')), 502),
    "says more than its JSON": (answering(http("200 OK", b'{"prediction": 1}{}')), 502),
    "returns NaN": (answering(http("200 OK", b'{"prediction": NaN}')), 502),
    "returns no UTF-8": (answering(http("200 OK", b'{"prediction": "\xff"}')), 502),
    "returns a surrogate as bytes": (answering(http("200 OK", b'{"prediction": "\xed\xa0\x80"}')), 502),
    "returns UTF-16": (answering(http("200 OK", '{"prediction": 1}'.encode("utf-16"))), 502),
    "returns UTF-32": (answering(http("200 OK", '{"prediction": 1}'.encode("utf-32"))), 502),
    "begins with a mark of UTF-8": (answering(http("200 OK", b'\xef\xbb\xbf{"prediction": 1}')), 502),
    "nests a response deeply": (answering(http("200 OK", b'{"a":' * 100_000)), 502),
    "speaks no HTTP": (answering(b"SSH-2.0-OpenSSH\r\n\r\n"), 502),
    "gives no JSON as an error": (answering(http("500 Oops", b"\xff\xfe", "application/problem+json")), 500),
    "nests an error deeply": (
        answering(http("422 Bad", b"[" * 100_000, "application/problem+json")),
        422,
    ),
}


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_becomes_a_documented_problem(harness: Harness, model: ScriptedModel, script: str) -> None:
    model.script, expected = SCRIPTS[script]
    harness.serve("iris", model.address, timeoutSeconds=1)
    await harness.settle()
    response = await harness.predict()
    assert response.status_code == expected, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert "our side" not in response.json()["detail"]
    assert not {"location", "set-cookie", "content-encoding", "www-authenticate"} & response.headers.keys()
    model.script = answering(http("200 OK", b"{}"))
    assert (await harness.predict()).status_code == 200, "an earlier misdeed broke the next request"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": "\xc3\xa9"}\n',
        b'{"prediction": "\\ud800"}',
        b'["\\\\ud800", "\\ud83d\\ude00"]',
        b'{"a": [1e999, -0.0]}',
    ],
)
async def test_any_json_is_a_response(serving: Harness, model: ScriptedModel, body: bytes) -> None:
    model.script = answering(http("200 OK", body))
    response = await serving.predict()
    assert (response.status_code, response.content) == (200, body)


async def test_another_replica_responds_for_a_dead_one(harness: Harness, model: ScriptedModel) -> None:
    async with scripted_model() as dying:
        dead = dying.address
    harness.serve("iris")
    async with scripted_model() as alive:
        hosts = slice_object("iris", "v1", dead)
        second = slice_object("iris", "v1", alive.address)
        second["metadata"]["name"] = "iris-v1-b"
        harness.cluster.put("EndpointSlice", hosts)
        harness.cluster.put("EndpointSlice", second)
        await harness.settle()
        responses = [await harness.predict(body={"input": [row, 0]}) for row in range(6)]
        assert [response.status_code for response in responses] == [200] * 6
        assert len(alive.received) == 6


async def test_the_only_replica_is_called_once_more(serving: Harness, model: ScriptedModel) -> None:
    good = model.script

    async def die_once(request: Received, writer: asyncio.StreamWriter) -> None:
        model.script = good
        writer.close()

    model.script = die_once
    assert (await serving.predict()).status_code == 200
    assert len(model.received) == 2


async def test_a_busy_replica_gets_no_request_that_an_idle_one_could_take(harness: Harness) -> None:
    async with scripted_model() as one, scripted_model() as other:

        async def dawdle_if_negative(request: Received, writer: asyncio.StreamWriter) -> None:
            if b"-1" in request.body:
                await asyncio.sleep(0.5)
            await answering(http("200 OK", b"{}"))(request, writer)

        harness.serve("iris")
        for name, replica in (("a", one), ("b", other)):
            replica.script = dawdle_if_negative
            each = slice_object("iris", "v1", replica.address)
            each["metadata"]["name"] = name
            harness.cluster.put("EndpointSlice", each)
        await harness.settle()
        held = asyncio.create_task(harness.predict(body={"input": [-1, -1]}))
        await until(lambda: len(one.received) + len(other.received) == 1)
        for row in range(4):
            await harness.predict(body={"input": [row, 0]})
        assert sorted([len(one.received), len(other.received)]) == [1, 4]
        await held
