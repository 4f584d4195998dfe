"""Predictions without ASGI: the same steps as Server's, fed by the lean protocol.

It saves what ASGI costs: a scope, events, a middleware for each kind of header. Every answer, header, log
line and count is the same as there; a test holds the two together.
"""

import asyncio
import time

from modelport_http.fast_path.protocol import Exchange, Headers
from modelport_http.middleware import body_too_large
from modelport_http.problem import Problem, problem_of
from modelport_http.stopping import stopping
from modelport_process.access_lines import access_lines
from modelport_process.request_context import current_request_id, request_id_for

from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.http.response_encoding import encoded, wanted_encoding
from modelport_gateway.http.response_lines import AnswerLines
from modelport_gateway.metrics import count_prediction
from modelport_gateway.prediction import Answer, Prediction, PredictionContext
from modelport_gateway.request.body import decoded, json_bytes_of, require_type
from modelport_gateway.request.headers import RequestHeaders
from modelport_gateway.request.paths import Call, Target, parse_target
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.usage.counter import UsageCounter

_KEPT_TARGETS = 10_000


class FastPath:
    """The lean protocol's handler. `answers_browsers`: requests of other origins are the ASGI app's."""

    def __init__(
        self,
        prediction: Prediction,
        *,
        addresses: ClientAddresses,
        under_way: InFlight,
        usage: UsageCounter,
        taps: Taps,
        max_body_bytes: int,
        answers_browsers: bool,
    ) -> None:
        self._prediction = prediction
        self._addresses = addresses
        self._under_way = under_way
        self._usage = usage
        self._taps = taps
        self._max_body_bytes = max_body_bytes
        self._answers_browsers = answers_browsers
        self._lines = AnswerLines(answers_browsers=answers_browsers)
        self._targets: dict[bytes, Target] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def takes(self, target: bytes, headers: Headers) -> bool:
        if self._answers_browsers and any(name == b"origin" for name, _ in headers):
            return False
        return self._target(target) is not None

    def begin(self, exchange: Exchange) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(exchange))
        # The event loop itself does not keep a task that waits.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.on_cancel = task.cancel

    def _target(self, path: bytes) -> Target | None:
        if known := self._targets.get(path):
            return known
        target = parse_target(path.decode("latin-1"))
        if target is None or target.call.method != "POST":
            return None
        if len(self._targets) >= _KEPT_TARGETS:
            self._targets.clear()
        self._targets[path] = target
        return target

    async def _serve(self, exchange: Exchange) -> None:
        request = _Request(exchange, self._addresses, self._lines)
        current_request_id.set(request.id)  # In this task alone.
        asked = self._asked(request)
        status, reason, cache = 500, "", "none"
        said: bytes | Problem | None = None
        with self._under_way.one():
            try:
                answer = await self._answer(asked, request)
                status, cache = 200, answer.cache
                encoding = wanted_encoding(request.headers, answer)
                request.answer(answer if encoding is None else await encoded(answer, encoding))
                said = answer.body
            except asyncio.CancelledError:
                # Only the end of the graceful stop cancels this task.
                status = 503
                request.refuse(stopping())
            except Exception as error:  # noqa: BLE001 - every failure is an answer
                problem = problem_of(error, path=request.path, request_id=request.id)
                status, reason, said = problem.status, problem.reason or "", problem
                request.refuse(problem)
            finally:
                ended = time.perf_counter()
                seconds = request.note(status, cache, ended)
                self._usage.count(asked, status, reason, cache, seconds, ended=ended)
                self._taps.offer(asked, said, cache, seconds)

    def _asked(self, request: "_Request") -> PredictionContext:
        target = self._target(request.exchange.target)
        if target is None:
            raise ValueError("a request that is none for a model was taken")
        return PredictionContext(target, request.headers, request.address, request.id)

    async def _answer(self, asked: PredictionContext, request: "_Request") -> Answer:
        body = request.exchange.body
        granted = await self._prediction.grant(asked)
        call, headers = asked.target.call, request.headers
        require_type(call, headers)
        if len(body) > self._max_body_bytes:
            raise body_too_large(self._max_body_bytes)
        # Most requests have neither, and would pay for calls that return at once.
        if headers.has(b"content-encoding"):
            body = await decoded(headers, body, max_bytes=self._max_body_bytes)
        if call is Call.INFER:
            asked.json_bytes = json_bytes_of(call, headers, len(body))
        return await self._prediction.answer(asked, granted, body)


class _Request:
    """One of them, from its first byte to its line in the log."""

    __slots__ = ("_lines", "_started", "address", "exchange", "headers", "id", "ip")

    def __init__(self, exchange: Exchange, addresses: ClientAddresses, lines: AnswerLines) -> None:
        self._started = time.perf_counter()
        self._lines = lines
        self.exchange = exchange
        self.headers = RequestHeaders(exchange.headers)
        self.id = request_id_for(self.headers.get(b"x-request-id") or "")
        self.ip, self.address = addresses.find(exchange.client[0] if exchange.client else "", self.headers)

    @property
    def path(self) -> str:
        return self.exchange.target.decode("latin-1")

    def answer(self, answer: Answer) -> None:
        seconds = time.perf_counter() - self._started
        head = self._lines.answer(answer, seconds, request_id=self.id, scheme=self.exchange.scheme)
        self.exchange.respond(head, answer.body)

    def refuse(self, problem: Problem) -> None:
        head, body = self._lines.problem(
            problem,
            request_id=self.id,
            scheme=self.exchange.scheme,
            path=self.path,
            accept=self.headers.get(b"accept"),
        )
        self.exchange.respond(head, body)

    def note(self, status: int, cache: str, ended: float) -> float:
        """Give the seconds that it took."""
        seconds = ended - self._started
        count_prediction(status, cache, seconds)
        access_lines().add("POST", self.path, status, seconds, client_ip=self.ip, request_id=self.id)
        return seconds
