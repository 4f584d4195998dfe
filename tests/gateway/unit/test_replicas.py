"""Which replica is asked while some of them come, go, drain or die."""

import asyncio

import pytest
from modelport_gateway.routing.routes import Endpoint, RouteTable, Slice
from modelport_gateway.routing.watching import read_slice
from modelport_gateway.upstream import pool as connections

from tests.support.gateway_harness import Harness, model_object, slice_object
from tests.support.scripted_model import Received, ScriptedModel, answering, http, scripted_model
from tests.support.waiting import until

GONE, SERVING = {"ready": False, "terminating": True}, {"serving": True}
KEY = ("models", "iris")


async def close_midway(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(http("200 OK", b"x" * 1000)[:200])
    await writer.drain()
    writer.close()


def two_replicas(harness: Harness, one: ScriptedModel, other: ScriptedModel) -> None:
    harness.cluster.put("MLModel", model_object(cache=None))
    for number, model in enumerate((one, other)):
        slice_ = slice_object("iris", "v1", model.address)
        slice_["metadata"]["name"] = f"iris-v1-{number}"
        harness.cluster.put("EndpointSlice", slice_)


def addresses(*slices: Slice) -> set[str]:
    table = RouteTable("models")
    for number, each in enumerate(slices):
        table.put_slice(("models", f"s{number}"), each)
    return table.addresses()


def test_a_replica_on_its_way_out_is_called_only_if_there_is_no_other() -> None:
    leaving = Slice(KEY, "v1", (), ("10.0.0.1:8080",))
    assert addresses(leaving) == {"10.0.0.1:8080"}
    assert addresses(leaving, Slice(KEY, "v1", ("10.0.0.2:8080",))) == {"10.0.0.2:8080"}
    # Another version's replicas are no substitute.
    assert addresses(leaving, Slice(KEY, "v2", ("10.0.0.2:8080",))) == {"10.0.0.1:8080", "10.0.0.2:8080"}


@pytest.mark.parametrize(
    ("conditions", "leaving"),
    [
        (GONE | SERVING, True),
        (GONE, False),
        (GONE | {"serving": False}, False),
        ({"ready": False} | SERVING, False),
    ],
)
def test_only_what_terminates_and_serves_is_leaving(conditions: dict[str, bool], leaving: bool) -> None:
    slice_ = slice_object("iris", "v1", "10.0.0.1:8080")
    slice_["endpoints"][0]["conditions"] = conditions
    read = read_slice(slice_)
    assert read.addresses == ()
    assert bool(read.leaving) == leaving


async def test_a_replica_that_dies_in_the_middle_of_its_response_costs_the_caller_nothing(
    harness: Harness, model: ScriptedModel
) -> None:
    async with scripted_model() as dying:
        dying.script = close_midway
        two_replicas(harness, dying, model)
        await harness.settle()
        responses = [await harness.predict() for _ in range(20)]
        assert {response.status_code for response in responses} == {200}
        # Tried once, and then left alone for a while.
        assert len(dying.received) <= 1


async def test_a_replica_that_could_not_be_reached_comes_last_for_a_while(
    harness: Harness, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelport_gateway.upstream.replica._AVOIDED_SECONDS", 0.2)
    endpoint = Endpoint("127.0.0.1:9")
    dead = ScriptedModel(address=endpoint.address)
    two_replicas(harness, dead, model)
    await harness.settle()
    for _ in range(20):
        assert (await harness.predict()).status_code == 200
    route = harness.gateway._table.get("iris")
    assert route is not None
    (known,) = [each for each in route.versions["v1"].endpoints if each.address == endpoint.address]
    assert known.failures <= 1
    await asyncio.sleep(0.3)
    assert known.failures == 0


async def test_requests_in_flight_at_a_replica_that_drains_complete(
    harness: Harness, model: ScriptedModel
) -> None:
    gate = asyncio.Event()

    async def hold(request: Received, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await answering(http("200 OK", b"{}"))(request, writer)

    async with scripted_model() as draining:
        draining.script = hold
        harness.serve("iris", draining.address, cache=None)
        await harness.settle()
        held = asyncio.create_task(harness.predict())
        await until(lambda: len(draining.received) == 1)
        harness.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
        await harness.settle()
        pools = harness.gateway._connections
        await pools.keep_only(harness.gateway._table.addresses())
        assert (await harness.predict()).status_code == 200
        gate.set()
        assert (await held).status_code == 200
        assert draining.address in pools._pools
        await pools.keep_only(harness.gateway._table.addresses(), kept_seconds=0)
        assert draining.address not in pools._pools


def test_a_silent_host_is_noticed_by_the_kernel() -> None:
    import socket

    with connections._watched_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("", 0))) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
