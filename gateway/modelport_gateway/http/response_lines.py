"""Answers of the lean path: what Server and its middlewares send through ASGI, in one piece."""

from collections.abc import Mapping
from http import HTTPStatus

from modelport_http.middleware import HSTS, SECURITY_HEADERS
from modelport_http.problem import Problem, body, content_type_of, headers_of

from modelport_gateway.http.server import content_headers, server_timing
from modelport_gateway.prediction import Answer

_JSON = "content-type: application/json\r\n"


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
        content = _JSON if answer.json_bytes is None else _content_lines(answer)
        return (
            f"HTTP/1.1 200 OK\r\n{content}"
            f"x-modelport-version: {answer.version}\r\nx-cache: {answer.cache}\r\n"
            f"server-timing: {server_timing(answer, seconds)}\r\n{_lines(answer.headers)}"
            f"{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        ).encode("latin-1")

    def problem(
        self, problem: Problem, *, request_id: str, scheme: str, path: str, accept: str | None
    ) -> tuple[bytes, bytes]:
        """Give head and body."""
        status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        content_type = f"content-type: {content_type_of(path, accept)}\r\n"
        # Whether the connection stays is the lean protocol's to say.
        own = {name: value for name, value in headers_of(problem).items() if name != "connection"}
        lines = f"{_lines(own)}{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        return (status + content_type + lines).encode("latin-1"), body(problem, request_id, path=path)


def _content_lines(answer: Answer) -> str:
    content_type, headers = content_headers(answer)
    return f"content-type: {content_type}\r\n{_lines(headers)}"


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()])
