"""The errors of libraries that are no `Problem` yet, turned into one. The platform's own are (`errors`)."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from modelport_http.problem import FieldError, Problem
from modelport_process.pydantic_words import own_words, predicate_of
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from modelport_control_api.db.engine import is_full
from modelport_control_api.db.paging import CursorInvalid

log = structlog.get_logger(__name__)

_WHERE = {"body", "query", "path", "header", "cookie"}


def _of_cursor(_: Exception) -> Problem:
    error = FieldError(field="cursor", message="is not a next_cursor that this list gave")
    return Problem(status=422, detail="cursor is not a next_cursor that this list gave.", errors=[error])


def _of_http(error: Any) -> Problem:
    detail = {
        404: "There is nothing at this address: /docs lists the calls.",
        405: "This address does not take that method: /docs lists the calls.",
    }.get(error.status_code, str(error.detail))
    return Problem(status=error.status_code, detail=detail, headers=error.headers)


def _of_validation(error: Any) -> Problem:
    if invalid := next((entry for entry in error.errors() if entry["type"] == "json_invalid"), None):
        return Problem(status=400, detail=f"The body is not valid JSON: {invalid['ctx']['error']}.")
    # FastAPI leaves a body of another content type as the bytes that it is.
    if isinstance(error.body, bytes):
        return Problem(status=415, detail="Send the body as JSON, with Content-Type: application/json.")
    errors = field_errors(error.errors())
    detail = "; ".join(f"{entry['field']} {entry['message']}" for entry in errors)
    return Problem(status=422, detail=f"{detail}.", errors=errors)


def field_errors(entries: Sequence[Any]) -> list[FieldError]:
    """pydantic's errors, as we report them. Only place and message: an entry's "input" may be a password."""
    return [FieldError(field=_name(entry["loc"]), message=_message(entry)) for entry in entries]


def _name(location: tuple[str | int, ...]) -> str:
    parts = location[1:] if location and location[0] in _WHERE else location
    # As /predict names them: `scopes[0]`, `rate_limit.requests`.
    steps = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return "".join(steps).removeprefix(".") or "body"


def _message(entry: dict[str, Any]) -> str:
    return predicate_of(entry) or own_words(entry)


def _of_database(error: OperationalError) -> Problem:
    log.error("database_failed", error=repr(error.orig))
    if is_full(error):
        detail = "The platform's disk has no room left. Nothing was changed; try again when there is room."
        return Problem(status=507, detail=detail)
    detail = "The platform's database does not answer. Try again shortly."
    return Problem(status=503, detail=detail, headers={"Retry-After": "5"})


_PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    CursorInvalid: _of_cursor,
    HTTPException: _of_http,
    OperationalError: _of_database,
    RequestValidationError: _of_validation,
}


def register(app: FastAPI) -> None:
    """`ProblemMiddleware` responds; here errors only become problems."""
    for kind, translate in _PROBLEMS.items():
        app.add_exception_handler(kind, _raiser(translate))


def _raiser(translate: Callable[[Any], Problem]) -> Callable[[Request, Exception], NoReturn]:
    def raise_problem(_request: Request, error: Exception) -> NoReturn:
        raise translate(error) from error

    return raise_problem
