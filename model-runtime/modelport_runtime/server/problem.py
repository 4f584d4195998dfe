"""Errors as RFC 9457 `application/problem+json`; below /v2 as `application/json`, as its clients read it."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import orjson

from modelport_runtime.core.types import Failure, FieldError

_PROBLEM, _JSON = b"application/problem+json", b"application/json"


@final
class Problem(Exception):
    """Raised on the way to a response, it is the response. `detail`: what happened and what to do next."""

    def __init__(  # noqa: PLR0917  # the members of the RFC, in its order
        self,
        status: int,
        title: str,
        detail: str,
        reason: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[bytes, bytes] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self._members: dict[str, Any] = {
            # Relative, as in modelport_http.problem: the host that the caller used has the page.
            "type": f"/help/reasons/#{reason}" if reason else "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
        }
        if reason:
            self._members["reason"] = reason
        if errors:
            self._members["errors"] = list(errors)

    def body(self, request_id: str, path: str) -> bytes:
        """The JSON text. `path`: the request's, since clients of the Open Inference Protocol read `error`."""
        members = self._members | {"request_id": request_id}
        if path.startswith("/v2"):
            members["error"] = members["detail"]
        return orjson.dumps(members)


def content_type_of(path: str) -> bytes:
    """Return a problem's type: `application/json` for a path that begins with /v2."""
    return _JSON if path.startswith("/v2") else _PROBLEM


def of_failure(failure: Failure) -> Problem:
    """Leave out the trace: it is for the log."""
    return Problem(failure.status, failure.title, failure.detail, failure.reason, failure.errors)


def internal_error() -> Problem:
    """Return 500 for what nobody expected: it names nothing of it, so the caller has to log that."""
    return Problem(
        500,
        "Internal Server Error",
        "The runtime failed. Its logs tell more; report the request id if it stays.",
    )
