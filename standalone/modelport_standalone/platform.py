"""All parts in one process, wired as in Kubernetes: only what stands behind the interfaces differs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import modelport_control_api.app as control_api
import modelport_gateway.app as gateway
from modelport_control_api.app import ControlPlane
from modelport_control_api.db import migrate
from modelport_control_api.settings import Settings as ControlApiSettings
from modelport_control_api.signing_keys import lifecycle
from modelport_control_api.signing_keys.files import SigningKeysError
from modelport_edge.memory_store import MemoryStore
from modelport_edge.store import Store
from modelport_gateway.app import Gateway
from modelport_gateway.settings import Settings as GatewaySettings
from modelport_operator.settings import Settings as OperatorSettings
from modelport_operator.shell.controller import Controller
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from modelport_standalone.data_dir import DataDir
from modelport_standalone.errors import CannotStart
from modelport_standalone.front import Front
from modelport_standalone.local_cluster.cluster import LocalCluster
from modelport_standalone.local_cluster.saved_models import DamagedState

_SOCKET = "unix:/modelport/run/http.sock"
# The server has let requests in flight end already when the gateway's turn comes.
_GATEWAY_DRAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Platform:
    """`app` answers while `running()` is entered."""

    app: Front
    control_plane: ControlPlane
    _gateway: Gateway
    _controller: Controller
    _cluster: LocalCluster
    _store: Store
    _control: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Give the controller's task: should it end, nothing would be reconciled any more."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._store.aclose)
            await stack.enter_async_context(self._cluster.running())
            await stack.enter_async_context(self._control)
            controller = asyncio.create_task(self._controller.run())
            stack.push_async_callback(self._stop_controller, controller)
            await stack.enter_async_context(self.control_plane.running())
            await stack.enter_async_context(self._gateway.running())
            yield controller

    async def _stop_controller(self, task: asyncio.Task[None]) -> None:
        self._controller.stop()
        await asyncio.wait([task])


def build(data: DataDir, *, allow_unsandboxed: bool) -> Platform:
    """Bring the folder up to this release, then wire. Inside a running event loop. Raises `CannotStart`."""
    with _explained(data):
        lifecycle.create_first(data.signing_keys)
        migrate.upgrade(data.database_url)
        store = MemoryStore()
        cluster = LocalCluster(data.cluster)
        plane = control_api.build(_control_api_settings(data), store=store, cluster=cluster)
        # In process, but with the HTTP shape that the calls have in Kubernetes.
        control = httpx.AsyncClient(
            transport=httpx.ASGITransport(plane.internal), base_url="http://control-api"
        )
        gateway_settings = GatewaySettings(drain_seconds=_GATEWAY_DRAIN_SECONDS)
        gate = gateway.build(gateway_settings, store=store, cluster=cluster, control=control)
        operator_settings = OperatorSettings(
            artifact_base_url=data.artifact_url, runtime_listen=_SOCKET, allow_unsandboxed=allow_unsandboxed
        )
        controller = Controller(cluster, operator_settings)
    return Platform(Front(gate.app, plane.public), plane, gate, controller, cluster, store, control)


def _control_api_settings(data: DataDir) -> ControlApiSettings:
    return ControlApiSettings(
        database_url=data.database_url,  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
        signing_keys_dir=data.signing_keys,
        artifacts_url=str(data.artifacts),
    )


@contextmanager
def _explained(data: DataDir) -> Iterator[None]:
    try:
        yield
    except (SigningKeysError, DamagedState) as error:
        raise CannotStart(str(error)) from error
    except SQLAlchemyError as error:
        raise CannotStart(
            f"The database {data.database} cannot be used ({getattr(error, 'orig', error)}): restore it from "
            "a backup, or start afresh with another --data-dir."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CannotStart(f"The setting {first['loc'][0]} is wrong: {first['msg']}.") from error
    except OSError as error:
        raise CannotStart(f"The data folder {data.root} cannot be used: {error}.") from error
