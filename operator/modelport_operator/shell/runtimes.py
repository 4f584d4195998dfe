"""Calls runtimes over HTTP. What they respond is untrusted: bounded while read, believed as far as it is
checked.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import httpx
import msgspec
import structlog
from modelport_crds.mlmodel import AccelerationProof, Engine, SampleAnswer
from modelport_crds.reasons import Reason
from modelport_http.wording import counted

from modelport_operator.core.observed.probe_results import RuntimeStatus, SampleRefused, plain_text

_log = structlog.get_logger()

# An MLModel with its status must fit into 1.5 MB of etcd, with several versions in it.
_MAX_SIGNATURE_BYTES = 256 * 1024
_MAX_DETAIL_BYTES = 16 * 1024
_MAX_DIFFERENCES = 20


class _WireAcceleration(msgspec.Struct):
    rows_compared: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    largest_difference: Annotated[float, msgspec.Meta(ge=0)] | None = None
    detail: str = ""


class _WireStatus(msgspec.Struct):
    state: Literal["loading", "ready", "failed"]
    reason: str | None = None
    message: str | None = None
    signature: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    libraries: dict[str, Any] | None = None
    differences: list[str] = []
    sandbox: dict[str, Any] | None = None
    engine: Engine | None = None
    acceleration: _WireAcceleration | None = None


class _WireError(msgspec.Struct):
    field: str = ""
    message: str = ""


class _WireProblem(msgspec.Struct):
    reason: str | None = None
    detail: str | None = None
    errors: list[_WireError] = []


def read_status(body: bytes) -> RuntimeStatus | None:
    """None: it is not a status."""
    try:
        reported = msgspec.json.decode(body, type=_WireStatus)
    except (msgspec.MsgspecError, RecursionError) as error:
        _log.warning("runtime_status_unreadable", error=plain_text(str(error)))
        return None
    return RuntimeStatus(
        state=reported.state,
        reason=known_reason(reported.reason, Reason.LOAD_FAILED) if reported.state == "failed" else None,
        message=plain_text(reported.message or ""),
        signature=_bounded("signature", reported.signature, _MAX_SIGNATURE_BYTES),
        sample=_bounded("sample", reported.sample, _MAX_SIGNATURE_BYTES),
        libraries=_bounded("libraries", reported.libraries, _MAX_DETAIL_BYTES),
        differences=_differences(reported),
        sandbox=_bounded("sandbox", reported.sandbox, _MAX_DETAIL_BYTES),
        engine=reported.engine,
        acceleration=_proof(reported.acceleration) if reported.acceleration is not None else None,
    )


def read_refusal(code: int, body: bytes) -> SampleRefused:
    """A caller's error is about the sample, anything else about the model."""
    fallback = Reason.SAMPLE_INVALID if 400 <= code < 500 else Reason.SAMPLE_FAILED
    try:
        problem = msgspec.json.decode(body, type=_WireProblem)
    except (msgspec.MsgspecError, RecursionError):
        return SampleRefused(fallback, f"The sample was answered with status {code}.")
    return SampleRefused(fallback, _refusal_text(code, problem))


def known_reason(reason: str | None, fallback: Reason) -> Reason:
    """Return the reason, or `fallback` for one that no release knows."""
    return Reason(reason) if reason in set(Reason) else fallback


def _refusal_text(code: int, problem: _WireProblem) -> str:
    detail = problem.detail or f"The sample was answered with status {code}."
    fields = "; ".join(f"{error.field}: {error.message}" for error in problem.errors[:5])
    return plain_text(f"{detail} ({fields})" if fields else detail)


def _proof(reported: _WireAcceleration) -> AccelerationProof:
    return AccelerationProof(
        rows_compared=reported.rows_compared,
        largest_difference=reported.largest_difference,
        detail=plain_text(reported.detail),
    )


def _differences(reported: _WireStatus) -> tuple[str, ...]:
    notes = (
        [] if _fits(reported.signature, _MAX_SIGNATURE_BYTES) else ["The signature is too large to be kept."]
    )
    return tuple(plain_text(text, 200) for text in [*reported.differences[:_MAX_DIFFERENCES], *notes])


def _bounded(name: str, value: dict[str, Any] | None, limit: int) -> dict[str, Any] | None:
    if _fits(value, limit):
        return value
    _log.warning("runtime_answer_dropped", part_of_status=name, limit_bytes=limit)
    return None


def _fits(value: dict[str, Any] | None, limit: int) -> bool:
    return value is None or len(msgspec.json.encode(value)) <= limit


_MAX_STATUS_BYTES = 1024 * 1024
_MAX_RESPONSE_BYTES = 4 * 1024 * 1024
_KEPT_RESPONSE_BYTES = 4096
_STATUS_SECONDS = 5.0
# The runtime is there but cannot predict now: to be probed again; this is no judgment of the model.
_NOT_NOW = {408, 429, 502, 503, 504}


class Runtimes(Protocol):
    async def status(self, address: str) -> RuntimeStatus | None:
        """None: it could not be reached, or made no sense."""
        ...

    async def predict(self, address: str, body: bytes) -> SampleAnswer | SampleRefused | None:
        """None: it could not predict now; probe again."""
        ...

    async def answer(self, address: str, body: bytes) -> "Answer | None":
        """Return the whole response to a predict body. None: it could not be reached, or made no sense."""
        ...


@dataclass(frozen=True)
class Answer:
    """A response, whatever its HTTP status."""

    status: int
    body: bytes


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
        reply = await self._send(_Request(address, "GET", "/status", _STATUS_SECONDS, _MAX_STATUS_BYTES))
        if reply is None or reply.code != httpx.codes.OK:
            return None
        return read_status(reply.body)

    async def predict(self, address: str, body: bytes) -> SampleAnswer | SampleRefused | None:
        seconds = self._sample_timeout_seconds
        reply = await self._send(_Request(address, "POST", "/predict", seconds, _MAX_RESPONSE_BYTES, body))
        if reply is None or reply.code in _NOT_NOW:
            return None
        if reply.code != httpx.codes.OK:
            return read_refusal(reply.code, reply.body)
        kept = reply.body[:_KEPT_RESPONSE_BYTES].decode(errors="ignore")
        return SampleAnswer(body=kept, sha256=hashlib.sha256(reply.body).hexdigest())

    async def answer(self, address: str, body: bytes) -> Answer | None:
        seconds = self._sample_timeout_seconds
        reply = await self._send(_Request(address, "POST", "/predict", seconds, _MAX_RESPONSE_BYTES, body))
        return None if reply is None else Answer(reply.code, reply.body)

    async def _send(self, request: _Request) -> _Reply | None:
        try:
            # httpx limits each read; a runtime that drips must not hold a pass forever.
            async with asyncio.timeout(request.seconds):
                return await _call(request)
        except (httpx.HTTPError, OSError, _TooLong) as error:
            _log.info("runtime_unreachable", address=request.address, path=request.path, error=repr(error))
            return None


class _TooLong(Exception):
    """The response is larger than any honest one."""


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
            raise _TooLong(f"more than {counted(limit, 'byte')}")
    return bytes(received)


def _route(address: str) -> tuple[httpx.AsyncHTTPTransport, str]:
    if address.startswith("unix:"):
        return httpx.AsyncHTTPTransport(uds=address.removeprefix("unix:"), verify=False), "http://runtime"
    return httpx.AsyncHTTPTransport(verify=False), f"http://{address}"
