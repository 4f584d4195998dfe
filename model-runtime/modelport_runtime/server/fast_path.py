"""Predictions on the short cut of `modelport_http`: small bodies, without ASGI between socket and model."""

import logging
from functools import partial
from http import HTTPStatus

from modelport_http.fast_path.exchange import Exchange, Headers

from modelport_runtime import logs
from modelport_runtime.core.types import Answer, Call
from modelport_runtime.server.batching import Waiting
from modelport_runtime.server.predictions import (
    JSON,
    OCTETS,
    PROTOCOLS,
    Predictor,
    Protocol,
    answer_of,
    call_of,
    counter,
    note_client_gone,
    protocol_of,
    request_id,
)
from modelport_runtime.server.problem import Problem, content_type_of
from modelport_runtime.wire import Outcome

log = logging.getLogger(__name__)

_TARGETS: dict[bytes, Protocol] = {path.encode(): protocol for path, protocol in PROTOCOLS.items()}
_OK_END = b"x-request-id: %b\r\nserver-timing: model;dur=%.3f\r\n"
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: " + JSON + b"\r\n" + _OK_END
_TENSORS = b"HTTP/1.1 200 OK\r\ncontent-type: " + OCTETS + b"\r\ninference-header-content-length: %d\r\n"
_PROBLEM = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\nx-request-id: %b\r\n"


class LeanPredictions:
    """The handler for `modelport_http.fast_path.protocol`."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def takes(self, target: bytes, headers: Headers) -> bool:
        return target in _TARGETS

    def begin(self, exchange: Exchange) -> None:
        protocol = _TARGETS[exchange.target]
        given = content_type = encoding = json_length = b""
        for name, value in exchange.headers:
            if name == b"x-request-id":
                given = value
            elif name == b"content-type":
                content_type = value
            elif name == b"content-encoding":
                encoding = value
            elif name == b"inference-header-content-length":
                json_length = value
        identifier = request_id(given)
        predictor = self._predictor
        try:
            predictor.require_ready()
            protocol = protocol_of(protocol, content_type)
            body = exchange.body
            predictor.require_size(len(body))
            if encoding:
                body = predictor.inflated(body, encoding)
            call = call_of(protocol, body, json_length) if json_length else Call(protocol, body)
            waiting = predictor.submit(call, partial(_respond, exchange, protocol, identifier))
        except Problem as problem:
            _respond_problem(exchange, protocol, identifier, problem)
            return
        exchange.on_disconnect = partial(_leave, exchange, protocol, identifier, waiting)


def _respond(
    exchange: Exchange, protocol: Protocol, identifier: bytes, outcome: Outcome, seconds: float
) -> None:
    # It leads back to the exchange: a ring, which only the collector would take apart.
    exchange.on_disconnect = None
    if type(outcome) is Answer:
        head = _OK if outcome.json_bytes is None else _TENSORS % outcome.json_bytes + _OK_END
        exchange.respond(head % (identifier, seconds * 1000), outcome.body)
        counter(protocol, 200).inc()
        return
    try:
        with logs.about(identifier.decode()):
            answer_of(outcome)
    except Problem as problem:
        _respond_problem(exchange, protocol, identifier, problem)


def _respond_problem(exchange: Exchange, protocol: Protocol, identifier: bytes, problem: Problem) -> None:
    path = exchange.target.decode()
    head = _PROBLEM % (problem.status, _phrase(problem.status), content_type_of(path), identifier)
    lines = b"".join(b"%b: %b\r\n" % each for each in problem.headers.items())
    exchange.respond(head + lines, problem.body(identifier.decode(), path))
    counter(protocol, problem.status).inc()


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _leave(exchange: Exchange, protocol: Protocol, identifier: bytes, waiting: Waiting) -> None:
    waiting.gone = True
    counter(protocol, 499).inc()
    note_client_gone(exchange.target.decode(), identifier.decode())
