"""The fast path answers as the ASGI app does, whatever comes over the wire."""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from modelport_http.fast_path.protocol import Exchange, fast_path_protocol

from tests.support.threaded_server import Running, receive_all, running_server

JSON = b"content-type: application/json\r\n"


def post(
    body: bytes = b"{}", *, path: bytes = b"/fast", lines: bytes = b"", version: bytes = b"1.1"
) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST %b HTTP/%b\r\nHost: x\r\n%b%b\r\n%b" % (path, version, lines, length, body)


GET = b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n"


def echo(target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    names = sorted(f"{name.decode()}={value.decode('latin-1')}" for name, value in headers)
    return json.dumps([target.decode(), names, body.decode("latin-1")]).encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    content = echo(scope["path"].encode(), scope["headers"], body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, (b"x-by", b"app")]})
    await send({"type": "http.response.body", "body": content})


def head(by: bytes = b"fast") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-by: %b\r\n" % by


class Echo:
    """Answers at once, or when `respond` is called for what it holds back."""

    def __init__(self) -> None:
        self.holds = False
        self.holds_from: bytes | None = None
        self.began = threading.Event()
        self.left = threading.Event()
        self.held: list[Exchange] = []
        self.closing = False

    def takes(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
        return target.startswith(b"/fast")

    def begin(self, exchange: Exchange) -> None:
        if exchange.target == b"/fast/fails":
            raise ValueError("the handler broke")
        exchange.on_disconnect = self.left.set
        if self.holds or exchange.body == self.holds_from:
            self.held.append(exchange)
        else:
            self.respond(exchange)
        self.began.set()

    def respond(self, exchange: Exchange) -> None:
        exchange.respond(head(), echo(exchange.target, exchange.headers, exchange.body))


@pytest.fixture
def handler() -> Echo:
    return Echo()


@pytest.fixture
def fast(handler: Echo) -> Iterator[Running]:
    protocol = fast_path_protocol(handler, is_closing=lambda: handler.closing)
    with running_server(app, http=protocol, timeout_keep_alive=1, timeout_graceful_shutdown=2) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    with running_server(app) as running:
        yield running


def send_until_blocked(connection: socket.socket, data: bytes) -> int:
    """Send `data` again and again; gives the bytes sent when no more can be for half a second."""
    sent = 0
    try:
        while True:
            sent += connection.send(data[sent % len(data) :])
    except TimeoutError:
        return sent


def later(running: Running, call: Callable[[], None]) -> None:
    running.server.servers[0].get_loop().call_soon_threadsafe(call)


def responses(raw: bytes) -> list[Any]:
    """Status line, headers without the date and body of each response, and whether the connection closed."""
    text = re.sub(rb"date: [^\r]*\r\n|x-by: [^\r]*\r\n", b"", raw)
    read: list[Any] = []
    while text.startswith(b"HTTP/1.1"):
        top, _, rest = text.partition(b"\r\n\r\n")
        status, *lines = top.split(b"\r\n")
        size = next((int(line[16:]) for line in lines if line.startswith(b"content-length: ")), 0)
        read.append((status, sorted(lines), rest[:size]))
        text = rest[size:]
    return [*read, text]


WHOLE_REQUESTS = {
    "plain": post(b'{"a": 1}', lines=JSON),
    "empty body": post(b""),
    "three at once": post(b"1") + post(b"2") + post(b"3"),
    "fast, app, fast": post(b"1") + GET + post(b"2"),
    "app, fast, app": GET + post(b"1") + GET,
    "close": post(lines=b"Connection: close\r\n"),
    "close and more behind it": post(lines=b"Connection: Close\r\n") + post(b"2"),
    "keep-alive said": post(lines=b"Connection: keep-alive\r\n"),
    "http 1.0": post(version=b"1.0"),
    "http 1.0 keep-alive": post(version=b"1.0", lines=b"Connection: keep-alive\r\n"),
    "query": post(path=b"/fast?a=b"),
    "percent": post(path=b"/le%61n"),
    "fragment": post(path=b"/fast#a"),
    "absolute form": post(path=b"http://host/fast"),
    "double slash": post(path=b"//fast"),
    "other path": post(path=b"/other"),
    "get": GET,
    "put": post().replace(b"POST", b"PUT", 1),
    "no length": b"POST /fast HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunked": b"POST /fast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "large": post(b"x" * 70_000),
    "largest": post(b"x" * 65_536),
    "upgrade": post(lines=b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
    "no host": post().replace(b"Host: x\r\n", b""),
    "bare LF": post().replace(b"\r\n", b"\n"),
    "header of latin-1": post(lines=b"X-Name: \xe9\r\n"),
}
MALFORMED_REQUESTS = {
    "length twice, equal": post(lines=b"Content-Length: 2\r\n"),
    "length twice, different": post(lines=b"Content-Length: 3\r\n"),
    "length and chunked": post(lines=b"Transfer-Encoding: chunked\r\n"),
    "length that is no number": post().replace(b"Length: 2", b"Length: two"),
    "length with sign": post().replace(b"Length: 2", b"Length: +2"),
    "negative length": post().replace(b"Length: 2", b"Length: -2"),
    "list of lengths": post().replace(b"Length: 2", b"Length: 2, 2"),
    "empty length": post().replace(b"Length: 2", b"Length: "),
    "huge length": post().replace(b"Length: 2", b"Length: " + b"9" * 30),
    "folded header": post(lines=b"X-A: b\r\n c\r\n"),
    "folded length": post().replace(b"Length: 2", b"Length:\r\n 2"),
    "space before the colon": post(lines=b"X-A : b\r\n"),
    "nul in a header": post(lines=b"X-A: \x00\r\n"),
    "no version": b"POST /fast\r\n\r\n",
    "version 9": post(version=b"9.9"),
    "not http": b"\x16\x03\x01\x02\x00\x01",
    "bytes in the path": post(path=b"/fast\xff"),
    "space in the path": post(path=b"/fast /fast"),
    "unknown method": post().replace(b"POST", b"POSE", 1),
}


@pytest.mark.parametrize("name", [*WHOLE_REQUESTS, *MALFORMED_REQUESTS])
def test_each_request_gets_the_response_it_gets_without_the_fast_path(
    fast: Running, plain: Running, name: str
) -> None:
    sent = WHOLE_REQUESTS.get(name) or MALFORMED_REQUESTS[name]
    expected = responses(plain.exchange(sent))
    assert responses(fast.exchange(sent)) == expected
    assert len(expected) > 1, "the plain server answers, or this compares nothing"


@pytest.mark.parametrize(
    "name", ["plain", "three at once", "fast, app, fast", "close", "length twice, equal"]
)
def test_byte_at_a_time_makes_no_difference(fast: Running, plain: Running, name: str) -> None:
    sent = WHOLE_REQUESTS.get(name) or MALFORMED_REQUESTS[name]
    one_by_one = [sent[index : index + 1] for index in range(len(sent))]
    assert responses(fast.exchange(*one_by_one, pause=0.0005)) == responses(plain.exchange(sent))


@pytest.mark.parametrize(
    ("name", "by"),
    [("plain", b"fast"), ("largest", b"fast"), ("empty body", b"fast"), ("keep-alive said", b"fast")]
    + [(name, b"app") for name in ("query", "percent", "absolute form", "large", "chunked", "http 1.0")]
    + [("no length", b"app"), ("put", b"app"), ("upgrade", b"app"), ("other path", b"app")],
)
def test_what_is_taken(fast: Running, name: str, by: bytes) -> None:
    assert b"x-by: " + by in fast.exchange(WHOLE_REQUESTS[name])


def test_what_follows_a_whole_request_cannot_take_its_response_away(fast: Running) -> None:
    got = fast.exchange(post() + b"no request")
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 400 Bad Request" in got
    assert got.endswith(b"<closed>")


def test_expect_100_continue_is_the_apps(fast: Running) -> None:
    connection = fast.connect()
    connection.sendall(post(lines=b"Expect: 100-continue\r\n")[:-2])
    assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
    connection.sendall(b"{}")
    assert b"x-by: app" in connection.recv(1000)


def test_responses_keep_the_order_of_the_requests(fast: Running, handler: Echo) -> None:
    handler.holds = True
    connection = fast.connect()
    connection.sendall(post(b"first") + GET + post(b"third"))
    assert handler.began.wait(60)
    connection.settimeout(0.2)
    assert receive_all(connection) == b"", "nothing overtakes the first"
    later(fast, lambda: handler.respond(handler.held[0]))
    got = responses(receive_all(connection))
    assert [json.loads(body)[2] for _, _, body in got[:-1]] == ["first", "", "third"]


def test_a_head_and_its_body_may_come_apart(fast: Running) -> None:
    whole = post(b'{"a": 1}')
    assert b"x-by: fast" in fast.exchange(whole[:-8], whole[-8:-4], whole[-4:], pause=0.02)


def test_a_caller_that_leaves_is_reported_once_and_gets_no_response(fast: Running, handler: Echo) -> None:
    handler.holds = True
    connection = fast.connect()
    connection.sendall(post())
    assert handler.began.wait(60)
    connection.close()
    assert handler.left.wait(60)
    exchange = handler.held[0]
    assert exchange.disconnected
    handler.left.clear()
    later(fast, lambda: handler.respond(exchange))
    assert b"x-by: app" in fast.exchange(GET), "the server lives on"
    assert not handler.left.is_set()
    assert not fast.server.server_state.tasks


def test_a_caller_that_leaves_before_its_body_is_whole_reaches_the_app() -> None:
    seen: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([(await receive())["type"], scope["path"]])

    handler = Echo()
    with running_server(noting, http=fast_path_protocol(handler)) as running:
        connection = running.connect()
        connection.sendall(post(b"whole")[:-2])
        time.sleep(0.1)
        assert not seen
        connection.close()
        time.sleep(0.2)
    assert seen == ["http.disconnect", "/fast"]
    assert not handler.began.is_set()


def test_an_exception_is_500_with_its_traceback_in_the_log(
    fast: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        got = fast.exchange(post(path=b"/fast/fails"))
    assert got.startswith(b"HTTP/1.1 500 ")
    assert got.endswith(b"Internal Server Error<closed>")
    assert "the handler broke" in caplog.text


def test_each_response_closes_its_connection_while_the_server_goes(fast: Running, handler: Echo) -> None:
    connection = fast.connect()
    connection.sendall(post())
    assert b"connection: close" not in connection.recv(1000)
    handler.closing = True
    connection.sendall(post())
    got = receive_all(connection)
    assert b"connection: close\r\n" in got
    assert got.endswith(b"<closed>")


def test_an_idle_connection_is_closed_after_its_time(fast: Running) -> None:
    connection = fast.connect()
    connection.sendall(post())
    began = time.monotonic()
    assert receive_all(connection).endswith(b"<closed>")
    assert 0.8 < time.monotonic() - began < 5


def test_a_connection_in_use_is_not_idle(fast: Running, handler: Echo) -> None:
    connection = fast.connect()
    for _ in range(6):
        connection.sendall(post())
        assert b"x-by: fast" in connection.recv(1000)
        time.sleep(0.25)
    handler.holds = True
    connection.sendall(post())
    time.sleep(1.5)
    later(fast, lambda: handler.respond(handler.held[0]))
    assert b"x-by: fast" in connection.recv(1000)


def test_a_request_that_waits_behind_a_finished_one_is_not_idle(fast: Running, handler: Echo) -> None:
    handler.holds_from = b"second"
    connection = fast.connect()
    connection.sendall(post(b"first") + post(b"second"))
    assert b"first" in connection.recv(1000)
    time.sleep(1.5)
    later(fast, lambda: handler.respond(handler.held[0]))
    assert b"second" in connection.recv(1000)


def test_a_stop_waits_for_what_is_in_flight(fast: Running, handler: Echo) -> None:
    handler.holds = True
    connection = fast.connect()
    idle = fast.connect()
    connection.sendall(post())
    assert handler.began.wait(60)
    fast.server.should_exit = True
    assert receive_all(idle) == b"<closed>"
    later(fast, lambda: handler.respond(handler.held[0]))
    got = receive_all(connection)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close\r\n" in got
    assert got.endswith(b"<closed>")


@pytest.mark.parametrize("answers_then", [True, False])
def test_a_stop_that_runs_out_of_time_cuts_off(fast: Running, handler: Echo, answers_then: bool) -> None:
    handler.holds = True
    connections = [fast.connect() for _ in range(2)]
    for connection in connections:
        connection.sendall(post())
    while len(handler.held) < 2:
        time.sleep(0.01)
    if answers_then:
        for exchange in handler.held:
            exchange.on_cancel = lambda held=exchange: handler.respond(held)  # type: ignore[misc]
    fast.server.should_exit = True
    got = [receive_all(connection) for connection in connections]
    assert all(each.endswith(b"<closed>") for each in got)
    assert all(each.startswith(b"HTTP/1.1 200") is answers_then for each in got)
    assert handler.left.is_set() is not answers_then


def test_a_stop_hands_an_unfinished_request_to_the_app(fast: Running, handler: Echo) -> None:
    connection = fast.connect()
    connection.sendall(post(b"whole")[:-2])
    time.sleep(0.1)
    fast.server.should_exit = True
    time.sleep(0.3)
    connection.sendall(b"le")
    got = receive_all(connection)
    assert b"x-by: app" in got
    assert b"whole" in got
    assert got.endswith(b"<closed>")


def test_a_slow_reader_is_not_written_to_without_end(fast: Running) -> None:
    big = post(b"x" * 65_000)
    connection = fast.connect()
    connection.settimeout(0.5)
    sent = send_until_blocked(connection, big)
    # What kernels buffer, and no more: the server has stopped to read.
    held = max((c.transport.get_write_buffer_size() for c in fast.server.server_state.connections), default=0)
    assert held < 1_000_000
    connection.settimeout(0.5)
    assert receive_all(connection).count(b"HTTP/1.1 200 OK") == sent // len(big)


def test_requests_are_counted(fast: Running) -> None:
    before = fast.server.server_state.total_requests
    fast.exchange(post() + post() + GET)
    assert fast.server.server_state.total_requests == before + 3
