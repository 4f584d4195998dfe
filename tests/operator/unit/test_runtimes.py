"""Asking runtimes over real sockets, honest ones and others."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from modelport_crds.mlmodel import SampleAnswer
from modelport_crds.reasons import Reason
from modelport_operator.core.observed.probe_results import SampleRefused
from modelport_operator.shell.runtimes import RuntimeClient

Answering = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _runtime(folder: Path, answer: Answering) -> AsyncIterator[str]:
    """Serve one response to every request on a unix socket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await answer(head, writer)
        writer.close()

    path = folder / "r.sock"
    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield f"unix:{path}"


def _saying(code: int, body: bytes, headers: str = "") -> Answering:
    async def respond(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return respond


def _saying_status(**facts: object) -> Answering:
    return _saying(200, json.dumps({"state": "ready", **facts}).encode())


CLIENT = RuntimeClient(sample_timeout_seconds=0.3)


async def test_a_status_is_read_over_a_unix_socket(tmp_path: Path) -> None:
    signature = {"task": "classifier", "columns": None}
    async with _runtime(tmp_path, _saying_status(signature=signature, differences=["a", "b"])) as address:
        status = await CLIENT.status(address)
    assert status is not None
    assert (status.state, status.signature, status.differences) == ("ready", signature, ("a", "b"))


async def test_a_runtime_is_reached_over_tcp_too() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await _saying_status()(b"", writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        status = await CLIENT.status(f"127.0.0.1:{port}")
    assert status is not None


async def test_a_failure_keeps_its_reason_if_that_is_one_of_the_set(tmp_path: Path) -> None:
    answer = _saying_status(state="failed", reason="MissingModule", message="No module named 'x'")
    async with _runtime(tmp_path, answer) as address:
        status = await CLIENT.status(address)
    assert status is not None
    assert (status.reason, status.message) == (Reason.MISSING_MODULE, "No module named 'x'")


async def test_an_invented_reason_and_escape_codes_do_not_get_through(tmp_path: Path) -> None:
    answer = _saying_status(state="failed", reason="HackedByModel", message="\x1b[31mred\nline " + "x" * 9000)
    async with _runtime(tmp_path, answer) as address:
        status = await CLIENT.status(address)
    assert status is not None
    assert status.reason is Reason.LOAD_FAILED
    assert status.message.startswith("[31mred line xxx")
    assert len(status.message) == 1000


async def test_a_signature_too_large_for_a_status_is_dropped_with_a_note(tmp_path: Path) -> None:
    answer = _saying_status(signature={"classes": ["c" * 300_000]})
    async with _runtime(tmp_path, answer) as address:
        status = await CLIENT.status(address)
    assert status is not None
    assert status.signature is None
    assert status.differences == ("The signature is too large to be kept.",)


@pytest.mark.parametrize(
    "answer",
    [
        _saying(200, b"not json"),
        _saying(200, b'{"state": "splendid"}'),
        _saying(200, b'{"state": "ready", "signature": []}'),
        _saying(200, b"[" * 500_000),
        _saying(200, b'{"state": "ready", "message": "' + b"x" * 2_000_000 + b'"}'),
        _saying(404, b"{}"),
        _saying(302, b"", "Location: http://169.254.169.254/\r\n"),
        _saying(200, b"\x1f\x8b\x08\x00", "Content-Encoding: gzip\r\n"),
    ],
    ids=["text", "state", "type", "depth", "size", "code", "redirect", "compressed"],
)
async def test_a_status_that_makes_no_sense_is_none(tmp_path: Path, answer: Answering) -> None:
    async with _runtime(tmp_path, answer) as address:
        assert await CLIENT.status(address) is None


async def test_nobody_there_is_none(tmp_path: Path) -> None:
    assert await CLIENT.status(f"unix:{tmp_path}/nobody.sock") is None
    assert await CLIENT.predict("127.0.0.1:1", b"{}") is None


async def test_a_response_keeps_its_beginning_and_the_digest_of_all(tmp_path: Path) -> None:
    body = json.dumps({"prediction": "ü" * 4000}, ensure_ascii=False).encode()
    async with _runtime(tmp_path, _saying(200, body)) as address:
        answer = await CLIENT.predict(address, b'{"input": [1]}')
    assert isinstance(answer, SampleAnswer)
    assert answer.sha256 == hashlib.sha256(body).hexdigest()
    assert len(answer.body.encode()) in (4095, 4096)
    assert body.decode().startswith(answer.body)


async def test_the_sample_is_sent_as_it_is(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def respond(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head)
        await _saying(200, b"{}")(head, writer)

    async with _runtime(tmp_path, respond) as address:
        await CLIENT.predict(address, b'{"input": [1]}')
    assert seen[0].startswith(b"POST /predict HTTP/1.1")
    assert b"content-type: application/json" in seen[0].lower()
    assert b"content-length: 14" in seen[0].lower()


@pytest.mark.parametrize(
    ("code", "body", "reason", "text"),
    [
        (
            422,
            b'{"detail": "no", "errors": [{"field": "input.a", "message": "is missing"}]}',
            "SampleInvalid",
            "no (input.a: is missing)",
        ),
        (500, b'{"reason": "ModelError", "detail": "ValueError"}', "SampleFailed", "ValueError"),
        (500, b"<html>", "SampleFailed", "status 500"),
        (400, b"[]", "SampleInvalid", "status 400"),
        (301, b"", "SampleFailed", "status 301"),
    ],
)
async def test_a_refused_sample_is_a_verdict(
    tmp_path: Path, code: int, body: bytes, reason: str, text: str
) -> None:
    async with _runtime(tmp_path, _saying(code, body)) as address:
        answer = await CLIENT.predict(address, b"{}")
    assert isinstance(answer, SampleRefused)
    assert answer.reason == reason
    assert text in answer.message


@pytest.mark.parametrize("code", [429, 503, 504])
async def test_a_busy_runtime_has_given_no_verdict(tmp_path: Path, code: int) -> None:
    async with _runtime(tmp_path, _saying(code, b"{}")) as address:
        assert await CLIENT.predict(address, b"{}") is None


async def test_a_response_without_end_is_cut(tmp_path: Path) -> None:
    async def flood(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            return

    client = RuntimeClient(sample_timeout_seconds=20)
    async with _runtime(tmp_path, flood) as address:
        assert await client.predict(address, b"{}") is None


async def test_a_response_that_drips_is_cut(tmp_path: Path) -> None:
    async def drip(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            return

    async with _runtime(tmp_path, drip) as address:
        assert await CLIENT.predict(address, b"{}") is None
