"""What is taken for a response, what is not, and that none of it is taken for another's."""

import asyncio

import pytest
from modelport_gateway.upstream.response_reader import (
    EndpointUnreachable,
    ResponseCutOff,
    UpstreamMisbehaved,
    UpstreamTimeout,
)

from tests.gateway.unit.upstream.conftest import MAX_ANSWER_BYTES, Sender, sender_at
from tests.support.scripted_model import Received, Script, ScriptedModel, answering, http

JSON = b"Content-Type: application/json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + JSON


def closing_after(raw: bytes) -> Script:
    async def script(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return script


def dripping(raw: bytes, size: int = 1, pause_seconds: float = 0.0) -> Script:
    async def script(_: Received, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(raw), size):
            writer.write(raw[start : start + size])
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return script


def for_ever(head: bytes, piece: bytes) -> Script:
    async def script(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return script


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b'3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\n'
GOOD: dict[str, tuple[Script, bytes]] = {
    "in one piece": (answering(http("200 OK", b"{}")), b"{}"),
    "byte by byte": (dripping(http("200 OK", b'{"a":1}')), b'{"a":1}'),
    "empty": (answering(http("200 OK", b"")), b""),
    "as large as may be": (answering(http("200 OK", b"x" * MAX_ANSWER_BYTES)), b"x" * MAX_ANSWER_BYTES),
    "of another charset": (answering(http("200 OK", b"{}", "Application/JSON; charset=utf-8")), b"{}"),
    "in chunks": (answering(CHUNKED), b'{"a":1}'),
    "in chunks, byte by byte": (dripping(CHUNKED), b'{"a":1}'),
    "with a trailer": (answering(CHUNKED[:-2] + b"X-Sum: 1\r\n\r\n"), b'{"a":1}'),
    "after others that announce it": (
        answering(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\n\r\n"
            + http("200 OK", b"{}")
        ),
        b"{}",
    ),
    "of no length": (closing_after(OK + b"\r\n{}"), b"{}"),
    "of an older protocol": (closing_after(b"HTTP/1.0 200 OK\r\n" + JSON + b"\r\n{}"), b"{}"),
    "with a promise to close": (
        closing_after(http("200 OK", b"{}", extra="Connection: close\r\n")),
        b"{}",
    ),
}
HEADERS = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 1000) for number in range(40))
BAD: dict[str, tuple[Script, type[Exception]]] = {
    "closed at once": (closing_after(b""), EndpointUnreachable),
    "closed in the head": (closing_after(OK), EndpointUnreachable),
    "closed in the body": (closing_after(http("200 OK", b"x" * 1000)[:200]), ResponseCutOff),
    "closed in a chunk": (closing_after(CHUNKED[:-8]), ResponseCutOff),
    "closed before the last chunk": (closing_after(CHUNKED[:-5]), ResponseCutOff),
    "garbage": (answering(b"\0\1\2\3" * 10), UpstreamMisbehaved),
    "another protocol": (answering(b"SSH-2.0-OpenSSH\r\n"), UpstreamMisbehaved),
    "an upgrade": (
        answering(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        UpstreamMisbehaved,
    ),
    "announcements without end": (for_ever(b"", b"HTTP/1.1 103 Early\r\n\r\n"), UpstreamMisbehaved),
    "a long header": (answering(OK + b"X: " + b"x" * 40_000 + b"\r\n\r\n"), UpstreamMisbehaved),
    "many headers": (answering(OK + HEADERS + b"Content-Length: 2\r\n\r\n{}"), UpstreamMisbehaved),
    "a header without end": (for_ever(OK + b"X: ", b"x" * 1000), UpstreamMisbehaved),
    "a trailer without end": (for_ever(CHUNKED[:-2] + b"X: ", b"x" * 1000), UpstreamMisbehaved),
    "chunks that say much and hold nothing": (
        for_ever(CHUNKED[: -len(b"0\r\n\r\n")] + b"1;", b"x" * 1000),
        UpstreamMisbehaved,
    ),
    "a body that is too long": (answering(http("200 OK", b"x" * (MAX_ANSWER_BYTES + 1))), UpstreamMisbehaved),
    "a length that is too long": (answering(OK + b"Content-Length: 100001\r\n\r\n"), UpstreamMisbehaved),
    "chunks without end": (
        for_ever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
        UpstreamMisbehaved,
    ),
    "no length and no end": (for_ever(OK + b"\r\n", b"x" * 1000), UpstreamMisbehaved),
    "two lengths": (answering(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), UpstreamMisbehaved),
    "a length and chunks": (
        answering(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        UpstreamMisbehaved,
    ),
    "an unknown encoding": (closing_after(OK + b"Transfer-Encoding: gzip\r\n\r\n{}"), UpstreamMisbehaved),
    "a compressed body": (
        answering(http("200 OK", b"{}", extra="Content-Encoding: gzip\r\n")),
        UpstreamMisbehaved,
    ),
    "no type": (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), UpstreamMisbehaved),
    "no type but that of an announcement": (
        answering(b"HTTP/1.1 103 Early\r\n" + JSON + b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        UpstreamMisbehaved,
    ),
    "another type": (answering(http("200 OK", b"{}", "text/html")), UpstreamMisbehaved),
    "another status": (answering(http("201 Created", b"{}")), UpstreamMisbehaved),
    "a redirection": (answering(http("302 Found", b"{}")), UpstreamMisbehaved),
    "nothing": (answering(b""), UpstreamTimeout),
    "half a head": (answering(OK), UpstreamTimeout),
    "half a body": (answering(OK + b"Content-Length: 4\r\n\r\n{}"), UpstreamTimeout),
    "a drop now and then": (
        dripping(http("200 OK", b"x" * 1000), size=10, pause_seconds=0.05),
        UpstreamTimeout,
    ),
}


@pytest.mark.parametrize("kind", GOOD)
async def test_it_is_a_response(replica: ScriptedModel, send: Sender, kind: str) -> None:
    replica.script, body = GOOD[kind]
    for _ in range(3):
        answer = await send()
        assert (answer.status, answer.body) == (200, body)
    assert len(replica.received) == 3


@pytest.mark.parametrize("kind", BAD)
async def test_it_is_none_and_harms_nothing_later(replica: ScriptedModel, send: Sender, kind: str) -> None:
    good = replica.script
    replica.script, expected = BAD[kind]
    with pytest.raises(expected) as raised:
        await send(timeout_seconds=0.5 if expected is UpstreamTimeout else 60)
    assert raised.type is expected
    assert send.endpoint.in_flight == send.idle == 0
    replica.script = good
    assert (await send()).body == b'{"prediction": "setosa"}'


@pytest.mark.parametrize(
    "surplus", [http("200 OK", b'"second"'), b"garbage", b"HTTP/1.1 200", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
@pytest.mark.parametrize("pause_seconds", [0.0, 0.05])
async def test_what_comes_behind_a_response_is_not_the_next_one(
    replica: ScriptedModel, send: Sender, surplus: bytes, pause_seconds: float
) -> None:
    async def say_too_much(_: Received, writer: asyncio.StreamWriter) -> None:
        first = http("200 OK", b'"first"')
        if not pause_seconds:
            writer.write(first + surplus)
            return
        writer.write(first)
        await asyncio.sleep(pause_seconds)
        writer.write(surplus)

    replica.script = say_too_much
    assert (await send()).body == b'"first"'
    await asyncio.sleep(pause_seconds * 3)
    assert send.idle == 0
    replica.script = answering(http("200 OK", b'"third"'))
    assert (await send()).body == b'"third"'


async def test_what_is_sent_before_any_request_is_no_response() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http("200 OK", b'"unasked"'))
        await asyncio.sleep(0.2)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    send = sender_at(f"127.0.0.1:{port}")
    pool = send.connections.pool(send.endpoint.address)
    connection = await pool.wait(due=asyncio.get_running_loop().time() + 5)
    await asyncio.sleep(0.1)
    assert not connection.is_open
    pool.give_back(connection)
    assert send.idle == 0
    server.close()


async def test_the_request_is_whole_and_says_no_more_than_it_must(
    either_replica: ScriptedModel, send_either: Sender
) -> None:
    for body in (b'{"input": [1]}', b"x" * 5_000_000):
        await send_either(body)
        received = either_replica.received.pop()
        assert (received.method, received.path, received.body) == ("POST", "/predict", body)
        host = "model" if send_either.endpoint.address.startswith("unix") else send_either.endpoint.address
        assert received.headers == {
            "host": host,
            "accept": "*/*",
            "content-type": "application/json",
            "x-request-id": "req-1",
            "content-length": str(len(body)),
        }
