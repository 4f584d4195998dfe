"""The route table follows the cluster, whatever becomes of the watches."""

import asyncio

import pytest
from modelport_crds.names import LABEL_BATCH_VERSION
from modelport_gateway.routing.watching import read_slice

from tests.support.gateway_harness import Harness, model_object, slice_object
from tests.support.scripted_model import Received, ScriptedModel, answering, http
from tests.support.waiting import until


async def test_a_deleted_model_is_gone(serving: Harness) -> None:
    serving.cluster.delete("MLModel", "iris")
    await serving.settle()
    assert (await serving.predict()).status_code == 404


async def test_a_version_that_left_the_spec_serves_until_traffic_has_left_it(serving: Harness) -> None:
    leaving = model_object(versions=("v1", "v2"))
    v1, v2 = leaving["spec"]["versions"]
    leaving["spec"] |= {"versions": [v2], "traffic": [{"version": "v2", "weight": 100}]}
    leaving["status"]["versions"][0]["digest"] = f"sha256:{v1['artifact']['sha256']}"
    serving.cluster.put("MLModel", leaving)
    await serving.settle()
    assert (await serving.predict()).headers["X-Modelport-Version"] == "v1"
    leaving["status"]["traffic"] = leaving["spec"]["traffic"]
    serving.cluster.put("MLModel", leaving)
    await serving.settle()
    route = serving.gateway._table.get("iris")
    assert route is not None
    assert set(route.versions) == {"v2"}


async def test_a_model_being_deleted_is_gone_already(serving: Harness) -> None:
    leaving = model_object()
    leaving["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    serving.cluster.put("MLModel", leaving)
    await serving.settle()
    assert (await serving.predict()).status_code == 404


async def test_a_broken_watch_keeps_routes_and_then_learns_what_it_missed(
    serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("wine", model.address)
    await serving.settle()
    serving.cluster.break_watches()
    await serving.settle()
    assert (await serving.predict("wine")).status_code == 200
    serving.cluster.delete_unseen("MLModel", "wine")
    table = serving.gateway._table
    await until(lambda: table.get("wine") is None)
    assert (await serving.predict()).status_code == 200


async def test_an_unreadable_object_stops_no_other(serving: Harness, model: ScriptedModel) -> None:
    bad = model_object()
    bad["spec"]["versions"] = "none"
    serving.cluster.put("MLModel", bad)
    serving.serve("wine", model.address)
    await serving.settle()
    assert [(await serving.predict(name)).status_code for name in ("iris", "wine")] == [200, 200]


async def test_requests_in_flight_are_still_counted_after_an_update(
    serving: Harness, model: ScriptedModel
) -> None:
    gate = asyncio.Event()

    async def hold(request: Received, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await answering(http("200 OK", b"{}"))(request, writer)

    model.script = hold
    held = asyncio.create_task(serving.predict())
    await until(lambda: len(model.received) == 1)
    serving.serve("iris", model.address, displayName="changed")
    await serving.settle()
    route = serving.gateway._table.get("iris")
    assert route is not None
    assert route.versions["v1"].endpoints[0].in_flight == 1
    gate.set()
    assert (await held).status_code == 200
    assert route.versions["v1"].endpoints[0].in_flight == 0


async def test_a_stop_lets_requests_in_flight_end(serving: Harness, model: ScriptedModel) -> None:
    gate = asyncio.Event()

    async def hold(request: Received, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await answering(http("200 OK", b"{}"))(request, writer)

    model.script = hold
    held = asyncio.create_task(serving.predict())
    await until(lambda: len(model.received) == 1)
    serving.gateway._draining.set()
    assert (await serving.http.get("/readyz")).status_code == 503
    draining = asyncio.create_task(serving.gateway._drain())
    await asyncio.sleep(0.05)
    assert not draining.done()
    gate.set()
    assert (await held).status_code == 200
    await draining


@pytest.mark.parametrize(
    ("conditions", "asked"),
    [
        ({"ready": True}, True),
        ({}, True),
        (None, True),
        ({"ready": False}, False),
        ({"ready": True, "terminating": True}, False),
    ],
)
def test_only_ready_endpoints_that_stay_are_called(conditions: dict[str, bool] | None, asked: bool) -> None:
    slice_ = slice_object("iris", "v1", "10.0.0.1:8080")
    slice_["endpoints"][0]["conditions"] = conditions
    assert read_slice(slice_).addresses == (("10.0.0.1:8080",) if asked else ())


def test_an_ipv6_address_is_written_with_brackets() -> None:
    slice_ = slice_object("iris", "v1", "10.0.0.1:8080")
    slice_["endpoints"][0]["addresses"] = ["2001:db8::1"]
    assert read_slice(slice_).addresses == ("[2001:db8::1]:8080",)


async def test_models_elsewhere_carry_their_namespace(harness: Harness, model: ScriptedModel) -> None:
    elsewhere, slice_ = model_object(), slice_object("iris", "v1", model.address)
    for obj in (elsewhere, slice_):
        obj["metadata"]["namespace"] = "team-a"
    harness.cluster.put("MLModel", elsewhere)
    harness.cluster.put("EndpointSlice", slice_)
    await harness.settle()
    assert (await harness.predict("team-a.iris")).status_code == 200
    assert (await harness.predict("iris")).status_code == 404


async def test_a_slice_that_comes_to_serve_another_model_leaves_the_first(
    serving: Harness, model: ScriptedModel
) -> None:
    serving.cluster.put("MLModel", model_object("wine"))
    moved = slice_object("wine", "v1", model.address)
    moved["metadata"]["name"] = "iris-v1"
    serving.cluster.put("EndpointSlice", moved)
    await serving.settle()
    assert [(await serving.predict(name)).status_code for name in ("wine", "iris")] == [200, 503]
    serving.cluster.delete("EndpointSlice", "iris-v1")
    await serving.settle()
    assert (await serving.predict("wine", {"input": [5, 5]})).status_code == 503
    assert serving.gateway._table.addresses() == set()


async def test_pods_that_do_batch_jobs_get_no_requests(serving: Harness, model: ScriptedModel) -> None:
    batch = slice_object("iris", "v1", "unix:/nowhere")
    batch["metadata"]["name"] = "iris-v1-batch"
    # Even with the version's own label beside it.
    batch["metadata"]["labels"][LABEL_BATCH_VERSION] = "v1"
    serving.cluster.put("EndpointSlice", batch)
    serving.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
    await serving.settle()
    assert serving.gateway._table.addresses() == {model.address}
