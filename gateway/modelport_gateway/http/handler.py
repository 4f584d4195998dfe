"""A prediction from its request to its bookkeeping, whichever way it came: by ASGI or by the fast path."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

import orjson
from modelport_http.problem import Problem, internal_error
from starlette.requests import ClientDisconnect

from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.response_encoding import encoded, wanted_encoding
from modelport_gateway.metrics import count_prediction
from modelport_gateway.prediction import Prediction, PredictionContext, PredictionResponse
from modelport_gateway.request.body import decoded, json_bytes_of, require_type
from modelport_gateway.request.paths import Call
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.usage.counter import UsageCounter

_WITH_ROWS = (Call.PREDICT, Call.INFER)


class Transport(Protocol):
    """One request's way in and out."""

    started: float
    """When its first byte came, on `time.perf_counter`."""

    def read(self, max_bytes: int) -> bytes | Awaitable[bytes]:
        """Give the body as it was sent: at once where it is here. Raises Problem 413, ClientDisconnect."""
        ...

    def respond(self, answer: PredictionResponse, seconds: float) -> Awaitable[None] | None:
        """Send it; None: it has been. `seconds`: since `started`."""
        ...

    def refuse(self, problem: Problem) -> Awaitable[None] | None: ...

    def log(self, status: int, seconds: float) -> None:
        """Write the access line, where nothing around the transport does."""
        ...


class PredictionHandler:
    """Raises whatever is no Problem, once it has been counted."""

    def __init__(
        self,
        prediction: Prediction,
        *,
        in_flight: InFlight,
        usage: UsageCounter,
        taps: Taps,
        max_body_bytes: int,
    ) -> None:
        self._prediction = prediction
        self._in_flight = in_flight
        self._usage = usage
        self._taps = taps
        self._max_body_bytes = max_body_bytes

    async def handle(self, context: PredictionContext, transport: Transport) -> None:
        """Answer, and count it."""
        status, cache = 500, "none"
        response: bytes | Problem | None = None
        with self._in_flight.one():
            try:
                answer = await self._predict(context, transport)
                status, cache = 200, answer.cache
                encoding = wanted_encoding(context.headers, answer)
                sent = answer if encoding is None else await encoded(answer, encoding)
                if sending := transport.respond(sent, time.perf_counter() - transport.started):
                    await sending
                response = answer.body
            except Problem as problem:
                status, response = problem.status, problem
                if sending := transport.refuse(problem):
                    await sending
            except ClientDisconnect:
                status = 499
                raise
            except asyncio.CancelledError:
                # Only the end of the graceful stop does that.
                status = 503
                raise
            except Exception:
                # What the caller gets for it.
                response = internal_error()
                raise
            finally:
                self._record(context, transport, status, cache, response)

    async def refuse(self, context: PredictionContext, transport: Transport, problem: Problem) -> None:
        """Answer a request that is none the handler could serve, and count it."""
        if sending := transport.refuse(problem):
            await sending
        self._record(context, transport, problem.status, "none", problem)

    async def _predict(self, context: PredictionContext, transport: Transport) -> PredictionResponse:
        authorized = await self._prediction.authorize(context)
        call = context.target.call
        if call in _WITH_ROWS:
            require_type(call, context.headers)
            body = transport.read(self._max_body_bytes)
            if not isinstance(body, bytes):
                body = await body
            # Most requests are neither, and would pay for a call that returns at once.
            if call is Call.INFER or context.headers.has(b"content-encoding"):
                body = await self._plain(context, body)
            return await self._prediction.predict(context, authorized, body)
        if call is Call.READY:
            version = self._prediction.check_ready(context, authorized)
            return PredictionResponse(
                orjson.dumps({"name": context.target.model, "ready": True}), version.name
            )
        return await self._prediction.predict(context, authorized, None)

    async def _plain(self, context: PredictionContext, body: bytes) -> bytes:
        body = await decoded(context.headers, body, max_bytes=self._max_body_bytes)
        if context.target.call is Call.INFER:
            context.json_bytes = json_bytes_of(context.headers, len(body))
        return body

    def _record(
        self,
        context: PredictionContext,
        transport: Transport,
        status: int,
        cache: str,
        response: bytes | Problem | None,
    ) -> None:
        ended = time.perf_counter()
        seconds = ended - transport.started
        count_prediction(status, cache, seconds)
        transport.log(status, seconds)
        reason = (response.reason or "") if isinstance(response, Problem) else ""
        self._usage.count(context, status, reason, cache, seconds, ended=ended)
        if context.target.call in _WITH_ROWS:
            self._taps.offer(context, response, cache, seconds)
