"""What every endpoint may need, built once by `app.build`."""

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from modelport_store.store import Store

from modelport_control_api.settings.control_api import Settings

if TYPE_CHECKING:
    from modelport_control_api.accounts.passwords.hashing import Passwords
    from modelport_control_api.db.session import Database
    from modelport_control_api.publisher.cluster import Cluster
    from modelport_control_api.signing_keys.ring import KeyRing


@dataclass(frozen=True)
class Context:
    """In `request.app.state.context`, for the public and the internal app alike."""

    settings: Settings
    database: "Database"
    store: Store
    cluster: "Cluster"
    signing_keys: "KeyRing"
    passwords: "Passwords"
    stopping: Event = field(default_factory=Event)
    """Set when this replica is about to go, and wants no more requests."""


def get_context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def provide_context(request: Request) -> Context:
    """The dependency. Async, like all that wait for nothing: FastAPI sends others to a thread and back."""
    return get_context(request)


RequestContext = Annotated[Context, Depends(provide_context)]
