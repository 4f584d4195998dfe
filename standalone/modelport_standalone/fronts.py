"""The parts that answer requests: control API and gateway behind one ASGI app."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import modelport_control_api.app as control_api
import modelport_gateway.app as gateway
from modelport_control_api.app import ControlPlane
from modelport_control_api.db import migrate
from modelport_control_api.settings import Settings as ControlApiSettings
from modelport_control_api.signing_keys import lifecycle
from modelport_control_api.signing_keys.files import SigningKeysError
from modelport_edge.opening_store import open_store
from modelport_edge.settings import Settings as EdgeSettings
from modelport_edge.start import CannotStart as PartCannotStart
from modelport_edge.store import Store
from modelport_gateway.app import Gateway
from modelport_gateway.settings import Settings as GatewaySettings
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
    """`app` answers while `running()` is entered."""

    app: Front
    control_plane: ControlPlane
    _gateway: Gateway
    _store: Store
    _control: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with self._control, self.control_plane.running(), self._gateway.running():
                yield
        finally:
            await self._store.aclose()


def build(data: DataDir, cluster: LocalCluster) -> Fronts:
    """Bring keys and database up to this release, then wire. Blocking. Raises `CannotStart`."""
    with _explained(data):
        lifecycle.create_first(data.signing_keys)
        migrate.upgrade(data.database_url)
        store = open_store(EdgeSettings().redis_url)
        plane = control_api.build(_control_api_settings(data), store=store, cluster=cluster)
    # In process, but with the HTTP shape that the calls have in Kubernetes.
    control = httpx.AsyncClient(transport=httpx.ASGITransport(plane.internal), base_url="http://control-api")
    settings = GatewaySettings(drain_seconds=_GATEWAY_DRAIN_SECONDS)
    gate = gateway.build(settings, store=store, cluster=cluster, control=control)
    return Fronts(
        Front(gate.app, plane.public, partial(runtime_metrics.collect, cluster)), plane, gate, store, control
    )


def _control_api_settings(data: DataDir) -> ControlApiSettings:
    return ControlApiSettings(
        database_url=data.database_url,  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
        signing_keys_dir=data.signing_keys,
        artifacts_url=str(data.artifacts),
        # Nobody else writes to this cluster: what differs is damage.
        overwrite_outside_changes=True,
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
