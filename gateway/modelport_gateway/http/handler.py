"""A prediction from its request to its bookkeeping, whichever way it came: by ASGI or by the fast path."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from modelport_http.middleware import body_too_large
from modelport_http.problem import Problem, problem_of
from starlette.requests import ClientDisconnect

from modelport_gateway.auth.authentication import Authentication
from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.response_encoding import encoded, wanted_encoding
from modelport_gateway.metrics import PREDICTIONS
from modelport_gateway.outcome import Outcome, PredictionRequest, Response
from modelport_gateway.prediction import Prediction, authorized_request, chosen_version
from modelport_gateway.request.body import decoded, json_bytes_of, require_type
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import RouteTable
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.usage.counter import UsageCounter

_WITH_ROWS = (Call.PREDICT, Call.INFER)

ReadBody = Callable[[int], Awaitable[bytes]]
"""Gives the body as it was sent, up to so many bytes. Raises Problem 413, ClientDisconnect."""


class PredictionHandler:
    """Of each request: `handle` it, write the response, `record` it; all of it `with in_flight`."""

    def __init__(
        self,
        table: RouteTable,
        authentication: Authentication,
        prediction: Prediction,
        *,
        in_flight: InFlight,
        usage: UsageCounter,
        taps: Taps,
        max_body_bytes: int,
        knows_models: Callable[[], bool],
    ) -> None:
        self._table = table
        self._knows_models = knows_models
        self._authentication = authentication
        self._prediction = prediction
        self.in_flight = in_flight
        self._usage = usage
        self._taps = taps
        self._max_body_bytes = max_body_bytes

    async def handle(
        self, request: PredictionRequest, body: bytes = b"", read: ReadBody | None = None
    ) -> Outcome:
        """Find the response, also to failures. `read`: where the body is not here yet."""
        model = request.target.model
        route, caller, version, content = self._table.get(model), None, None, None
        status, reason, cache = 200, "", "none"
        response: Response
        try:
            caller = await self._authentication.identify(request.headers, request.address)
            # Again: finding out who the caller is may have taken a while.
            route = self._table.get(model)
            if route is None and not self._knows_models():
                raise _just_started()
            authorized = authorized_request(route, caller, request.address)
            content, json_bytes = await self._content(request, body, read)
            version = chosen_version(request, authorized)
            response = await self._prediction.predict(
                request, authorized, version, content, json_bytes=json_bytes
            )
            cache = response.cache
            if encoding := wanted_encoding(request.headers, response):
                response = await encoded(response, encoding)
        except Problem as problem:
            response, status, reason = problem, problem.status, problem.reason or ""
        except ClientDisconnect as gone:
            response, status = gone, 499
        except asyncio.CancelledError as stop:
            # Only the end of the graceful stop does that.
            response, status = stop, 503
        except Exception as error:  # noqa: BLE001 - every failure is a response
            response = problem_of(error, path=request.path, request_id=request.request_id)
            status = response.status
        return Outcome(response, status, reason, cache, route, caller, version, content or b"")

    def record(self, request: PredictionRequest, outcome: Outcome) -> float:
        """Count the request, and keep of it what history and drift want. Give the seconds that it took."""
        ended = time.perf_counter()
        seconds = ended - request.started
        PREDICTIONS.count(outcome.status, outcome.cache, seconds)
        self._usage.count(outcome, seconds, ended=ended)
        if request.target.call in _WITH_ROWS:
            self._taps.offer(request, outcome, seconds)
        return seconds

    async def _content(
        self, request: PredictionRequest, body: bytes, read: ReadBody | None
    ) -> tuple[bytes | None, int | None]:
        """Return the body without its Content-Encoding, and the length of the JSON in front of tensors."""
        call, headers = request.target.call, request.headers
        if call not in _WITH_ROWS:
            return None, None
        require_type(call, headers)
        if read is not None:
            body = await read(self._max_body_bytes)
        elif len(body) > self._max_body_bytes:
            raise body_too_large(self._max_body_bytes)
        # Most requests have none, and would pay for a call that returns at once.
        if headers.has(b"content-encoding"):
            body = await decoded(headers, body, max_bytes=self._max_body_bytes)
        return body, json_bytes_of(headers, len(body)) if call is Call.INFER else None


def _just_started() -> Problem:
    return Problem(
        status=503,
        detail="The gateway has just started and does not know all models yet. Try again in a second.",
        headers={"Retry-After": "1"},
    )
