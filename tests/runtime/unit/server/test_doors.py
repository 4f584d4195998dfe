"""The runtime's own HTTP bounds what is sent to it, as the gateway does: heads, trailers and slow bodies."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from modelport_http.connections.timeouts import Patience
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.fast_path import FastPath
from modelport_runtime.server.handler import PredictionHandler
from modelport_runtime.server.http import App
from modelport_runtime.server.model_supervisor import ModelSupervisor
from modelport_runtime.server.process import Parts, build_server

from tests.runtime.unit.server.test_fast_path import READY, Model
from tests.support.raw_connections import everything, flood, sweep_at_once, trickle
from tests.support.waiting import until

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"
HASTY = Patience(head_seconds=0.6, silent_body_seconds=0.6, body_bytes_per_second=100)
PATIENT = Patience()
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(monkeypatch: pytest.MonkeyPatch, patience: Patience) -> AsyncIterator[Ends]:
    """Return both ends of a connection to a runtime whose model answers with the body."""
    sweep_at_once(monkeypatch)
    batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
    batcher.use(Model())
    predictor = PredictionHandler(batcher, lambda: READY, max_body_bytes=1_000_000)
    app = App(batcher, predictor, lambda: READY, lambda: b"{}")
    server = build_server(Parts(cast(ModelSupervisor, None), app, FastPath(predictor)), patience)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        yield reader, writer
        writer.close()
        await until(lambda: not server.server_state.tasks)
        server.should_exit = True
        await task


@pytest.mark.parametrize(
    "begun", [CHUNKED + b"0\r\nx-first: 1\r\n", CHUNKED + b"2;extension=", HEAD + b"x-begun: "]
)
async def test_heads_and_trailers_have_a_size(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    more = b"x-more: 1\r\n" * 1000 if begun.endswith(b"\n") else b"x" * 12_000
    async with connected(monkeypatch, PATIENT) as (reader, writer):
        sent, answer = await flood(reader, writer, begun, more)
        assert sent < 10_000_000
        assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")) or not answer


@pytest.mark.parametrize("begun", [b"", HEAD, HEAD + b"content-length: 8\r\n\r\n{", CHUNKED])
async def test_who_falls_silent_is_cut_off(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    async with connected(monkeypatch, HASTY) as (reader, writer):
        writer.write(begun)
        await everything(reader)


@pytest.mark.parametrize(("bytes_at_once", "ends"), [(1, True), (200, False)])
async def test_a_body_that_trickles_is_cut_off_and_a_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch, bytes_at_once: int, ends: bool
) -> None:
    async with connected(monkeypatch, HASTY) as (reader, writer):
        writer.write(HEAD + b"connection: close\r\ncontent-length: 2000\r\n\r\n")
        answer = await trickle(reader, writer, b" " * bytes_at_once, 2000 // bytes_at_once)
        assert answer.startswith(b"HTTP/1.1 200") is not ends


async def test_bodies_in_many_pieces_get_their_responses_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    piece = b"%x\r\n%b\r\n" % (50_000, b" " * 50_000)
    async with connected(monkeypatch, PATIENT) as (reader, writer):
        for _ in range(2):
            writer.write(CHUNKED + piece * 10 + b"0\r\nx-late: 1\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert len(await reader.readexactly(500_002)) == 500_002
