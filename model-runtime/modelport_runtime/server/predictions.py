"""One prediction, whichever way it came in: may it be asked, and what its outcome is to the caller."""

import itertools
import logging
import re
import secrets
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Literal

from modelport_http.content_encoding import Undecodable, inflate
from prometheus_client import Counter

from modelport_runtime import logs, metrics
from modelport_runtime.core.types import Answer, Call, Failure
from modelport_runtime.server.batching import Batcher, QueueFull, Resolve, Waiting
from modelport_runtime.server.problem import Problem, of_failure
from modelport_runtime.server.status import State
from modelport_runtime.wire import LoadReport, Outcome

log = logging.getLogger(__name__)

Protocol = Literal["native", "matrix", "v2"]
PROTOCOLS: dict[str, Protocol] = {"/predict": "native", "/v2/infer": "v2"}

JSON = b"application/json"
OCTETS = b"application/octet-stream"
MATRIX = b"application/vnd.modelport.matrix"
_LENGTH = re.compile(rb"[0-9]{1,15}")
_HARMLESS = re.compile(rb"[ -~]{1,128}")
"""What a request id may be, in a header and in a log."""
_process = secrets.token_hex(8)
_numbers = itertools.count()


def request_id(given: bytes) -> bytes:
    """The caller's, if it is harmless, else a new one."""
    if given and _HARMLESS.fullmatch(given):
        return given
    return b"%b%016x" % (_process.encode(), next(_numbers))


class Predictor:
    """Asks the model. `state` is asked at every request: the load goes on meanwhile."""

    def __init__(self, batcher: Batcher, state: Callable[[], State], *, max_body_bytes: int) -> None:
        self._batcher = batcher
        self._state = state
        self.max_body_bytes = max_body_bytes

    def require_ready(self) -> LoadReport:
        """Raises `Problem`: 503 with the reason."""
        state = self._state()
        if state.phase == "loading" or state.told is None:
            raise Problem(
                503,
                "Model not ready",
                "The model is being loaded. Try again after Retry-After seconds.",
                "Progressing",
                headers={b"retry-after": b"1"},
            )
        if state.phase == "failed":
            told = state.told
            raise Problem(503, "Model not ready", told.message or "The model was not loaded.", told.reason)
        return state.told

    def submit(self, call: Call, resolve: Resolve) -> Waiting:
        """Raises `Problem`: 503 when too many wait."""
        try:
            return self._batcher.submit(call, resolve)
        except QueueFull:
            raise Problem(
                503,
                "Too many requests wait",
                "More requests wait for the model than its queue holds. Try again after Retry-After seconds.",
                "QueueFull",
                headers={b"retry-after": b"1"},
            ) from None

    def inflated(self, body: bytes, encoding: bytes) -> bytes:
        """Undo a Content-Encoding. Raises `Problem`: 400, 413 or 415."""
        try:
            return inflate(body, encoding.decode("latin-1"), self.max_body_bytes)
        except Undecodable as error:
            raise Problem(error.status, HTTPStatus(error.status).phrase, error.detail) from None

    def require_size(self, size: int) -> None:
        """Raises `Problem`: 413."""
        if size > self.max_body_bytes:
            raise Problem(
                413,
                "Content Too Large",
                f"The body has more than {self.max_body_bytes} bytes. Send fewer rows in one request.",
            )


def protocol_of(path: Protocol, content_type: bytes) -> Protocol:
    """What the body is, for a path that takes `path`. Raises `Problem`: 415."""
    if content_type in (JSON, b""):
        return path
    if content_type == MATRIX and path == "native":
        return "matrix"
    _require_json(content_type, path)
    return path


def _require_json(content_type: bytes, path: Protocol) -> None:
    given = content_type.partition(b";")[0].strip().lower()
    is_json = given == JSON or (given.startswith(b"application/") and given.endswith(b"+json"))
    if not is_json and not (given == OCTETS and path == "v2"):
        shown = given.decode("latin-1")
        raise Problem(
            415, "Unsupported Media Type", f"The body must be application/json; its type is {shown}."
        )


def call_of(protocol: Protocol, body: bytes, json_length: bytes) -> Call:
    """Make the call of a body; `json_length`: what a header says of it. Raises `Problem`: 400."""
    if not json_length or protocol != "v2":
        return Call(protocol, body)
    length = int(json_length) if _LENGTH.fullmatch(json_length) else 0
    if not 0 < length <= len(body):
        raise Problem(
            400,
            "Bad Request",
            "Inference-Header-Content-Length must be the length of the JSON before the tensors, in bytes.",
        )
    return Call(protocol, body, length if length < len(body) else None)


def answer_of(outcome: Outcome) -> Answer:
    """Give the 200. Raises `Problem`; a trace goes into the log, with the caller's request id."""
    if isinstance(outcome, Failure):
        if outcome.trace:
            log.error("model_raised", extra={"trace": outcome.trace})
        raise of_failure(outcome)
    return outcome


@cache
def counter(protocol: Protocol, status: int) -> Counter:
    """Give the counter of a protocol's requests with a status; 499: the caller has gone."""
    return metrics.REQUESTS.labels(protocol, str(status))


def note_client_gone(path: str, request_id: str) -> None:
    with logs.about(request_id):
        log.info("client_gone", extra={"path": path})
