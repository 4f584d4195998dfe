"""What was built once for all requests, and the dependencies that hand it to endpoints."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import FastAPI, Request

T = TypeVar("T")


class AppState:
    """Each slice's services, found by their type: an endpoint names what it needs, and no room knows all."""

    def __init__(self, *services: object) -> None:
        self._services = services

    def get(self, kind: type[T]) -> T:
        for service in self._services:
            if isinstance(service, kind):
                return service
        raise LookupError(f"no {kind.__name__} was built for this app")

    def attach(self, app: FastAPI) -> None:
        app.state.services = self


def find(request: Request, kind: type[T]) -> T:
    state: AppState = request.app.state.services
    return state.get(kind)


def provide(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """The dependency. Async, like all that wait for nothing: FastAPI sends others to a thread and back."""

    async def provided(request: Request) -> T:
        return find(request, kind)

    return provided
