"""When connections to a replica are opened, kept, shared, given up and never used again."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from modelport_gateway.upstream import pool as connections
from modelport_gateway.upstream.connection import UpstreamConnection
from modelport_gateway.upstream.response_reader import EndpointUnreachable, UpstreamTimeout
from starlette.types import Receive, Scope, Send

from tests.gateway.unit.upstream.conftest import Sender, sender_at
from tests.support.scripted_model import Received, Script, ScriptedModel, answering, http
from tests.support.waiting import until

GOOD = answering(http("200 OK", b"{}"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections were opened to, in order."""
    addresses: list[str] = []
    connect = connections.Pool._connect

    async def count(pool: connections.Pool) -> UpstreamConnection:
        addresses.append(pool._address)
        return await connect(pool)

    monkeypatch.setattr(connections.Pool, "_connect", count)
    return addresses


def slowly(seconds: float) -> Script:
    async def script(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await GOOD(request, writer)

    return script


def closing(times: int) -> Script:
    """Close that many connections instead of answering, and answer from then on."""
    left = times

    async def script(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        if left:
            left -= 1
            writer.close()
        else:
            await GOOD(request, writer)

    return script


async def test_a_connection_serves_one_request_after_the_other(
    send_either: Sender, opened: list[str]
) -> None:
    for _ in range(20):
        await send_either()
    assert len(opened) == 1


async def test_a_refused_connection_is_an_unreachable_replica() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for address in (f"127.0.0.1:{port}", "unix:/tmp/no-such-replica.sock", "no-such-host.invalid:8080"):
        with pytest.raises(EndpointUnreachable):
            await sender_at(address)()


@pytest.fixture
def deaf_address() -> Iterator[str]:
    """One that neither accepts nor refuses: its queue of connections is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        for filler in fillers:
            filler.close()


async def test_a_replica_that_does_not_accept_is_given_up_on_in_time(deaf_address: str) -> None:
    started = time.monotonic()
    with pytest.raises(EndpointUnreachable):
        await sender_at(deaf_address, connect_timeout_seconds=0.2)(timeout_seconds=30)
    with pytest.raises(UpstreamTimeout):
        await sender_at(deaf_address, connect_timeout_seconds=30)(timeout_seconds=0.2)
    assert time.monotonic() - started < 3


async def test_an_idle_connection_that_closes_when_used_costs_nobody_anything(
    replica: ScriptedModel, send: Sender, opened: list[str]
) -> None:
    await send()
    replica.script = closing(1)
    assert (await send()).status == 200
    assert len(replica.received) == 3
    assert len(opened) == 2
    assert send.endpoint.failures == 0


async def test_a_replica_that_closes_a_fresh_connection_is_not_called_again(
    replica: ScriptedModel, send: Sender
) -> None:
    replica.script = closing(10)
    with pytest.raises(EndpointUnreachable):
        await send()
    assert len(replica.received) == 1


async def test_a_replica_that_closes_every_connection_is_called_twice_at_most(
    replica: ScriptedModel, send: Sender
) -> None:
    await send()
    replica.script = closing(10)
    with pytest.raises(EndpointUnreachable):
        await send()
    assert len(replica.received) == 3
    assert send.endpoint.failures == 1


async def test_a_response_that_was_begun_is_not_requested_again(replica: ScriptedModel, send: Sender) -> None:
    async def begin(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200")
        await writer.drain()
        writer.close()

    await send()
    replica.script = begin
    with pytest.raises(EndpointUnreachable):
        await send()
    assert len(replica.received) == 2


async def test_a_caller_who_leaves_takes_the_connection_along() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def compute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        asked.set()
        assert await reader.read() == b""
        ended.set()
        writer.close()

    server = await asyncio.start_server(compute, "127.0.0.1", 0)
    send = sender_at(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    leaver = asyncio.create_task(send())
    async with asyncio.timeout(60):
        await asked.wait()
        leaver.cancel()
        await ended.wait()
    assert leaver.cancelled()
    assert send.endpoint.in_flight == send.idle == 0
    assert not send.connections.pool(send.endpoint.address)._open
    server.close()


async def test_a_storm_of_leavers_shifts_no_response(replica: ScriptedModel) -> None:
    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)
        writer.write(http("200 OK", request.body))

    replica.script = echo
    send, chance = sender_at(replica.address, per_endpoint=5), random.Random(7)
    for turn in range(10):
        bodies = [b'"%d-%d"' % (turn, number) for number in range(50)]
        tasks = [asyncio.create_task(send(body)) for body in bodies]
        for task in tasks:
            await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
        for body, answer in zip(bodies, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            assert isinstance(answer, asyncio.CancelledError) or (
                not isinstance(answer, BaseException) and answer.body == body
            )
    pool = send.connections.pool(replica.address)
    assert (pool._free, len(pool._line), send.endpoint.in_flight) == (5, 0, 0)
    assert len(pool._open) <= 5
    await send.connections.aclose()


async def test_no_more_connections_than_may_be_and_the_others_wait(
    replica: ScriptedModel, opened: list[str]
) -> None:
    replica.script = slowly(0.02)
    send = sender_at(replica.address, per_endpoint=3)
    answers = await asyncio.gather(*(send() for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len(opened) == 3
    await send.connections.aclose()


async def test_who_waits_for_a_connection_waits_no_longer_than_its_time(replica: ScriptedModel) -> None:
    replica.script = slowly(1)
    send = sender_at(replica.address, per_endpoint=1)
    holding = asyncio.create_task(send())
    await until(lambda: len(replica.received) == 1)
    started = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        await send(timeout_seconds=0.1)
    assert time.monotonic() - started < 0.9
    assert (await holding).status == 200
    assert (await send()).status == 200
    await send.connections.aclose()


async def test_a_shorter_time_holds_on_a_connection_with_a_longer_behind_it(
    replica: ScriptedModel, send: Sender
) -> None:
    await send(timeout_seconds=600)
    replica.script = slowly(5)
    started = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        await send(timeout_seconds=0.1)
    assert time.monotonic() - started < 2


async def test_a_timer_of_an_earlier_request_ends_no_later_one(
    replica: ScriptedModel, send: Sender, opened: list[str]
) -> None:
    await send(timeout_seconds=0.2)
    replica.script = slowly(0.4)
    assert (await send(timeout_seconds=10)).status == 200
    assert len(opened) == 1


async def test_a_connection_is_not_used_again_before_the_request_has_left(
    replica: ScriptedModel, send: Sender, opened: list[str]
) -> None:
    async def respond_unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http("413 Too Large", b"{}", "application/problem+json"))
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(respond_unread, "127.0.0.1", 0, limit=1024)
    other = sender_at(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    for _ in range(2):
        assert (await other(b"x" * 20_000_000)).status == 413
        assert other.idle == 0
    assert len(opened) == 2
    server.close()


async def test_idle_connections_are_closed_in_time_and_used_ones_are_not(
    replica: ScriptedModel, send: Sender, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    await send()
    await send.connections.keep_only({replica.address})
    await send()
    assert len(opened) == 1
    monkeypatch.setattr(connections, "_IDLE_SECONDS", -1)
    replica.script = slowly(0.2)
    used = asyncio.create_task(send())
    await until(lambda: len(replica.received) == 3)
    await send.connections.keep_only({replica.address})
    assert (await used).status == 200
    await send.connections.keep_only({replica.address})
    await until(lambda: send.idle == 0)
    assert not send.connections.pool(replica.address)._open


async def test_a_connection_that_its_replica_closes_while_idle_is_forgotten(
    replica: ScriptedModel, send: Sender
) -> None:
    async def respond_and_close(request: Received, writer: asyncio.StreamWriter) -> None:
        await GOOD(request, writer)
        await asyncio.sleep(0.05)
        writer.close()

    replica.script = respond_and_close
    await send()
    assert send.idle == 1
    await until(lambda: send.idle == 0)
    assert not send.connections.pool(replica.address)._open


async def test_sockets_notice_a_silent_host_and_send_at_once(replica: ScriptedModel, send: Sender) -> None:
    await send()
    (connection,) = send.connections.pool(replica.address)._open
    made = connection._transport.get_extra_info("socket")
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


@asynccontextmanager
async def uvicorn_at_port() -> AsyncIterator[int]:
    # It closes idle connections after a moment, so that many are closed just when they are used.
    config = uvicorn.Config(_app, port=0, log_config=None, lifespan="off", http="httptools")
    config.timeout_keep_alive = 0.02  # type: ignore[assignment]
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def test_a_uvicorn_that_closes_idle_connections_all_the_time_loses_no_request(
    opened: list[str],
) -> None:
    async with uvicorn_at_port() as port:
        send = sender_at(f"127.0.0.1:{port}")
        for number in range(100):
            assert (await send(b"x" * (number * 1000))).body == b"{}"
            await asyncio.sleep(0.018 + number % 5 / 1000)
        await send.connections.aclose()
    assert len(opened) > 2
