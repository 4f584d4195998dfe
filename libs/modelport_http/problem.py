"""Errors as responses: RFC 9457 `application/problem+json`, for FastAPI and for plain ASGI alike."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypedDict

import msgspec
import structlog
from modelport_process.logging import request_id_of
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
_JSON = "application/json"
REASONS_PAGE = "/help/reasons/"
"""Each reason has its anchor there (docs/reasons.md). Gateway and control API share the host."""


class FieldError(TypedDict):
    """One field of a request that is wrong: `input.petal_width`, and what it should be."""

    field: str
    message: str


class Problem(Exception):
    """Raised anywhere below `ProblemMiddleware`, it is the response.

    `detail` says what happened and what to do next. `members`: what else there is to tell programs, in JSON.
    """

    def __init__(
        self,
        *,
        status: int,
        detail: str,
        title: str | None = None,
        reason: str | None = None,
        errors: Sequence[FieldError | dict[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.reason = reason
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})


def type_of(reason: str | None, public_url: str = "") -> str:
    """Return the address of the reason's page, relative to the platform's unless its own is known."""
    return f"{public_url}{REASONS_PAGE}#{reason}" if reason else "about:blank"


def body(problem: Problem, request_id: str, *, path: str = "", public_url: str = "") -> bytes:
    """The JSON text of the response. `path`: the request's, for clients of the Open Inference Protocol."""
    members: dict[str, Any] = {
        "type": type_of(problem.reason, public_url),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.reason:
        members["reason"] = problem.reason
    if problem.errors:
        members["errors"] = problem.errors
    if _is_v2(path):
        members["error"] = problem.detail
    return msgspec.json.encode(members | problem.members)


def content_type_of(path: str, accept: str | None) -> str:
    """Return a problem's type. Below /v2 KServe's client reads errors of `application/json` only."""
    wants_problems = accept is not None and CONTENT_TYPE in accept.lower()
    return _JSON if _is_v2(path) and not wants_problems else CONTENT_TYPE


def _is_v2(path: str) -> bool:
    return path == "/v2" or path.startswith("/v2/")


async def send_problem(scope: Scope, send: Send, problem: Problem, public_url: str = "") -> None:
    """Respond with the problem. No response must have begun."""
    content = body(problem, request_id_of(scope), path=scope["path"], public_url=public_url)
    accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), None)
    own = {"content-type": content_type_of(scope["path"], accept), "content-length": str(len(content))}
    headers = headers_of(problem) | own
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


def headers_of(problem: Problem) -> dict[str, str]:
    """All but the content's type and length; names in lower case."""
    # The content's own headers win: a length carried over from another response would break the connection.
    given = {name.lower(): value for name, value in problem.headers.items()}
    given.pop("content-length", None)
    given.pop("content-type", None)
    return given | {"cache-control": "no-store"}


def internal_error() -> Problem:
    """Return 500 for what nobody expected: it names nothing of it, so the caller has to log that."""
    return Problem(
        status=500,
        detail="Something failed on our side. Try again; if it stays, report the request id.",
    )


class ProblemMiddleware:
    """Turns every exception into a response. Goes directly below `RequestIdMiddleware`.

    Both belong into the app's own list of middlewares: around a Starlette app, its ServerErrorMiddleware
    has responded already. `public_url`: where users find the platform, without a slash behind it.
    """

    def __init__(self, app: ASGIApp, public_url: str = "") -> None:
        self.app = app
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except ClientDisconnect:
            log.info("client_disconnected", path=scope["path"], request_id=request_id_of(scope))
        except Exception as error:
            problem = problem_of(error, path=scope["path"], request_id=request_id_of(scope))
            if begun:
                # Half a response is out: raising cuts the connection, so that nobody takes it for whole.
                raise
            await send_problem(scope, send, problem, self.public_url)


def problem_of(error: Exception, *, path: str, request_id: str) -> Problem:
    """The response to an exception; one that nobody expected is logged."""
    if isinstance(error, Problem):
        return error
    log.error("unhandled_exception", path=path, request_id=request_id, exc_info=error)
    return internal_error()
