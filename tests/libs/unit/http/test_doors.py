"""Connections of unknown clients: how long they may be silent, and how many they may be."""

import asyncio
import errno
import resource
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from modelport_http.client_address import parse_networks
from modelport_http.connections import timeouts as silence
from modelport_http.connections.per_address import Crowd
from modelport_http.connections.timeouts import Silence
from modelport_http.fast_path.protocol import Exchange
from modelport_http.fast_path.protocol import Headers as RawHeaders
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_http.settings import DoorSettings
from modelport_process import start
from modelport_process.start import raise_limit
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from tests.libs.unit.store.redis.test_addresses import certificate
from tests.support.raw_connections import everything, flood, sweep_at_once, trickle
from tests.support.waiting import until

HASTY = DoorSettings(head_seconds=0.6, silent_body_seconds=0.6, body_bytes_per_second=0)
LONGER_SECONDS = 1.5
HEAD = b"POST /fast HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n"
FAST, APP = HEAD + b"\r\n", HEAD.replace(b"/fast", b"/app") + b"\r\n"


class Fast:
    """Answers `/fast` with what it was sent."""

    def takes(self, target: bytes, headers: RawHeaders) -> bool:
        return target == b"/fast"

    def begin(self, exchange: Exchange) -> None:
        exchange.respond(b"HTTP/1.1 200 OK\r\n", exchange.body)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body; `/slow` only after a while, `/ahead` without having read it."""
    assert Headers(scope=scope)["host"] == "x"  # As frameworks do, which replaces the scope's own list.
    body, more = b"", scope["path"] != "/ahead"
    if scope["path"] == "/slow":
        await asyncio.sleep(LONGER_SECONDS)
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    seen = b",".join(name for name, _ in scope["headers"])
    headers = [(b"content-length", str(len(body)).encode()), (b"x-seen", seen)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


Connect = Callable[[], Any]


@asynccontextmanager
async def serving(
    monkeypatch: pytest.MonkeyPatch, doors: DoorSettings = HASTY, trusted: str = ""
) -> AsyncIterator[tuple[Connect, Server]]:
    sweep_at_once(monkeypatch)
    crowd = Crowd(doors.connections_per_address, parse_networks(trusted))
    server = Server(build_config(app, drain=1, handler=Fast(), crowd=crowd), Silence(doors.patience))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        port = listener.getsockname()[1]
        yield lambda: asyncio.open_connection("127.0.0.1", port), server
        server.should_exit = True
        await task


@pytest.mark.parametrize(
    "beginning",
    [b"", b"P", b"POST /fast HTTP/1.1\r\nhost:", HEAD, FAST, FAST + b"1234", APP, APP + b"1234"],
)
async def test_who_begins_a_request_and_falls_silent_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    async with serving(monkeypatch) as (connect, server):
        reader, writer = await connect()
        writer.write(beginning)
        await everything(reader)
        writer.close()
        await until(lambda: not server.server_state.connections)


async def test_a_head_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch) as (connect, _):
        reader, writer = await connect()
        ended = asyncio.create_task(everything(reader))
        async with asyncio.timeout(120):
            for number in range(1000):
                if ended.done():
                    break
                writer.write(HEAD if number == 0 else b"x-more: 1\r\n")
                await asyncio.sleep(0.05)
        assert await ended == b""
        writer.close()


@pytest.mark.parametrize("first", [b"", FAST + b"xxxxxxxx", APP + b"xxxxxxxx"])
@pytest.mark.parametrize("more", [b"x-more: 1\r\n" * 1000, b"x" * 12_000])
async def test_a_head_without_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, first: bytes, more: bytes
) -> None:
    async with serving(monkeypatch, DoorSettings()) as (connect, _):
        reader, writer = await connect()
        writer.write(first)
        if first:
            await reader.readuntil(b"xxxxxxxx")
        sent, answer = await flood(reader, writer, HEAD + b"x-begun: ", more)
        assert sent < 10_000_000
        assert answer.startswith(b"HTTP/1.1 431 ") or not answer
        writer.close()


@pytest.mark.parametrize("head", [FAST, APP])
async def test_a_body_in_many_pieces_is_no_head(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    body = b"x" * 1_000_000
    async with serving(monkeypatch, DoorSettings()) as (connect, _):
        reader, writer = await connect()
        for _ in range(3):
            writer.write(head.replace(b": 8", b": %d" % len(body)) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(body)) == body
        writer.close()


@pytest.mark.parametrize("head", [FAST, APP])
async def test_a_slow_upload_that_goes_on_is_not(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    async with serving(monkeypatch) as (connect, _):
        reader, writer = await connect()
        writer.write(head)
        for _ in range(8):
            await asyncio.sleep(LONGER_SECONDS / 7)
            writer.write(b"x")
        assert (await reader.readuntil(b"xxxxxxxx")).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize("beginning", [FAST, FAST + b"1234", APP, APP + b"1234"])
async def test_a_body_has_another_limit_than_a_head(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    doors = DoorSettings(head_seconds=0.3, silent_body_seconds=60)
    async with serving(monkeypatch, doors) as (connect, _):
        reader, writer = await connect()
        writer.write(beginning)
        await asyncio.sleep(LONGER_SECONDS)
        writer.write(b"x" * (4 if beginning.endswith(b"4") else 8))
        assert (await reader.readuntil(b"xxxx")).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize("head", [FAST, APP])
@pytest.mark.parametrize(("bytes_at_once", "ends"), [(1, True), (200, False)])
async def test_a_body_that_trickles_is_cut_off_and_a_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch, head: bytes, bytes_at_once: int, ends: bool
) -> None:
    doors = DoorSettings(silent_body_seconds=0.6, body_bytes_per_second=100)
    async with serving(monkeypatch, doors) as (connect, _):
        reader, writer = await connect()
        closing = head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        writer.write(closing.replace(b": 8", b": 8000"))
        answer = await trickle(reader, writer, b"x" * bytes_at_once, 40)
        assert answer.startswith(b"HTTP/1.1 200") is not ends
        writer.close()


CHUNKED = b"POST /app HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n"


@pytest.mark.parametrize("begun", [b"0\r\nx-first: 1\r\n", b"0\r\nx-endless: ", b"2;extension="])
async def test_trailers_without_end_are_refused(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    more = b"x-more: 1\r\n" * 1000 if begun.endswith(b"\n") else b"x" * 12_000
    async with serving(monkeypatch, DoorSettings()) as (connect, server):
        reader, writer = await connect()
        sent, answer = await flood(reader, writer, CHUNKED + begun, more)
        assert sent < 10_000_000
        assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")) or not answer
        writer.close()
        await until(lambda: not server.server_state.tasks)


async def test_trailers_are_no_headers_and_a_long_body_in_chunks_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    piece = b"%x\r\n%b\r\n" % (50_000, b"x" * 50_000)
    async with serving(monkeypatch, DoorSettings()) as (connect, _):
        reader, writer = await connect()
        for _ in range(2):
            writer.write(CHUNKED.replace(b"/app", b"/headers") + piece * 20 + b"0\r\nx-late: 1\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert b"x-seen: host,transfer-encoding\r\n" in head
            assert await reader.readexactly(1_000_002) == b"ab" + b"x" * 1_000_000
        writer.close()


async def test_a_slow_upload_that_already_has_its_response_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "_AFTER_IDLE_TIMER", -4.5)
    async with serving(monkeypatch) as (connect, _):
        reader, writer = await connect()
        writer.write(APP.replace(b"/app", b"/ahead"))
        for _ in range(8):
            await asyncio.sleep(LONGER_SECONDS / 7)
            writer.write(b"x")
        writer.write(APP + b"xxxxxxxx")
        assert (await reader.readuntil(b"xxxxxxxx")).count(b"HTTP/1.1 200") == 2
        writer.close()


async def test_a_response_that_takes_long_and_an_idle_connection_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(monkeypatch) as (connect, _):
        reader, writer = await connect()
        for path in (b"/slow", b"/fast", b"/fast", b"/app"):
            writer.write(FAST.replace(b"/fast", path) + b"xxxxxxxx")
            assert (await reader.readuntil(b"xxxxxxxx")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(LONGER_SECONDS / 2)
        writer.close()


async def test_bytes_that_begin_no_request_do_not_keep_an_idle_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "_AFTER_IDLE_TIMER", -4.5)
    async with serving(monkeypatch) as (connect, _):
        reader, writer = await connect()
        writer.write(APP + b"xxxxxxxx")
        await reader.readuntil(b"xxxxxxxx")
        writer.write(b"\r\n")
        assert await everything(reader) == b""
        writer.close()


async def test_connections_by_tls_that_end_at_the_moment_of_a_look_do_no_harm(tmp_path: Path) -> None:
    path, _ = certificate(tmp_path)
    tls: dict[str, Any] = {"ssl_certfile": path, "ssl_keyfile": tmp_path / "redis.key"}
    server, looking = Server(build_config(app, drain=1, **tls)), Silence(DoorSettings().patience)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task, port = asyncio.create_task(server.serve([listener])), listener.getsockname()[1]
        context = ssl.create_default_context(cafile=path)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(APP + b"1234")
        connections = server.server_state.connections
        await until(lambda: any(getattr(each, "cycle", None) for each in connections))
        writer.transport.abort()
        async with asyncio.timeout(120):
            while connections:
                looking.sweep(connections)
                await asyncio.sleep(0)
        server.should_exit = True
        await task


async def test_one_address_holds_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, DoorSettings(connections_per_address=3)) as (connect, server):
        held = [await connect() for _ in range(3)]
        reader, refused = await connect()
        assert (await everything(reader)).startswith(b"HTTP/1.1 429 ")
        refused.close()
        held[0][1].write(FAST + b"xxxxxxxx")
        assert (await held[0][0].readuntil(b"xxxxxxxx")).startswith(b"HTTP/1.1 200")
        held[0][1].close()
        await until(lambda: len(server.server_state.connections) == 2)
        reader, another = await connect()
        another.write(FAST + b"xxxxxxxx")
        assert (await reader.readuntil(b"xxxxxxxx")).startswith(b"HTTP/1.1 200")
        for _, writer in [*held[1:], (reader, another)]:
            writer.close()


@pytest.mark.parametrize(("most", "trusted"), [(0, ""), (1, "127.0.0.0/8")])
async def test_connections_of_trusted_proxies_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, most: int, trusted: str
) -> None:
    doors = DoorSettings(connections_per_address=most)
    async with serving(monkeypatch, doors, trusted) as (connect, _):
        held = [await connect() for _ in range(5)]
        for reader, writer in held:
            writer.write(FAST + b"xxxxxxxx")
            assert (await reader.readuntil(b"xxxxxxxx")).startswith(b"HTTP/1.1 200")
            writer.close()


def test_the_soft_limit_of_descriptors_is_raised_to_the_hard_one() -> None:
    program = (
        "import resource as r; from modelport_process.start import raise_limit;"
        "r.setrlimit(r.RLIMIT_NOFILE, (64, r.getrlimit(r.RLIMIT_NOFILE)[1]));"
        "raise_limit(); print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(said.stdout) == resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_a_system_that_refuses_its_own_hard_limit_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, __: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_who_takes_nothing_of_a_response_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_DEAF_SECONDS", 1)
    with start.bind("LISTEN", "127.0.0.1:0") as listener, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(listener.getsockname())
        end, _ = listener.accept()
        end.settimeout(60)
        with end, pytest.raises(TimeoutError) as given_up:
            end.sendall(bytes(50_000_000))
        assert given_up.value.errno == errno.ETIMEDOUT
