"""A prediction from its request to its bookkeeping, whichever way it came: by ASGI or by the fast path."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from modelport_http.content_encoding import Undecodable, inflate
from modelport_http.wording import counted

from modelport_runtime import logs, metrics
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.server.batching import Batcher, QueueFull
from modelport_runtime.server.predictions import PROTOCOLS, Protocol, RequestHead, call_of, protocol_of
from modelport_runtime.server.problem import Problem, internal_error, of_failure
from modelport_runtime.server.status import State
from modelport_runtime.wire import LoadReport, Outcome

log = logging.getLogger(__name__)


class Served(msgspec.Struct, frozen=True, gc=False):
    """A prediction, and how many seconds the batch took in which it was made."""

    prediction: Prediction
    seconds: float


Respond = Callable[[Served | Problem], None]


class Submission(msgspec.Struct):
    """One request that waits for the model."""

    head: RequestHead
    call: Call
    respond: Respond
    gone: bool = False
    """Nobody waits for the response: the caller has left, or has it."""

    def end(self, outcome: Outcome, seconds: float) -> None:
        """Respond, and count it."""
        self.gone = True
        if type(outcome) is Failure:
            self.respond(_refuse(self.head, self.call.protocol, outcome))
        else:
            self.respond(Served(outcome, seconds))
            metrics.REQUESTS.count(self.call.protocol, 200)

    def leave(self) -> None:
        """To be called when the caller has gone. Does nothing once the request has ended."""
        if not self.gone:
            self.gone = True
            note_gone(self.head, self.call.protocol)


class PredictionHandler:
    """Counts each request once, and logs what its caller is not shown.

    `state` is read at every request: the load goes on meanwhile. A `Problem` that is raised has been
    counted and is the response, also where the runtime itself failed.
    """

    def __init__(self, batcher: Batcher, state: Callable[[], State], *, max_body_bytes: int) -> None:
        self._batcher = batcher
        self._state = state
        self.max_body_bytes = max_body_bytes

    def require_ready(self) -> LoadReport:
        """Raises `Problem`: 503 with the reason."""
        state = self._state()
        if state.phase == "ready" and state.reported is not None:
            return state.reported
        raise _not_ready(state)

    def accept(self, head: RequestHead, declared_bytes: int = 0) -> Protocol:
        """Return what the body is to be read as, before it is. Raises `Problem`: 413, 415 or 503."""
        try:
            state = self._state()
            if state.phase != "ready":
                raise _not_ready(state)
            protocol = protocol_of(head.path, head.content_type)
            if declared_bytes > self.max_body_bytes:
                raise _too_large(self.max_body_bytes)
        except Problem as problem:
            # As it is: raised anew it costs a 415 another hundredth of its time.
            metrics.REQUESTS.count(PROTOCOLS[head.path], problem.status)
            raise
        except Exception as error:  # noqa: BLE001 - every failure is a response
            raise _refuse(head, PROTOCOLS[head.path], error) from None
        return protocol

    def submit(self, head: RequestHead, protocol: Protocol, body: bytes, respond: Respond) -> Submission:
        """Call the model; `respond` is called later, once. Raises `Problem`: 400, 413, 415 or 503."""
        try:
            is_plain = not head.encoding and not head.json_length and len(body) <= self.max_body_bytes
            call = Call(protocol, body) if is_plain else self._call(head, protocol, body)
            submission = Submission(head, call, respond)
            self._batcher.submit(submission)
        except Exception as error:  # noqa: BLE001 - every failure is a response
            raise _refuse(head, protocol, error) from None
        return submission

    def _call(self, head: RequestHead, protocol: Protocol, body: bytes) -> Call:
        if len(body) > self.max_body_bytes:
            raise _too_large(self.max_body_bytes)
        if head.encoding:
            body = _inflated(body, head.encoding, self.max_body_bytes)
        return call_of(protocol, body, head.json_length)


def note_gone(head: RequestHead, protocol: Protocol) -> None:
    """Count and log that the caller has gone before the response."""
    # 499: the caller has gone.
    metrics.REQUESTS.count(protocol, 499)
    with logs.about(head.request_id.decode()):
        log.info("client_gone", extra={"path": head.path})


def _refuse(head: RequestHead, protocol: Protocol, error: Exception | Failure) -> Problem:
    """Return the response, counted."""
    problem = error if type(error) is Problem else _problem_of(error, head)
    metrics.REQUESTS.count(protocol, problem.status)
    return problem


def _problem_of(error: Exception | Failure, head: RequestHead) -> Problem:
    match error:
        case QueueFull():
            return _queue_full()
        case Failure():
            if error.trace:
                with logs.about(head.request_id.decode()):
                    log.error("model_raised", extra={"trace": error.trace})
            return of_failure(error)
        case _:
            with logs.about(head.request_id.decode()):
                log.error("unhandled", extra={"path": head.path}, exc_info=error)
            return internal_error()


def _not_ready(state: State) -> Problem:
    reported = state.reported
    if state.phase == "failed" and reported is not None:
        return Problem(
            503, "Model not ready", reported.message or "The model was not loaded.", reported.reason
        )
    return Problem(
        503,
        "Model not ready",
        "The model is being loaded. Try again after Retry-After seconds.",
        "Progressing",
        headers={b"retry-after": b"1"},
    )


def _queue_full() -> Problem:
    return Problem(
        503,
        "Too many requests wait",
        "More requests wait for the model than its queue holds. Try again after Retry-After seconds.",
        "QueueFull",
        headers={b"retry-after": b"1"},
    )


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        413,
        "Content Too Large",
        f"The body has more than {counted(max_bytes, 'byte')}. Send fewer rows in one request.",
    )


def _inflated(body: bytes, encoding: bytes, max_bytes: int) -> bytes:
    """Undo a Content-Encoding. Raises `Problem`: 400, 413 or 415."""
    try:
        return inflate(body, encoding.decode("latin-1"), max_bytes)
    except Undecodable as error:
        raise Problem(error.status, HTTPStatus(error.status).phrase, error.detail) from None
