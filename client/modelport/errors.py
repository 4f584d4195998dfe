"""What a call can end with. Each error's text says what happened and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from modelport.job import Job
    from modelport.models import Model, Version


@dataclass(frozen=True)
class FieldError:
    """One field of what was sent: `input.petal_width`, and what is wrong with it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ModelportError(Exception):
    """Every error of this package.

    `status`: the answer's HTTP status, 0 if there was no answer. `help_url`: the page about its `reason`.
    """

    advice = ""
    """What to do, where the platform's own text does not say it."""

    def __init__(
        self,
        detail: str,
        *,
        status: int = 0,
        reason: str | None = None,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
        help_url: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.reason = reason
        self.errors = errors
        self.request_id = request_id
        self.help_url = help_url

    def __str__(self) -> str:
        lines = [self.detail, *map(str, filter(self._is_unsaid, self.errors)), self.advice]
        if self.request_id:
            lines.append(f"(request id {self.request_id})")
        return "\n".join(line for line in lines if line)

    def _is_unsaid(self, error: FieldError) -> bool:
        """The platform's `detail` often is the first field's message, with or without its name."""
        return self.detail != error.message and f"{error.field} {error.message}" not in self.detail


class Unauthorized(ModelportError):
    advice = "Log in (`modelport login`), or give an API key (MODELPORT_API_KEY, or api_key=…)."


class Forbidden(ModelportError):
    """The credential is good, but may not do this."""


class NotFound(ModelportError):
    """There is no such thing, or it is somebody else's: the two look the same."""

    advice = "Check the id; `modelport list` shows yours."


class Conflict(ModelportError):
    """It contradicts what is there already."""


class InvalidRequest(ModelportError):
    """What was sent is wrong; `errors` names the fields."""


class RateLimited(ModelportError):
    """The limit is used up, also after the retries."""


class Unavailable(ModelportError):
    """The platform or the model cannot answer now, also after the retries."""


class ServerError(ModelportError):
    """The platform or the model failed."""


class ConnectionFailed(ModelportError):
    advice = (
        "Is the platform running there? `modelport up` starts one here; MODELPORT_URL or --url names another."
    )


class ModelFailed(ModelportError):
    """A version did not become ready."""

    def __init__(self, failed: "Model | Version") -> None:
        super().__init__(f"{failed.name}: {failed.reason}: {failed.message}", reason=failed.reason)
        self.failed = failed


class JobFailed(ModelportError):
    """A batch job ended without all its results."""

    def __init__(self, job: "Job") -> None:
        said = ": ".join(part for part in (job.reason, job.message) if part)
        super().__init__(f"The job {job.id} was not done ({job.state}): {said}", reason=job.reason)
        self.job = job


class NotReadyInTime(ModelportError):
    advice = "It goes on: `modelport status` shows how far it is."


_BY_STATUS: Mapping[int, type[ModelportError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(response: httpx.Response) -> ModelportError:
    """The error that a read answer of status 300 or more stands for, whichever server wrote it."""
    problem = _problem_of(response)
    kind = _BY_STATUS.get(response.status_code, ServerError if response.is_server_error else ModelportError)
    return kind(
        str(problem.get("detail") or problem.get("title") or _unknown(response)),
        status=response.status_code,
        reason=problem.get("reason"),
        errors=_field_errors(problem.get("errors")),
        request_id=problem.get("request_id") or response.headers.get("x-request-id"),
        help_url=_help_url(response, problem.get("type")),
    )


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    """Empty when something between here and the platform answered in its own way."""
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _help_url(response: httpx.Response, kind: Any) -> str | None:
    """A problem's type is an address, often one relative to the platform's; `about:blank` is no page."""
    if not isinstance(kind, str) or kind == "about:blank":
        return None
    try:
        return str(response.request.url.join(kind))
    except httpx.InvalidURL:
        return None


def _unknown(response: httpx.Response) -> str:
    answered = f"{response.status_code} {response.reason_phrase}"
    return f"{response.request.url.host} answered {answered}, and not as Modelport does: is the URL right?"


def _field_errors(listed: Any) -> tuple[FieldError, ...]:
    entries = listed if isinstance(listed, list) else []
    return tuple(
        FieldError(str(entry.get("field", "")), str(entry.get("message", "")))
        for entry in entries
        if isinstance(entry, dict)
    )
