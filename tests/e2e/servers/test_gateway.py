"""Gateways on a real API server: routes, replicas that go, shared limits and cache, parts that are away."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.cluster.cluster import NoCluster
from tests.e2e.kubectl import Kubectl
from tests.e2e.servers.processes import Process
from tests.e2e.servers.replica import Replica
from tests.e2e.servers.stage import Stage, own_address
from tests.support.slowness import slowness
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

READY = {"ready": True, "serving": True, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}


@pytest.fixture(autouse=True)
def _control_api(stage: Stage) -> None:
    assert stage.control_api.running.poll() is None


@pytest.fixture
def replicas() -> Iterator[list[Replica]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Replica(name).running()) for name in ("one", "two")]


def predict(gateway: Process, model_id: str, **headers: str) -> httpx.Response:
    row = {"input": [time.perf_counter()]}
    return httpx.post(f"{gateway.url}/predict/{model_id}", json=row, headers=headers, timeout=10)


def who(gateway: Process, model_id: str) -> str:
    response = predict(gateway, model_id)
    return str(response.json().get("prediction", response.status_code))


@dataclass
class Load:
    """What a caller in a loop has seen."""

    statuses: list[int] = field(default_factory=list)
    slowest: float = 0.0


@contextmanager
def under_load(gateway: Process, model_id: str) -> Iterator[Load]:
    """One caller on one connection, that calls again as soon as it has a response."""
    load, over = Load(), threading.Event()

    def predict() -> None:
        with httpx.Client(base_url=gateway.url, timeout=10) as client:
            while not over.is_set():
                began = time.monotonic()
                response = client.post(f"/predict/{model_id}", json={"input": [began]})
                load.statuses.append(response.status_code)
                load.slowest = max(load.slowest, time.monotonic() - began)
                time.sleep(0.005)

    caller = threading.Thread(target=predict)
    caller.start()
    try:
        yield load
    finally:
        over.set()
        caller.join()


def test_only_replicas_that_stay_are_called(stage: Stage, replicas: list[Replica]) -> None:
    one, two = replicas
    stage.serve("drains", (one.address, READY), (two.address, READY), access="public")
    eventually(lambda: {who(stage.gateway, "drains") for _ in range(20)} == {"one", "two"})
    stage.endpoints("drains", (one.address, LEAVING))
    eventually(lambda: {who(stage.gateway, "drains") for _ in range(20)} == {"two"})
    # Better than nobody.
    stage.endpoints("drains", (one.address, LEAVING), (two.address, {"ready": False}))
    eventually(lambda: {who(stage.gateway, "drains") for _ in range(20)} == {"one"})


def test_a_replica_that_is_gone_but_still_listed_costs_nobody_a_response(
    stage: Stage, replicas: list[Replica]
) -> None:
    one, _ = replicas
    dead = f"{own_address()}:9"
    stage.serve("broken", (dead, READY), (one.address, READY), access="public")
    eventually(lambda: who(stage.gateway, "broken") == "one")
    with under_load(stage.gateway, "broken") as load:
        time.sleep(2)
    assert set(load.statuses) == {200}
    assert load.slowest < slowness()


def test_a_model_of_another_namespace_carries_its_name(stage: Stage, replicas: list[Replica]) -> None:
    namespace = f"{stage.kubectl.namespace}-team"
    elsewhere = Kubectl(stage.kubectl.kubeconfig, namespace)
    elsewhere.create_namespace()
    try:
        stage.serve("wine", (replicas[0].address, READY), namespace=namespace, access="public")
        eventually(lambda: who(stage.gateway, f"{namespace}.wine") == "one")
        assert predict(stage.gateway, "wine").status_code == 401
    finally:
        elsewhere.run("delete", "namespace", namespace, "--wait=false")


def test_replicas_of_the_gateway_share_cache_and_limits(stage: Stage, replicas: list[Replica]) -> None:
    gateways = [stage.gateway, stage.start_gateway()]
    limit = {"requests": 10, "periodSeconds": 3600}
    stage.serve(
        "shared", (replicas[0].address, READY), access="public", cache={"ttlSeconds": 60}, rateLimit=limit
    )
    for gateway in gateways:
        eventually(
            lambda gateway=gateway: (
                httpx.get(f"{gateway.url}/v2/models/shared/ready", timeout=60).status_code == 200
            )
        )
    asked = [
        httpx.post(f"{gateways[number % 2].url}/predict/shared", json={"input": [1]}, timeout=60)
        for number in range(12)
    ]
    assert [response.status_code for response in asked] == [200] * 10 + [429] * 2
    assert [response.headers["X-Cache"] for response in asked[:10]] == ["miss"] + ["hit"] * 9
    assert replicas[0].answered == 1


def test_known_callers_are_served_by_a_new_replica_while_the_control_api_is_away(
    stage: Stage, replicas: list[Replica]
) -> None:
    ann = stage.person("ann")
    owner = ann.get("/api/v1/auth/me").json()["id"]
    key = ann.post("/api/v1/api-keys", json={"name": "known"}).raise_for_status().json()["key"]
    credentials = [{"X-API-Key": key}, {"Authorization": ann.headers["Authorization"]}]
    stage.serve("private", (replicas[0].address, READY), owner=owner)
    for headers in credentials:
        eventually(lambda headers=headers: predict(stage.gateway, "private", **headers).status_code == 200)
    assert stage.control_api.stop() == 0
    try:
        new = stage.start_gateway()
        assert [predict(new, "private", **headers).status_code for headers in credentials] == [200, 200]
        assert predict(new, "private", **{"X-API-Key": "mlp_live_" + "x" * 43}).status_code == 503
    finally:
        del stage.control_api
        assert stage.control_api.running.poll() is None


def test_a_redis_that_restarts_fails_no_request(stage: Stage, replicas: list[Replica]) -> None:
    stage.serve("steady", (replicas[0].address, READY), access="public", cache={"ttlSeconds": 60})
    eventually(lambda: who(stage.gateway, "steady") == "one")
    with under_load(stage.gateway, "steady") as load:
        time.sleep(0.5)
        stage.redis.stop()
        time.sleep(1.5)
        stage.redis.start()
        time.sleep(1.5)
    assert set(load.statuses) == {200}
    assert load.slowest < slowness()
    metrics = httpx.get(f"{stage.gateway.url}/metrics", timeout=60).text
    assert "modelport_store_degraded 0.0" in metrics


def test_an_api_server_that_restarts_fails_no_request(stage: Stage, replicas: list[Replica]) -> None:
    one, two = replicas
    stage.serve("outlives", (one.address, READY), access="public")
    eventually(lambda: who(stage.gateway, "outlives") == "one")
    with under_load(stage.gateway, "outlives") as load:
        try:
            stage.cluster.restart_api_server()
        except NoCluster as reason:
            pytest.skip(str(reason))
        time.sleep(1)
    assert set(load.statuses) == {200}
    stage.endpoints("outlives", (two.address, READY))
    eventually(lambda: who(stage.gateway, "outlives") == "two", seconds=120)


def test_a_gateway_that_stops_turns_nobody_away(stage: Stage, replicas: list[Replica]) -> None:
    stage.serve("stopping", (replicas[0].address, READY), access="public")
    going = stage.start_gateway()
    eventually(lambda: who(going, "stopping") == "one")
    with under_load(going, "stopping") as load:
        going.running.terminate()
        time.sleep(0.3)
        assert httpx.get(f"{going.url}/readyz", timeout=60).status_code == 503
        # By now every proxy has heard of it, and the caller has gone elsewhere.
    assert set(load.statuses) == {200}
    assert going.running.wait(30) == 0


def test_a_gateway_needs_little_memory(stage: Stage) -> None:
    assert stage.gateway.rss_mib() < 160
