"""Completed requests, handed to those that look at some of them: history and drift."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelport_http.problem import Problem
from modelport_http.problem import body as problem_body

from modelport_gateway.outcome import Outcome, PredictionRequest, PredictionResponse
from modelport_gateway.prediction import caller_id_of, kept_by
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute


@dataclass(frozen=True, slots=True)
class Seen:
    """One request to a version, and its response. The bodies are as they were sent, unredacted."""

    route: Route
    version: VersionRoute
    call: Call
    """PREDICT or INFER."""
    body: bytes
    response: bytes
    """The prediction, or the problem's JSON."""
    status: int
    reason: str
    """The problem's reason (docs/reasons.md); empty for a prediction and where the problem has none."""
    cache: str
    """hit, miss, bypass, or none."""
    seconds: float
    """From the request's first byte to the response's last."""
    caller_id: str
    """The user's id; empty without a credential."""
    api_key_id: str
    """Empty for an access token or none."""
    request_id: str
    at: float
    """When its response was sent, in seconds since 1970 UTC."""
    model_seconds: float = 0.0
    """How long the model took; 0: it was not called, or did not answer well."""
    named_version: bool = False
    """The caller named the version: no split chose it."""
    kept_by: str | None = None
    """The session or caller that was kept on the version; None: nothing was."""


class Tap(Protocol):
    def wants(self, route: Route, version: VersionRoute) -> bool:
        """Return whether to take the next request to the version. Called for every request: be quick."""
        ...

    def take(self, seen: Seen) -> None:
        """Store it for later. Called while the event loop has responses to send: parse nothing here."""
        ...


class Taps:
    """All of them, for both paths that requests come by."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self._taps = tuple(taps)

    def offer(self, request: PredictionRequest, outcome: Outcome, seconds: float) -> None:
        """Hand on a completed request; not one whose caller had gone."""
        route, version = outcome.route, outcome.version
        if route is None or version is None:
            return
        match outcome.response:
            case PredictionResponse() | Problem() as sent:
                wanting = [tap for tap in self._taps if tap.wants(route, version)]
            case _:
                return
        if wanting:
            response = _body_of(sent, request.request_id)
            seen = _seen(request, outcome, route=route, version=version, response=response, seconds=seconds)
            for tap in wanting:
                tap.take(seen)


def _body_of(response: PredictionResponse | Problem, request_id: str) -> bytes:
    if isinstance(response, Problem):
        return problem_body(response, request_id)
    return response.body if response.plain is None else response.plain


def _seen(
    request: PredictionRequest,
    outcome: Outcome,
    *,
    route: Route,
    version: VersionRoute,
    response: bytes,
    seconds: float,
) -> Seen:
    caller = outcome.caller
    return Seen(
        route=route,
        version=version,
        call=request.target.call,
        body=outcome.body,
        response=response,
        status=outcome.status,
        reason=outcome.reason,
        cache=outcome.cache,
        seconds=seconds,
        caller_id=caller.user_id if caller else "",
        api_key_id=caller.key_id if caller else "",
        request_id=request.request_id,
        at=time.time(),
        model_seconds=_model_seconds(outcome),
        named_version=request.target.version is not None,
        kept_by=_kept_by(request, outcome, route),
    )


def _kept_by(request: PredictionRequest, outcome: Outcome, route: Route) -> str | None:
    if route.sticky is None or request.target.version is not None:
        return None
    return kept_by(request, route, caller_id_of(outcome.caller, request.address))


def _model_seconds(outcome: Outcome) -> float:
    response = outcome.response
    return response.model_seconds if isinstance(response, PredictionResponse) else 0.0
