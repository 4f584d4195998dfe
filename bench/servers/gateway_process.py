"""The gateway with a fixed table of routes: its own app, server, Redis client and logs, a stub control API.

Run: ``python -m bench.servers.gateway_process PORT REDIS_URL ROUTES.json API_KEY [STOP_SECONDS]``; the file
holds ``[{"name": …, "address": …, "signature": …}]``, with ``"rollout"`` as an MLModel's status has it where
one goes on, and ``"candidate"``, the address of its second version. STOP_SECONDS: for how long requests are
taken after SIGTERM.
"""

import json
import sys
from pathlib import Path
from typing import Any

import uvloop
from modelport_gateway.app import build
from modelport_gateway.settings import Settings
from modelport_gateway.usage.opening_sink import open_sink
from modelport_http.serving import Served, Stop
from modelport_http.serving import serve as serve_apps
from modelport_process import logging
from modelport_process.start import bind, spared
from modelport_store.opening import open_store
from pydantic import SecretStr

from tests.support.gateway_harness import FakeCluster, FakeControlApi, model_object, slice_object


def cluster_of(routes: list[dict[str, Any]]) -> FakeCluster:
    cluster = FakeCluster()
    for route in routes:
        rollout = route.get("rollout")
        versions = ("v1", "v2") if rollout else ("v1",)
        model = model_object(route["name"], signature=route["signature"], versions=versions)
        model["status"]["rollout"] = rollout
        cluster.put("MLModel", model)
        addresses = (route["address"], route.get("candidate", ""))
        for version, address in zip(versions, addresses, strict=False):
            cluster.put("EndpointSlice", slice_object(route["name"], version, address))
    return cluster


async def main(
    port: int, redis_url: str, routes: list[dict[str, Any]], key: str, stop_seconds: float
) -> None:
    control = FakeControlApi()
    control.issue_key(key)
    address = SecretStr(redis_url)
    store, sink = open_store(address, near=True), open_sink(address, control.client, None)
    # Far above what can be sent: the bucket is taken from at every request, and never empty.
    settings = Settings(limit_predict="1000000/second")
    gateway = build(settings, store=store, cluster=cluster_of(routes), control=control.client, sink=sink)
    listener = bind("PORT", f"127.0.0.1:{port}")
    async with gateway.running():
        served = Served(gateway.app, listener, gateway.fast_path)
        with spared():
            await serve_apps([served], Stop(stop_seconds, 1), on_stop=gateway.stop_being_ready)
    await sink.aclose()
    await store.aclose()


if __name__ == "__main__":
    logging.configure("gateway")
    port, redis_url, routes, key, *stop_seconds = sys.argv[1:]
    uvloop.run(
        main(int(port), redis_url, json.loads(Path(routes).read_text()), key, float([*stop_seconds, "0"][0]))
    )
