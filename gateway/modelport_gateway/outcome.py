"""A prediction as values: the request, that it may be served, the response, and what became of it all."""

import asyncio
from dataclasses import dataclass, field
from typing import final

from modelport_http.problem import Problem
from starlette.requests import ClientDisconnect

from modelport_gateway.auth.authorization import Caller
from modelport_gateway.request.paths import RequestHeaders, Target
from modelport_gateway.routing.routes import Route, VersionRoute


@dataclass(slots=True, eq=False)
class PredictionRequest:
    """One request without its body, whichever way it came."""

    target: Target
    path: str
    headers: RequestHeaders
    address: str
    """The client's address, as rate limits count it."""
    request_id: str
    started: float
    """When its first byte came, on `time.perf_counter`."""


@dataclass(slots=True, eq=False)
class AuthorizedRequest:
    """A request that may be served: who calls what."""

    route: Route
    caller_id: str


@final
@dataclass(slots=True)
class PredictionResponse:
    body: bytes
    version: str
    cache: str = "bypass"
    """hit, miss or bypass."""
    model_seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    json_bytes: int | None = None
    """The length of the JSON in front of binary tensors; None: the body is JSON as a whole."""
    plain: bytes | None = None
    """The body before its Content-Encoding; None: it has none."""


Response = PredictionResponse | Problem | ClientDisconnect | asyncio.CancelledError
"""One of the last two: the caller left, or the graceful stop ran out of time."""


@dataclass(slots=True, eq=False)
class Outcome:
    """What became of a request, and how far it came."""

    response: Response
    status: int
    reason: str = ""
    """The problem's; empty where it has none."""
    cache: str = "none"
    """hit, miss, bypass, or none."""
    route: Route | None = None
    """The model's; None where there is no such model."""
    caller: Caller | None = None
    """None until identified, and without a credential."""
    version: VersionRoute | None = None
    """None until chosen."""
    body: bytes = b""
    """The request's; empty until read; without its Content-Encoding."""
