"""Answered requests, handed to those that look at some of them: history and drift."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelport_http.problem import Problem
from modelport_http.problem import body as problem_body

from modelport_gateway.prediction import PredictionContext
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute


@dataclass(frozen=True, slots=True)
class Seen:
    """One request to a version, and what was answered. The bodies are as they were sent, unredacted."""

    route: Route
    version: VersionRoute
    call: Call
    """PREDICT or INFER."""
    body: bytes
    answer: bytes
    """The prediction, or the problem's JSON."""
    status: int
    reason: str
    """The problem's reason (docs/reasons.md); empty for a prediction and where the problem has none."""
    cache: str
    """hit, miss, bypass, or none."""
    seconds: float
    """From the request's first byte to the answer's last."""
    caller_id: str
    """The user's id; empty without a credential."""
    api_key_id: str
    """Empty for an access token or none."""
    request_id: str
    at: float
    """When it was answered, in seconds since 1970 UTC."""


class Tap(Protocol):
    def wants(self, route: Route, version: VersionRoute) -> bool:
        """Say whether to take the next request to the version. Called for every request: be quick."""
        ...

    def take(self, seen: Seen) -> None:
        """Keep it for later. Called while the event loop has answers to give: parse nothing here."""
        ...


class Taps:
    """All of them, for both paths that requests come by."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self._taps = tuple(taps)

    def offer(
        self, asked: PredictionContext, said: bytes | Problem | None, cache: str, seconds: float
    ) -> None:
        """Hand on a request that has been answered. `said` None: its caller had gone."""
        route, version = asked.route, asked.version
        if route is None or version is None or said is None:
            return
        wanting = [tap for tap in self._taps if tap.wants(route, version)]
        if wanting:
            seen = _seen(asked, route, version, said, cache=cache, seconds=seconds)
            for tap in wanting:
                tap.take(seen)


def _seen(
    asked: PredictionContext,
    route: Route,
    version: VersionRoute,
    said: bytes | Problem,
    *,
    cache: str,
    seconds: float,
) -> Seen:
    problem = said if isinstance(said, Problem) else None
    return Seen(
        route=route,
        version=version,
        call=asked.target.call,
        body=asked.body,
        answer=said if isinstance(said, bytes) else problem_body(said, asked.request_id),
        status=problem.status if problem else 200,
        reason=(problem.reason if problem else None) or "",
        cache=cache,
        seconds=seconds,
        caller_id=asked.caller.user_id if asked.caller else "",
        api_key_id=asked.caller.key_id if asked.caller else "",
        request_id=asked.request_id,
        at=time.time(),
    )
