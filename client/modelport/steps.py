"""A call as the steps that it takes, without taking them: one client blocks on each, the other awaits it.

A flow yields a step, is sent what came of it, and returns the call's result; retries and waits are flows too.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from modelport.errors import not_modelport

Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """`options` as httpx takes them. `repeatable`: may be sent again after a cut connection."""

    method: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    repeatable: bool = False
    anonymous: bool = False


@dataclass(frozen=True)
class Pause:
    """Nothing is done for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Something that blocks for long, such as saving a model: on an event loop it is done in a thread."""

    function: Callable[[], Any]


Step = Request | Pause | Work
Flow = Generator[Step, Any, Result]


@dataclass(frozen=True)
class Reply:
    """A response of status below 300, read to its end. `url`: of the platform."""

    response: httpx.Response
    url: str

    def json(self) -> Any:
        """Raises ModelportError where something else than the platform responded."""
        try:
            return self.response.json()
        except ValueError as error:
            raise not_modelport(self.response) from error


def request(
    method: str, path: str, *, repeatable: bool | None = None, anonymous: bool = False, **options: Any
) -> Flow[Reply]:
    """Send one request; unless `repeatable`, only a GET may be sent twice."""
    repeatable = method == "GET" if repeatable is None else repeatable
    reply: Reply = yield Request(method, path, options, repeatable, anonymous)
    return reply


@dataclass(frozen=True)
class Page(Generic[Result]):
    """Some items of a list. `next_cursor`: of the page behind it, None for the last."""

    items: list[Result]
    next_cursor: str | None


@dataclass(frozen=True)
class Listing(Generic[Result]):
    """A list of the platform. `parse`: of one item; it may use the platform's URL."""

    path: str
    parse: Callable[[Any, str], Result]
    query: Mapping[str, str | list[str]] = field(default_factory=dict)

    def page(self, cursor: str | None) -> Flow[Page[Result]]:
        """Request one page: the first for None, else the one that `Page.next_cursor` named."""
        params = {**self.query, **({"cursor": cursor} if cursor else {})}
        reply = yield from request("GET", self.path, params=params)
        found = reply.json()
        return Page(
            [self.parse(each, reply.url) for each in found["items"]], found.get("next_cursor") or None
        )

    def whole(self) -> Flow[list[Result]]:
        """Return the items of all pages, in the platform's order; each page is one request."""
        page = yield from self.page(None)
        items = page.items
        while page.next_cursor:
            page = yield from self.page(page.next_cursor)
            items += page.items
        return items


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that are not None, in their order: other empty ones are sent."""
    return {name: value for name, value in values.items() if value is not None}
