"""What every endpoint may need of a request: what was built once, its transaction, its origin, the
page of a list.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Query, Request
from modelport_http.client_address import client_ip
from modelport_process.logging import request_id_of
from modelport_store.store import Store
from sqlalchemy.orm import Session

from modelport_control_api.db.session import Database
from modelport_control_api.identity import Origin, Principal
from modelport_control_api.settings import Settings

T = TypeVar("T")


class AppState:
    """Each slice's services, found by their type: an endpoint names what it needs, and no room knows all."""

    def __init__(self, *services: object) -> None:
        self._services = services

    def get(self, kind: type[T]) -> T:
        """Return the service of this type. Raises `LookupError` if the app was built without one."""
        for service in self._services:
            if isinstance(service, kind):
                return service
        raise LookupError(f"no {kind.__name__} was built for this app")

    def attach(self, app: FastAPI) -> None:
        app.state.services = self


def find(request: Request, kind: type[T]) -> T:
    """Return the app's service of this type. Raises `LookupError`."""
    state: AppState = request.app.state.services
    return state.get(kind)


def provide(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """The dependency. Async, like all that wait for nothing: FastAPI sends others to a thread and back."""

    async def provided(request: Request) -> T:
        return find(request, kind)

    return provided


PageLimit = Annotated[int, Query(alias="limit", ge=1, le=200)]
PageCursor = Annotated[str | None, Query(alias="cursor", max_length=200)]


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
    """Return the app's context, the same for every request. Raises `LookupError`."""
    return find(request, Context)


RequestContext = Annotated[Context, Depends(provide(Context))]


def open_session(request: Request) -> Iterator[Session]:
    """Yield a session in a transaction of its own: read-only for GET and HEAD."""
    read_only = request.method in ("GET", "HEAD")
    with get_context(request).database.transaction(read_only=read_only) as session:
        yield session


# "function": FastAPI would otherwise commit after the response has left, and a client that reads at once
# what it wrote would not find it.
get_session = Depends(open_session, scope="function")
DbSession = Annotated[Session, get_session]


async def get_origin(request: Request) -> Origin:
    """Return the request's id and the address of the client behind the trusted proxies."""
    proxies = get_context(request).settings.trusted_proxies
    return Origin(request_id_of(request.scope), client_ip(request.scope, proxies))


RequestOrigin = Annotated[Origin, Depends(get_origin)]
