"""One call to one replica of a model, whose every answer is untrusted input."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from modelport_gateway.connections import Connections
from modelport_gateway.metrics import UPSTREAM_ERRORS
from modelport_gateway.routes import Endpoint


class EndpointUnreachable(Exception):
    """Nothing was answered: the request may be tried elsewhere."""


class AnswerCutOff(EndpointUnreachable):
    """The replica went away in the middle of its answer, of which the caller has seen nothing."""


class UpstreamTimeout(Exception):
    """The model did not answer in its time."""


class UpstreamMisbehaved(Exception):
    """The model answered something that is not an answer; the message says what, for logs and people."""


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """Bounded in size, of a known status and JSON by its own word; nothing else of it has been checked."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    method: str
    path: str
    body: bytes | None
    request_id: str


_AVOIDED_SECONDS = 5.0
_STATUSES = frozenset({200, 400, 413, 415, 422, 500, 503, 504})
_JSON = frozenset({"application/json", "application/problem+json"})


class Upstream:
    def __init__(self, connections: Connections, *, max_answer_bytes: int) -> None:
        self._connections = connections
        self._max_answer_bytes = max_answer_bytes

    async def ask(self, endpoint: Endpoint, call: UpstreamCall, *, timeout_seconds: float) -> UpstreamAnswer:
        """Ask once. Raises EndpointUnreachable, UpstreamTimeout or UpstreamMisbehaved."""
        endpoint.in_flight += 1
        try:
            return await self._ask(endpoint.address, call, timeout_seconds)
        except (EndpointUnreachable, UpstreamTimeout, UpstreamMisbehaved) as error:
            UPSTREAM_ERRORS.labels(type(error).__name__).inc()
            if isinstance(error, EndpointUnreachable):
                _avoid_for_a_while(endpoint)
            raise
        finally:
            endpoint.in_flight -= 1

    async def _ask(self, address: str, call: UpstreamCall, timeout_seconds: float) -> UpstreamAnswer:
        started = time.perf_counter()
        # Only these: a model must never see a caller's credential, cookies or address.
        headers = {"Content-Type": "application/json", "X-Request-ID": call.request_id}
        answered = False
        try:
            async with self._connections.request(
                address,
                call.method,
                call.path,
                body=call.body,
                headers=headers,
                timeout_seconds=timeout_seconds,
            ) as response:
                answered = True
                _check_head(response)
                body = await self._read(response)
                return UpstreamAnswer(response.status, body, time.perf_counter() - started)
        except aiohttp.ConnectionTimeoutError as error:
            raise EndpointUnreachable(str(error)) from error
        except TimeoutError as error:
            raise UpstreamTimeout from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            kind = AnswerCutOff if answered else EndpointUnreachable
            raise kind(str(error)) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise UpstreamMisbehaved("its answer is not HTTP") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, size = [], 0
        if (response.content_length or 0) > self._max_answer_bytes:
            raise UpstreamMisbehaved(f"its answer is longer than {self._max_answer_bytes} bytes")
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._max_answer_bytes:
                raise UpstreamMisbehaved(f"its answer is longer than {self._max_answer_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


def _avoid_for_a_while(endpoint: Endpoint) -> None:
    """A host that has died is taken for ready until its cluster notices: each try costs a caller time."""
    endpoint.failures += 1

    def forgive() -> None:
        endpoint.failures -= 1

    asyncio.get_running_loop().call_later(_AVOIDED_SECONDS, forgive)


def _check_head(response: aiohttp.ClientResponse) -> None:
    if response.status not in _STATUSES:
        raise UpstreamMisbehaved(f"it answered with status {response.status}")
    if response.content_type not in _JSON:
        raise UpstreamMisbehaved("its answer is not JSON")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UpstreamMisbehaved("its answer is compressed, which nobody asked for")
