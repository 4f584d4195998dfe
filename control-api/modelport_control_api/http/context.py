"""What every endpoint may need, whichever slice it is of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request
from modelport_store.store import Store

from modelport_control_api.db.session import Database
from modelport_control_api.http.app_state import find, provide
from modelport_control_api.identity.principal import Principal
from modelport_control_api.settings.control_api import Settings


@dataclass(frozen=True)
class Context:
    """`authenticate`: from a credential to its principal, None if it opens nothing. Blocking."""

    settings: Settings
    database: Database
    store: Store
    authenticate: Callable[[str], Principal | None]
    stopping: Event = field(default_factory=Event)
    """Set when this replica is about to go, and wants no more requests."""


def get_context(request: Request) -> Context:
    return find(request, Context)


RequestContext = Annotated[Context, Depends(provide(Context))]
