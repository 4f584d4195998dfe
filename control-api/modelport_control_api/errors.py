"""The roots of what can be wrong with a request. Each error has its response where it is defined."""

from typing import ClassVar

from modelport_http.problem import FieldError, Problem


class DomainError(Problem):
    """A rule that was broken. Subclasses set `status`, and what else there is, as class attributes."""

    status: int
    reason: str | None = None
    message: ClassVar[str] = ""
    """Unless one is given: what happened and what to do."""
    field: ClassVar[str | None] = None
    """The field of the request that is to blame."""
    retry_after: ClassVar[int | None] = None
    """Seconds after which another try may succeed."""

    def __init__(self, message: str | None = None) -> None:
        detail = message or self.message
        errors = [FieldError(field=self.field, message=detail)] if self.field else []
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else None
        super().__init__(
            status=self.status, detail=detail, reason=self.reason, errors=errors, headers=headers
        )


class InvalidFields(Problem):
    """The request is well-formed, and some fields are not acceptable: field and what is wrong with it."""

    def __init__(self, *errors: tuple[str, str]) -> None:
        detail = "; ".join(f"{field} {message}".strip() for field, message in errors)
        entries = [FieldError(field=field, message=message) for field, message in errors]
        super().__init__(status=422, detail=f"{detail}.", errors=entries)
