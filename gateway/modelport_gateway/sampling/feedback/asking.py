"""Asks a version once more for what its caller did not ask for: the probabilities of what it predicted."""

import asyncio
from typing import Any

import orjson

from modelport_gateway.routing.routes import RouteTable
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.upstream.replica import Upstream, UpstreamCall, check_good
from modelport_gateway.upstream.response_reader import (
    EndpointUnreachable,
    ResponseCutOff,
    UpstreamMisbehaved,
    UpstreamTimeout,
)

_OK = 200
_MAX_BYTES = 1024 * 1024


class Asking:
    """A question counts against no limit and no usage, and neither cache nor history sees it."""

    def __init__(self, table: RouteTable, upstream: Upstream) -> None:
        self._table = table
        self._upstream = upstream

    async def with_probabilities(self, seen: Seen, request: dict[str, Any]) -> Any:
        """Return the response with probabilities; None: the version gave none."""
        route = self._table.get(seen.route.public_id)
        version = route.versions.get(seen.version.name) if route else None
        if version is None or not version.endpoints:
            return None
        try:
            body = orjson.dumps(request | {"return": ["prediction", "probabilities"]})
        except orjson.JSONEncodeError:
            # Nested more deeply than orjson writes, though it reads it.
            return None
        call = UpstreamCall("POST", "/predict", body, seen.request_id)
        due = asyncio.get_running_loop().time() + seen.route.timeout_seconds
        try:
            answer = await self._upstream.send(
                min(version.endpoints, key=lambda each: each.in_flight), call, due=due
            )
            if answer.status != _OK or len(answer.body) > _MAX_BYTES:
                return None
            check_good(call, answer)
            return orjson.loads(answer.body)
        except (EndpointUnreachable, ResponseCutOff, UpstreamMisbehaved, UpstreamTimeout, TimeoutError):
            return None
