"""Usage that gateways send straight to the control API, and what is no usage."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.usage.tables import RequestsOfMinute
from modelport_gateway.usage.opening_sink import DirectUsage
from modelport_gateway.usage.sink import SinkUnavailable
from modelport_telemetry.usage import samples, wire
from modelport_telemetry.usage.samples import Sample
from modelport_telemetry.usage.wire import UsageBatch, UsageLine

from tests.support.control_api import INTERNAL_KEY, client_of

BATCH = wire.encode(
    UsageBatch("b1", "g1", [UsageLine(29_000_000, "m", "v1", "", "", 200, "", "hit", 2, {3: 2})])
)


def counted(plane: ControlPlane) -> int:
    with plane.context.database.transaction(read_only=True) as session:
        return int(session.scalar(sa.select(sa.func.sum(RequestsOfMinute.requests))) or 0)


async def test_what_a_gateway_sends_again_is_confirmed_again_and_counted_once(plane: ControlPlane) -> None:
    async with client_of(plane.internal) as control:
        sink = DirectUsage(control, INTERNAL_KEY)
        for _ in range(2):
            assert await sink.send({"b1": BATCH}, ["b1"]) == {"b1"}
        await sink.send_samples(samples.encode([Sample("unknown", b"x")]))
    assert counted(plane) == 2


@pytest.mark.parametrize(("body", "status"), [(b"no batch", 422), (b"x" * (8 * 1024 * 1024 + 1), 413)])
async def test_what_is_no_report_is_refused_and_the_gateway_keeps_it(
    plane: ControlPlane, body: bytes, status: int
) -> None:
    async with client_of(plane.internal) as control:
        with pytest.raises(SinkUnavailable, match=str(status)):
            await DirectUsage(control, INTERNAL_KEY).send({"b1": body}, ["b1"])


async def test_while_the_control_api_is_away_the_gateway_keeps_it() -> None:
    def away(_: httpx.Request) -> Any:
        raise httpx.ConnectError("away")

    async with httpx.AsyncClient(transport=httpx.MockTransport(away), base_url="http://control") as control:
        with pytest.raises(SinkUnavailable):
            await DirectUsage(control, INTERNAL_KEY).send({"b1": BATCH}, ["b1"])
