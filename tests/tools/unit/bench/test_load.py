"""What makes the benchmark's figures true: waiting counts, rows never repeat, errors end the run."""

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.load import open_loop, prepared, wrk


class Stalling(asyncio.Protocol):
    """Answers at once, but for the fiftieth request of all, which holds up everybody."""

    stall_seconds = 0.4
    count = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        Stalling.count += 1
        if Stalling.count == 50:
            time.sleep(self.stall_seconds)
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


@pytest.fixture
def stalling_server() -> Iterator[str]:
    Stalling.count = 0
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Stalling, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_in_an_open_loop_a_stall_is_felt_by_all_who_came_meanwhile(stalling_server: str) -> None:
    requests = iter([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"] * 300)
    result = open_loop.open_loop(stalling_server, requests, rate=200, seconds=1)
    assert result.statuses == {200: 200}
    # 80 requests fall due while the server stands still; a closed loop would have seen a few.
    assert sum(latency > 100 for latency in result.latencies) > 40


def test_in_an_open_loop_the_lateness_of_the_generator_counts(stalling_server: str) -> None:
    def late() -> Iterator[bytes]:
        for number in range(40):
            if number == 20:
                time.sleep(0.3)
            yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    result = open_loop.open_loop(stalling_server, late(), rate=100, seconds=0.4)
    assert sum(latency > 100 for latency in result.latencies) > 10


def test_no_two_requests_of_a_run_are_the_same(tmp_path: Path) -> None:
    bodies = [({"input": {"a": prepared.FIRST, "b": None}}, 5.125), ({"input": {"a": prepared.FIRST}}, 1.0)]
    new, numbers = prepared.post(tmp_path, "x", "/predict", bodies), prepared.Numbers()
    seen = []
    for _ in range(2):
        whole = new.whole(numbers)
        seen += [next(whole) for _ in range(100)]
        numbers.used(100)
    assert len(set(seen)) == 200
    for request in seen:
        head, _, body = request.partition(b"\r\n\r\n")
        assert int(head.rpartition(b"Content-Length: ")[2]) == len(body)
        assert json.loads(body)["input"]["a"] == pytest.approx(5.125 if b"null" in body else 1.0, abs=1e-3)


@pytest.fixture
def refusing_server() -> Iterator[str]:
    class Refuses(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_an_error_among_the_responses_ends_a_closed_loop(refusing_server: str, tmp_path: Path) -> None:
    request = prepared.get(tmp_path, "x", "/", {})
    with pytest.raises(RuntimeError, match="were errors"):
        wrk.run(refusing_server, request, prepared.Numbers(), connections=2, seconds=1, core=0)


def test_an_error_among_the_responses_ends_an_open_loop(refusing_server: str) -> None:
    requests = iter([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"] * 100)
    result = open_loop.open_loop(refusing_server, requests, rate=50, seconds=0.5)
    with pytest.raises(RuntimeError, match="503"):
        result.require_no_errors("it")
