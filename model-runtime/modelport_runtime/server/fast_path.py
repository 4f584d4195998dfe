"""Small predictions on the fast path of `modelport_http`, without ASGI between socket and model."""

from functools import cache, partial
from http import HTTPStatus

from modelport_http.fast_path.exchange import Exchange, Headers

from modelport_runtime.server.handler import PredictionHandler, Served
from modelport_runtime.server.predictions import JSON, OCTETS, PROTOCOLS, RequestHead, head_of
from modelport_runtime.server.problem import Problem, content_type_of

_PATHS = {path.encode(): path for path in PROTOCOLS}
_OK_END = b"x-request-id: %b\r\nserver-timing: model;dur=%.3f\r\n"
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: " + JSON + b"\r\n" + _OK_END
_TENSORS = b"HTTP/1.1 200 OK\r\ncontent-type: " + OCTETS + b"\r\ninference-header-content-length: %d\r\n"
_PROBLEM = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\nx-request-id: %b\r\n"


class FastPath:
    """The handler for `modelport_http.fast_path.protocol`."""

    def __init__(self, handler: PredictionHandler) -> None:
        self._handler = handler

    def takes(self, target: bytes, headers: Headers) -> bool:
        return target in _PATHS

    def begin(self, exchange: Exchange) -> None:
        handler = self._handler
        head = head_of(_PATHS[exchange.target], exchange.headers)
        try:
            protocol = handler.accept(head)
            submission = handler.submit(head, protocol, exchange.body, partial(_respond, exchange, head))
        except Problem as problem:
            _refuse(exchange, head, problem)
            return
        exchange.on_disconnect = submission.leave


def _respond(exchange: Exchange, head: RequestHead, outcome: Served | Problem) -> None:
    # It leads back to the exchange: a ring, which only the collector would take apart.
    exchange.on_disconnect = None
    if type(outcome) is Problem:
        _refuse(exchange, head, outcome)
        return
    prediction = outcome.prediction
    lines = _OK if prediction.json_bytes is None else _TENSORS % prediction.json_bytes + _OK_END
    exchange.respond(lines % (head.request_id, outcome.seconds * 1000), prediction.body)


def _refuse(exchange: Exchange, head: RequestHead, problem: Problem) -> None:
    status, content_type = problem.status, content_type_of(head.path)
    lines = _PROBLEM % (status, _phrase(status), content_type, head.request_id)
    own = b"".join(b"%b: %b\r\n" % each for each in problem.headers.items())
    exchange.respond(lines + own, problem.body(head.request_id.decode(), head.path))


@cache
def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
