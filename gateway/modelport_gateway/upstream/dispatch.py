"""From a route and a chosen version to a model's prediction: queue, replica, one retry."""

import asyncio
import random
import time
from collections.abc import Sequence

from modelport_crds.reasons import Reason
from modelport_http.problem import Problem

from modelport_gateway.concurrency.admission import Admission, QueueFull
from modelport_gateway.routing.routes import Endpoint, Route, RouteTable, VersionRoute
from modelport_gateway.upstream.replica import (
    Upstream,
    UpstreamCall,
    UpstreamResponse,
    check_good,
    rebuild_problem,
)
from modelport_gateway.upstream.response_reader import (
    EndpointUnreachable,
    ResponseCutOff,
    UpstreamMisbehaved,
    UpstreamTimeout,
)

# After a broken connection to the only replica: time for its endpoint to be withdrawn or to listen again.
_BEFORE_SAME_REPLICA_SECONDS = 0.25


class Dispatch:
    def __init__(
        self,
        table: RouteTable,
        upstream: Upstream,
        *,
        max_in_flight: int,
        max_waiting: int,
        endpoint_wait_seconds: float,
    ) -> None:
        self._table = table
        self._upstream = upstream
        self._admission = Admission(max_waiting=max_waiting)
        self._max_in_flight = max_in_flight
        self._endpoint_wait = endpoint_wait_seconds

    async def send(self, route: Route, version: str, call: UpstreamCall) -> UpstreamResponse:
        """Return the model's prediction with status 200; anything else is raised as a Problem."""
        try:
            response = await self._send_in_turn(route, version, call)
            if response.status == 200:
                check_good(call, response)
        except QueueFull:
            raise _unavailable(
                Reason.QUEUE_FULL,
                f"Too many requests wait for the model {route.public_id}. Try again shortly.",
            ) from None
        except (TimeoutError, UpstreamTimeout):
            raise _too_slow(route) from None
        except UpstreamMisbehaved as error:
            raise Problem(
                status=502,
                detail=f"The model cannot be used as it answers: {error}. Its owner should look at its logs.",
            ) from None
        if response.status != 200:
            raise rebuild_problem(response)
        return response

    def callers_wait(self, route: Route) -> bool:
        """Whether a request waits for a place at the route's model."""
        return self._admission.is_waited_for(route.uid)

    async def _send_in_turn(self, route: Route, version: str, call: UpstreamCall) -> UpstreamResponse:
        due = asyncio.get_running_loop().time() + route.timeout_seconds
        # One replica's places are always there: how many there are matters only when they are taken.
        if not self._admission.enter(route.uid, self._max_in_flight):
            await self._wait_for_place(route, due)
        try:
            return await self._send_with_retry(route, version, call, due)
        finally:
            self._admission.leave(route.uid)

    async def _wait_for_place(self, route: Route, due: float) -> None:
        if not self._admission.enter(route.uid, self._max_in_flight * max(1, route.replicas)):
            async with asyncio.timeout_at(due):
                await self._admission.wait(route.uid)

    async def _send_with_retry(
        self, route: Route, version: str, call: UpstreamCall, due: float
    ) -> UpstreamResponse:
        ready = self._ready(route.public_id, version)
        first = _least_busy(ready) if ready else await self._endpoint(route, version, due, avoid=None)
        try:
            return await self._upstream.send(first, call, due=due)
        except EndpointUnreachable:
            # The caller has seen nothing, and a prediction changes nothing: it may be sent again.
            second = await self._endpoint(route, version, due, avoid=first)
        try:
            return await self._upstream.send(second, call, due=due)
        except ResponseCutOff:
            raise UpstreamMisbehaved("it closed the connection in the middle of its response") from None
        except EndpointUnreachable:
            raise no_ready_version(route.public_id) from None

    async def _endpoint(self, route: Route, version: str, due: float, *, avoid: Endpoint | None) -> Endpoint:
        """Return a replica, waiting a little for one to come (back). Raises TimeoutError when it is `due`."""
        async with asyncio.timeout_at(due):
            return await self._next_endpoint(route.public_id, version, avoid)

    async def _next_endpoint(self, public_id: str, version: str, avoid: Endpoint | None) -> Endpoint:
        deadline = time.monotonic() + self._endpoint_wait
        same_again_at = time.monotonic() + _BEFORE_SAME_REPLICA_SECONDS
        while True:
            ready = self._ready(public_id, version)
            others = [endpoint for endpoint in ready if endpoint is not avoid]
            now = time.monotonic()
            if others:
                return _least_busy(others)
            if ready and now >= same_again_at:
                return ready[0]
            if now >= deadline:
                raise no_ready_version(public_id)
            await self._table.wait_for_change((same_again_at if ready else deadline) - now)

    def _ready(self, public_id: str, version: str) -> tuple[Endpoint, ...]:
        # Read again each time: the table may have changed while this request waited.
        route = self._table.get(public_id)
        known: VersionRoute | None = route.versions.get(version) if route else None
        return known.endpoints if known else ()


def no_ready_version(public_id: str) -> Problem:
    """Return 503 with `Retry-After`."""
    return _unavailable(
        Reason.NO_READY_VERSION,
        f"No version of the model {public_id} can serve now. Try again shortly; its status says why.",
    )


def _unavailable(reason: Reason, detail: str) -> Problem:
    return Problem(status=503, reason=reason, detail=detail, headers={"Retry-After": "1"})


def _too_slow(route: Route) -> Problem:
    return Problem(
        status=504,
        reason=Reason.MODEL_TIMEOUT,
        detail=f"The model {route.public_id} did not respond within {route.timeout_seconds} s. "
        "Send fewer rows, or have the model's timeout raised.",
    )


def _least_busy(endpoints: Sequence[Endpoint]) -> Endpoint:
    return endpoints[0] if len(endpoints) == 1 else min(endpoints, key=_busyness)


def _busyness(endpoint: Endpoint) -> tuple[int, int, float]:
    # Replicas that are equally busy share by chance, not by their order.
    return endpoint.failures, endpoint.in_flight, random.random()  # noqa: S311 - nothing secret hangs on it
