"""The gateway as a process: its routes from a Kubernetes cluster, its limits and cache from Redis."""

import socket
from dataclasses import dataclass

import httpx
from modelport_http.client_address import parse_networks
from modelport_http.serving import Served, Stop
from modelport_http.serving import serve as serve_apps
from modelport_http.settings import Settings as EdgeSettings
from modelport_kube.api import KubernetesApi
from modelport_kube.connect import connected
from modelport_process.settings import read_settings
from modelport_process.start import spared
from modelport_store.opening import open_store

from modelport_gateway import app
from modelport_gateway.settings import ServeSettings, Settings
from modelport_gateway.usage.opening_sink import open_sink

_CONNECT_SECONDS = 1.0
_RESPONSE_SECONDS = 5.0


@dataclass(frozen=True)
class ProcessSettings:
    gateway: Settings
    process: ServeSettings
    edge: EdgeSettings


def read() -> ProcessSettings:
    """Raises `CannotStart`."""
    return ProcessSettings(read_settings(Settings), read_settings(ServeSettings), read_settings(EdgeSettings))


async def serve(settings: ProcessSettings, listener: socket.socket) -> None:
    """Return after a signal, when the requests in flight have ended. Raises `CannotStart`."""
    store = open_store(settings.edge.redis_url, near=True)
    stop = Stop(settings.process.shutdown_delay_seconds, round(settings.gateway.drain_seconds))
    try:
        async with connected() as client, _control(settings.process.control_url) as control:
            sink = open_sink(settings.edge.redis_url, control, settings.gateway.internal_key)
            gateway = app.build(
                settings.gateway, store=store, cluster=KubernetesApi(client), control=control, sink=sink
            )
            async with gateway.running():
                served = Served(gateway.app, listener, gateway.fast_path)
                with spared():
                    await serve_apps(
                        [served],
                        stop,
                        on_stop=gateway.stop_being_ready,
                        doors=settings.edge,
                        trusted_proxies=parse_networks(settings.gateway.trusted_proxies),
                    )
            await sink.aclose()
    finally:
        await store.aclose()


def _control(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(_RESPONSE_SECONDS, connect=_CONNECT_SECONDS),
        # Of several replicas one may just be starting or stopping.
        transport=httpx.AsyncHTTPTransport(retries=1),
    )
