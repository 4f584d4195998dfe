"""What a call can end with. Each error's text names what happened and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import httpx

from modelport.models import SIGNATURE_CHANGED, Model, Rollout, Version

if TYPE_CHECKING:
    from modelport.job import Job


@dataclass(frozen=True)
class FieldError:
    """One field of what was sent: `input.petal_width`, and what is wrong with it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ModelportError(Exception):
    """Every error of this package.

    `status`: the response's HTTP status, 0 if there was no response. `help_url`: the page about its `reason`.
    """

    advice = ""
    """What to do, where the platform's own text does not hold it."""
    platform = ""
    """The URL of the platform that was called; empty if none was."""
    path = ""
    """Of the call, e.g. `/api/v1/models/iris-7kq2p`; empty if there was none."""
    anonymous = False
    """The platform was called without a credential."""

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
        return "\n".join([self.detail, *self.lines_below(self.advice)])

    def lines_below(self, advice: str) -> list[str]:
        """What there is to say beside `detail`: fields, what to do, and the request's id."""
        number = f"(request id {self.request_id})" if self.request_id else ""
        return [line for line in (*map(str, filter(self._is_unsaid, self.errors)), advice, number) if line]

    def _is_unsaid(self, error: FieldError) -> bool:
        """The platform's `detail` often is the first field's message, with or without its name."""
        return self.detail != error.message and f"{error.field} {error.message}" not in self.detail


class Unauthorized(ModelportError):
    advice = "Log in (`modelport login EMAIL`), or give an API key (MODELPORT_API_KEY, or api_key=…)."


class Forbidden(ModelportError):
    """The credential is good, but may not do this."""


class NotFound(ModelportError):
    """There is no such thing, or it is somebody else's: the two look the same."""

    advice = "Check the id; `modelport list` shows yours."


class Conflict(ModelportError):
    """It contradicts what is there already."""


class SignatureChanged(Conflict):
    """A version gets no requests, since it lacks what callers of the one that serves depend on.

    `differences`: by version `{"compatible_with": "v1", "changes": [{"what", "name", "before", "after",
    "message"}, …], "more": 0}`. `held`: the version, or its model, where it was waited for. `force=True`
    sends it requests all the same.
    """

    differences: Mapping[str, Any] = MappingProxyType({})
    held: "Model | Version | None" = None

    @classmethod
    def of(cls, held: "Model | Version") -> "SignatureChanged":
        """Return the error for what was waited for."""
        error = cls(f"{held.name}: {held.message}", reason=held.reason)
        versions = held.versions if isinstance(held, Model) else (held,)
        error.differences = {
            each.name: each.compatibility for each in versions if each.is_held and each.compatibility
        }
        error.held = held
        return error


class InvalidRequest(ModelportError):
    """What was sent is wrong; `errors` names the fields."""


class RateLimited(ModelportError):
    """The limit is used up, also after the retries."""


class Unavailable(ModelportError):
    """The platform or the model cannot respond now, also after the retries."""


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
        detail = ": ".join(part for part in (job.reason, job.message) if part)
        super().__init__(f"The job {job.id} was not done ({job.state}): {detail}", reason=job.reason)
        self.job = job


class NotReadyInTime(ModelportError):
    """`waited_for`: as it was when the time was up."""

    advice = "It goes on: `modelport status` shows how far it is."

    def __init__(self, detail: str, waited_for: "Model | Version | Job | Rollout") -> None:
        super().__init__(detail)
        self.waited_for = waited_for


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


def raise_unless_done(response: httpx.Response) -> None:
    """Raise what the response stands for unless it is the platform's, and a success."""
    if not response.is_success:
        raise error_of(response)
    if not _is_of_modelport(response):
        raise not_modelport(response)


def _is_of_modelport(response: httpx.Response) -> bool:
    """A web server that responds to everything with its page has deleted nothing."""
    if response.request.method == "DELETE":
        return response.status_code == httpx.codes.NO_CONTENT
    return not response.headers.get("content-type", "").startswith("text/html")


def error_of(response: httpx.Response) -> ModelportError:
    """The error that a read response of status 300 or more stands for, whichever server wrote it."""
    problem = _problem_of(response)
    if not problem:
        return not_modelport(response)
    error = _kind_of(response, problem.get("reason"))(
        str(problem.get("detail") or problem.get("title") or _status_of(response)),
        status=response.status_code,
        reason=problem.get("reason"),
        errors=_field_errors(problem.get("errors")),
        request_id=problem.get("request_id") or response.headers.get("x-request-id"),
        help_url=_help_url(response, problem.get("type")),
    )
    error.anonymous = "authorization" not in response.request.headers
    if isinstance(error, SignatureChanged):
        error.differences = problem.get("differences") or {}
    return error


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    """Empty when something between here and the platform responded in its own way."""
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


def not_modelport(response: httpx.Response) -> ModelportError:
    """The error for a response that something else than the platform wrote."""
    number = response.headers.get("x-request-id")
    error = _kind_of(response)(_unlike_modelport(response), status=response.status_code, request_id=number)
    error.advice = "MODELPORT_URL or --url (in Python: url=…) names another."
    return error


def lacks_extra(extra: str, error: ImportError) -> ModelportError:
    """Return the error of a call that needs what one of the client's extras installs."""
    return ModelportError(f"This needs {extra} ({error}): pip install 'modelport[{extra}]'.")


def _kind_of(response: httpx.Response, reason: Any = None) -> type[ModelportError]:
    if reason == SIGNATURE_CHANGED and response.status_code == httpx.codes.CONFLICT:
        return SignatureChanged
    return _BY_STATUS.get(response.status_code, ServerError if response.is_server_error else ModelportError)


def _unlike_modelport(response: httpx.Response) -> str:
    url = response.request.url
    address = f"{url.scheme}://{url.netloc.decode()}"
    if response.has_redirect_location:
        return f"{address} redirects to {response.headers['location']}: is the URL right?"
    happened = f"{address} answered {_status_of(response)}, and not as Modelport does"
    running = ", and the platform running behind it" if response.is_server_error else ""
    return f"{happened}: is the URL right{running}?"


def _status_of(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _field_errors(listed: Any) -> tuple[FieldError, ...]:
    entries = listed if isinstance(listed, list) else []
    return tuple(
        FieldError(str(entry.get("field", "")), str(entry.get("message", "")))
        for entry in entries
        if isinstance(entry, dict)
    )
