"""The parts that answer requests: control API and gateway behind one ASGI app."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from secrets import token_urlsafe

import httpx
import modelport_control_api.process.app as control_api
import modelport_gateway.app as gateway
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.settings.control_api import Settings as ControlApiSettings
from modelport_control_api.signing_keys import lifecycle
from modelport_control_api.signing_keys.files import SigningKeysError
from modelport_gateway.app import Gateway
from modelport_gateway.http.fast_path import FastPath
from modelport_gateway.settings import Settings as GatewaySettings
from modelport_gateway.usage.opening_sink import open_sink
from modelport_gateway.usage.sink import UsageSink
from modelport_http.settings import Settings as EdgeSettings
from modelport_process import internal_key
from modelport_process.start import CannotStart as PartCannotStart
from modelport_store.opening import open_store
from modelport_store.store import Store
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from modelport_standalone import runtime_metrics
from modelport_standalone.data_dir import DataDir
from modelport_standalone.errors import CannotStart
from modelport_standalone.front import Front
from modelport_standalone.local_cluster.cluster import LocalCluster

# The server has let requests in flight end already when the gateway's turn comes.
_GATEWAY_DRAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Fronts:
    """`app` answers while `running()` is entered.

    `internal_key`: what `control_plane.internal` wants to be shown.
    """

    app: Front
    control_plane: ControlPlane
    internal_key: SecretStr
    _gateway: Gateway
    _store: Store
    _sink: UsageSink
    _control: httpx.AsyncClient

    @property
    def fast_path(self) -> FastPath:
        """Predictions, by the lean protocol; it takes no path that `app` would not give to the gateway."""
        return self._gateway.fast_path

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with self._control, self.control_plane.running(), self._gateway.running():
                yield
        finally:
            await self._sink.aclose()
            await self._store.aclose()


def build(data: DataDir, cluster: LocalCluster) -> Fronts:
    """Bring keys and database up to this release, then wire. Blocking. Raises `CannotStart`."""
    with _explained(data):
        lifecycle.create_first(data.signing_keys)
        migrate.upgrade(data.database_url)
        redis_url, key = EdgeSettings().redis_url, SecretStr(token_urlsafe())
        store = open_store(redis_url)
        plane = control_api.build(
            _control_api_settings(data, key), store=store, cluster=cluster, redis_url=redis_url
        )
    # In process, but with the HTTP shape that the calls have in Kubernetes.
    control = httpx.AsyncClient(transport=httpx.ASGITransport(plane.internal), base_url="http://control-api")
    sink = open_sink(redis_url, control, key)
    settings = GatewaySettings(drain_seconds=_GATEWAY_DRAIN_SECONDS, internal_key=key)
    gate = gateway.build(settings, store=store, cluster=cluster, control=control, sink=sink)
    app = Front(gate.app, plane.public, partial(_metrics_of_models, cluster, control, key))
    return Fronts(app, plane, key, gate, store, sink, control)


async def _metrics_of_models(cluster: LocalCluster, control: httpx.AsyncClient, key: SecretStr) -> bytes:
    """What the internal pages show of models, as Prometheus text."""
    of_processes = await runtime_metrics.collect(cluster)
    drift = await control.get("/internal/v1/drift/metrics", headers=internal_key.show(key))
    return of_processes + drift.raise_for_status().content


def _control_api_settings(data: DataDir, key: SecretStr) -> ControlApiSettings:
    return ControlApiSettings(
        database_url=data.database_url,  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
        signing_keys_dir=data.signing_keys,
        artifacts_url=str(data.artifacts),
        # Nobody else writes to this cluster: what differs is damage.
        overwrite_outside_changes=True,
        internal_key=key,
    )


@contextmanager
def _explained(data: DataDir) -> Iterator[None]:
    try:
        yield
    except (SigningKeysError, PartCannotStart) as error:
        raise CannotStart(str(error)) from error
    except SQLAlchemyError as error:
        raise CannotStart(
            f"The database {data.database} cannot be used ({getattr(error, 'orig', error)}): restore it from "
            "a backup, or start afresh with another --data-dir."
        ) from error
