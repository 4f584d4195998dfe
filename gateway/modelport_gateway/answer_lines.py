"""Answers of the lean path: what Server and its middlewares send through ASGI, in one piece."""

from collections.abc import Mapping
from http import HTTPStatus

from modelport_edge.http import HSTS, SECURITY_HEADERS
from modelport_edge.problem import Problem, body, headers_of

from modelport_gateway.prediction import Answer
from modelport_gateway.server import server_timing


class AnswerLines:
    """`answers_browsers`: answers differ by origin, though those given here are for no origin."""

    def __init__(self, *, answers_browsers: bool) -> None:
        fixed = SECURITY_HEADERS | ({"Vary": "Origin"} if answers_browsers else {})
        self._fixed = {
            "http": _lines(fixed),
            "https": _lines(fixed | {"Strict-Transport-Security": HSTS}),
        }

    def answer(self, answer: Answer, seconds: float, *, request_id: str, scheme: str) -> bytes:
        """Give the head. `seconds`: since the request came."""
        return (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"x-modelport-version: {answer.version}\r\nx-cache: {answer.cache}\r\n"
            f"server-timing: {server_timing(answer, seconds)}\r\n{_lines(answer.headers)}"
            f"{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        ).encode("latin-1")

    def problem(self, problem: Problem, *, request_id: str, scheme: str) -> tuple[bytes, bytes]:
        """Give head and body."""
        status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        # Whether the connection stays is the lean protocol's to say.
        own = {name: value for name, value in headers_of(problem).items() if name != "connection"}
        lines = f"{_lines(own)}{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        return (status + lines).encode("latin-1"), body(problem, request_id)


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()])
