"""Asks runtimes over HTTP. What they answer is a stranger's: bounded while read, checked before use."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Protocol

import httpx
import structlog
from modelport_crds.mlmodel import SampleAnswer

from modelport_operator.core.probe_results import RuntimeStatus, SampleRefused
from modelport_operator.shell.runtime_answers import read_refusal, read_status

_log = structlog.get_logger()

_MAX_STATUS_BYTES = 1024 * 1024
_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_KEPT_ANSWER_BYTES = 4096
_STATUS_SECONDS = 5.0
# The runtime is there but cannot say now: to be asked again, not a verdict on the model.
_NOT_NOW = {408, 429, 502, 503, 504}


class Runtimes(Protocol):
    async def status(self, address: str) -> RuntimeStatus | None:
        """None: it could not be reached, or made no sense."""
        ...

    async def predict(self, address: str, body: bytes) -> SampleAnswer | SampleRefused | None:
        """None: it gave no verdict; ask again."""
        ...


@dataclass(frozen=True)
class _Request:
    address: str
    method: str
    path: str
    seconds: float
    limit_bytes: int
    body: bytes | None = None


@dataclass(frozen=True)
class _Reply:
    code: int
    body: bytes


class RuntimeClient:
    """Reaches a runtime at `host:port` or `unix:/path`. Questions are rare: no connection is kept."""

    def __init__(self, *, sample_timeout_seconds: float = 30.0) -> None:
        self._sample_timeout_seconds = sample_timeout_seconds

    async def status(self, address: str) -> RuntimeStatus | None:
        reply = await self._ask(_Request(address, "GET", "/status", _STATUS_SECONDS, _MAX_STATUS_BYTES))
        if reply is None or reply.code != httpx.codes.OK:
            return None
        return read_status(reply.body)

    async def predict(self, address: str, body: bytes) -> SampleAnswer | SampleRefused | None:
        seconds = self._sample_timeout_seconds
        reply = await self._ask(_Request(address, "POST", "/predict", seconds, _MAX_ANSWER_BYTES, body))
        if reply is None or reply.code in _NOT_NOW:
            return None
        if reply.code != httpx.codes.OK:
            return read_refusal(reply.code, reply.body)
        kept = reply.body[:_KEPT_ANSWER_BYTES].decode(errors="ignore")
        return SampleAnswer(body=kept, sha256=hashlib.sha256(reply.body).hexdigest())

    async def _ask(self, request: _Request) -> _Reply | None:
        try:
            # httpx limits each read; a runtime that drips must not hold a pass for ever.
            async with asyncio.timeout(request.seconds):
                return await _call(request)
        except (httpx.HTTPError, OSError, _TooLong) as error:
            _log.info("runtime_unreachable", address=request.address, path=request.path, error=repr(error))
            return None


class _TooLong(Exception):
    """The answer is larger than any honest one."""


async def _call(request: _Request) -> _Reply:
    transport, origin = _route(request.address)
    async with (
        httpx.AsyncClient(transport=transport, base_url=origin, timeout=request.seconds) as client,
        client.stream(
            request.method,
            request.path,
            content=request.body,
            # Uncompressed: a few compressed bytes could unfold into gigabytes.
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
        ) as response,
    ):
        return _Reply(response.status_code, await _read(response, request.limit_bytes))


async def _read(response: httpx.Response, limit: int) -> bytes:
    received = bytearray()
    # Raw: whatever encoding it claims is not undone.
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > limit:
            raise _TooLong(f"more than {limit} bytes")
    return bytes(received)


def _route(address: str) -> tuple[httpx.AsyncHTTPTransport, str]:
    if address.startswith("unix:"):
        return httpx.AsyncHTTPTransport(uds=address.removeprefix("unix:"), verify=False), "http://runtime"
    return httpx.AsyncHTTPTransport(verify=False), f"http://{address}"
