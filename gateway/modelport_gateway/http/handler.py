"""A prediction from its request to its bookkeeping, whichever way it came: by ASGI or by the fast path."""

import asyncio
import time
from typing import Protocol

import orjson
from modelport_http.problem import Problem
from starlette.requests import ClientDisconnect

from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.response_encoding import encoded, wanted_encoding
from modelport_gateway.metrics import count_prediction
from modelport_gateway.prediction import Answer, Prediction, PredictionContext
from modelport_gateway.request.body import decoded, json_bytes_of, require_type
from modelport_gateway.request.paths import Call
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.usage.counter import UsageCounter

_WITH_ROWS = (Call.PREDICT, Call.INFER)


class Transport(Protocol):
    """One request's way in and out."""

    started: float
    """When its first byte came, on `time.perf_counter`."""

    async def read(self, max_bytes: int) -> bytes:
        """Give the body as it was sent. Raises Problem 413, ClientDisconnect."""
        ...

    async def respond(self, answer: Answer, seconds: float) -> None:
        """Send it. `seconds`: since `started`."""
        ...

    async def refuse(self, problem: Problem) -> None: ...

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
                answer = await self._answer(context, transport)
                status, cache = 200, answer.cache
                encoding = wanted_encoding(context.headers, answer)
                sent = answer if encoding is None else await encoded(answer, encoding)
                await transport.respond(sent, time.perf_counter() - transport.started)
                response = answer.body
            except Problem as problem:
                status, response = problem.status, problem
                await transport.refuse(problem)
            except ClientDisconnect:
                status = 499
                raise
            except asyncio.CancelledError:
                # Only the end of the graceful stop does that.
                status = 503
                raise
            finally:
                self._record(context, transport, status, cache, response)

    async def refuse(self, context: PredictionContext, transport: Transport, problem: Problem) -> None:
        """Answer a request that is none the handler could serve, and count it."""
        await transport.refuse(problem)
        self._record(context, transport, problem.status, "none", problem)

    async def _answer(self, context: PredictionContext, transport: Transport) -> Answer:
        authorized = await self._prediction.grant(context)
        call = context.target.call
        if call in _WITH_ROWS:
            body = await self._body(context, transport)
            return await self._prediction.answer(context, authorized, body)
        if call is Call.READY:
            version = self._prediction.check_ready(context, authorized)
            return Answer(orjson.dumps({"name": context.target.model, "ready": True}), version.name)
        return await self._prediction.answer(context, authorized, None)

    async def _body(self, context: PredictionContext, transport: Transport) -> bytes:
        call, headers = context.target.call, context.headers
        require_type(call, headers)
        body = await transport.read(self._max_body_bytes)
        # Most requests have neither, and would pay for calls that return at once.
        if headers.has(b"content-encoding"):
            body = await decoded(headers, body, max_bytes=self._max_body_bytes)
        if call is Call.INFER:
            context.json_bytes = json_bytes_of(headers, len(body))
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
