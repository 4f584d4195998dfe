"""The control API as a process: the public and the internal app on two ports, MLModels in a cluster."""

from dataclasses import dataclass
from socket import socket

from modelport_http.serving import Served, Stop
from modelport_http.serving import serve as serve_apps
from modelport_http.settings import DoorSettings
from modelport_http.settings import Settings as EdgeSettings
from modelport_kube.api import KubernetesApi
from modelport_kube.connect import connected
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart, bind, spared
from modelport_store.opening import open_store
from modelport_store.store import Store

from modelport_control_api.process import app
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.settings import ServeSettings, Settings
from modelport_control_api.signing_keys.files import SigningKeysError

# With the delay it stays below the time that Kubernetes waits before it kills (docs/contracts.md).
DRAIN_SECONDS = 25


@dataclass(frozen=True)
class ProcessSettings:
    control_api: Settings
    process: ServeSettings
    edge: EdgeSettings


@dataclass(frozen=True)
class Listeners:
    """Bound sockets: whether the addresses are free is known before anything else is touched."""

    public: socket
    internal: socket


def read() -> ProcessSettings:
    """Raises `CannotStart`."""
    return ProcessSettings(read_settings(Settings), read_settings(ServeSettings), read_settings(EdgeSettings))


def listen(settings: ServeSettings) -> Listeners:
    """Raises `CannotStart`."""
    return Listeners(
        bind("MODELPORT_CONTROL_API_LISTEN", settings.listen),
        bind("MODELPORT_CONTROL_API_INTERNAL_LISTEN", settings.internal_listen),
    )


async def run(settings: ProcessSettings, listeners: Listeners) -> None:
    """Serve until a signal. Raises `CannotStart`."""
    store = open_store(settings.edge.redis_url)
    try:
        async with connected() as client:
            plane = _build(settings, store, KubernetesApi(client))
            stop = Stop(settings.process.shutdown_delay_seconds, DRAIN_SECONDS)
            await serve(plane, listeners, stop, settings.edge)
    finally:
        await store.aclose()


async def serve(
    plane: ControlPlane, listeners: Listeners, stop: Stop, doors: DoorSettings | None = None
) -> None:
    """Return after a signal, when the requests in flight have ended."""
    apps = [Served(plane.public, listeners.public), Served(plane.internal, listeners.internal)]
    async with plane.running():
        with spared():
            await serve_apps(
                apps,
                stop,
                on_stop=plane.context.stopping.set,
                doors=doors,
                trusted_proxies=plane.context.settings.trusted_proxies,
            )


def _build(settings: ProcessSettings, store: Store, cluster: Cluster) -> ControlPlane:
    try:
        return app.build(
            settings.control_api, store=store, cluster=cluster, redis_url=settings.edge.redis_url
        )
    except SigningKeysError as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(
            f"The artifact store {settings.control_api.artifacts_url} cannot be used: {error}."
        ) from error
