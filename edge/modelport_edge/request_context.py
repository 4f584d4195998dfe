"""The id of the request being served, for logs and answers that are written far from its scope."""

from contextvars import ContextVar

from starlette.types import Scope

current_request_id: ContextVar[str] = ContextVar("modelport_request_id", default="-")


def request_id_of(scope: Scope) -> str:
    """The scope's own id: the context variable may be another task's where an app hands its `send` on."""
    request_id: str = scope.get("state", {}).get("request_id", current_request_id.get())
    return request_id
