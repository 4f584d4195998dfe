"""The id of the request being served, for logs and answers that are written far from its scope."""

import os
import re
from contextvars import ContextVar

from starlette.types import Scope

current_request_id: ContextVar[str] = ContextVar("modelport_request_id", default="-")

# What is echoed into headers and logs must not be able to forge either.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID_DIGITS = 32
_IDS_AT_ONCE = 128


def request_id_of(scope: Scope) -> str:
    """The scope's own id: the context variable may be another task's where an app hands its `send` on."""
    request_id: str = scope.get("state", {}).get("request_id", current_request_id.get())
    return request_id


def request_id_for(given: str) -> str:
    """The caller's own id if it is sane, else a new one: 32 hexadecimal digits."""
    return given if given and _SANE_REQUEST_ID.fullmatch(given) else _new_ids.take()


class _NewIds:
    """Random ids, many for one call of the system: that costs more than a cached answer's whole routing."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def take(self) -> str:
        if not self._ids:
            digits = os.urandom(_IDS_AT_ONCE * _ID_DIGITS // 2).hex()
            self._ids = [digits[at : at + _ID_DIGITS] for at in range(0, len(digits), _ID_DIGITS)]
        return self._ids.pop()


_new_ids = _NewIds()
# Two processes must not give the same ids.
os.register_at_fork(after_in_child=_new_ids.__init__)  # type: ignore[misc]
