"""Completed requests, handed to those that look at some of them: history and drift."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from modelport_http.problem import Problem
from modelport_http.problem import body as problem_body

from modelport_gateway.outcome import Outcome, PredictionRequest, PredictionResponse
from modelport_gateway.prediction import caller_id_of, kept_by
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute


@dataclass(slots=True, eq=False)
class Seen:
    """One request to a version, and its response. The bodies are as they were sent, unredacted.

    Not frozen, and what few of them are asked for is found when it is: one is made for each request.
    """

    route: Route
    version: VersionRoute
    request: PredictionRequest
    outcome: Outcome
    seconds: float
    """From the request's first byte to the response's last."""

    @property
    def at(self) -> float:
        """When its response was sent, in seconds since 1970 UTC."""
        return time.time() - (time.perf_counter() - self.request.started - self.seconds)

    @property
    def call(self) -> Call:
        """PREDICT or INFER."""
        return self.request.target.call

    @property
    def named_version(self) -> bool:
        """The caller named the version: no split chose it."""
        return self.request.target.version is not None

    @property
    def request_id(self) -> str:
        return self.request.request_id

    @property
    def body(self) -> bytes:
        return self.outcome.body

    @property
    def response(self) -> bytes:
        """The prediction, or the problem's JSON."""
        sent = self.outcome.response
        if isinstance(sent, PredictionResponse):
            return sent.body if sent.plain is None else sent.plain
        return problem_body(sent, self.request_id) if isinstance(sent, Problem) else b""

    @property
    def status(self) -> int:
        return self.outcome.status

    @property
    def reason(self) -> str:
        """The problem's reason (docs/reasons.md); empty for a prediction and where the problem has none."""
        return self.outcome.reason

    @property
    def cache(self) -> str:
        """hit, miss, bypass, or none."""
        return self.outcome.cache

    @property
    def model_seconds(self) -> float:
        """How long the model took; 0: it was not called, or did not answer well."""
        sent = self.outcome.response
        return sent.model_seconds if isinstance(sent, PredictionResponse) else 0.0

    @property
    def caller_id(self) -> str:
        """The user's id; empty without a credential."""
        caller = self.outcome.caller
        return caller.user_id if caller else ""

    @property
    def api_key_id(self) -> str:
        """Empty for an access token or none."""
        caller = self.outcome.caller
        return caller.key_id if caller else ""

    @property
    def unit(self) -> str | None:
        """The session, or caller, that it is one of; None: it is none's, or chose its version itself.

        Of a model that keeps nothing on a version too: what units did before an experiment is of use in it.
        """
        if self.named_version:
            return None
        caller_id = caller_id_of(self.outcome.caller, self.request.address)
        return kept_by(self.request, self.route.sticky or "caller", caller_id)


def decoded(body: bytes) -> Any:
    """Return what its JSON says; None: it is none, or null."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


class Tap(Protocol):
    def wants(
        self, route: Route, version: VersionRoute, request: PredictionRequest, outcome: Outcome
    ) -> bool:
        """Return whether to take the request. Called for every one: be quick, and count here what needs no
        more than counting."""
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
        if route is None or version is None or not isinstance(outcome.response, _COMPLETED):
            return
        seen: Seen | None = None
        for tap in self._taps:
            if tap.wants(route, version, request, outcome):
                if seen is None:
                    seen = Seen(route, version, request, outcome, seconds)
                tap.take(seen)


_COMPLETED = (PredictionResponse, Problem)
