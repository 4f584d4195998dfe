"""All parts in one process, wired as in Kubernetes: only what stands behind the interfaces differs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import httpx
from modelport_operator.settings import ENVIRONMENT
from modelport_operator.settings import Settings as OperatorSettings
from modelport_operator.shell.controller import Controller
from modelport_operator.shell.rollout.evidence import Evidence, EvidenceClient, LateEvidence
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart

from modelport_standalone.data_dir import DataDir
from modelport_standalone.environments.images import ENVIRONMENT_IMAGES
from modelport_standalone.local_cluster.cluster import LocalCluster
from modelport_standalone.local_cluster.saved_models import DamagedState

if TYPE_CHECKING:
    from modelport_standalone.apps import Apps

_SOCKET = "unix:/modelport/run/http.sock"


@asynccontextmanager
async def running(
    data: DataDir, *, allow_unsandboxed: bool
) -> AsyncIterator[tuple["Apps", asyncio.Task[None]]]:
    """Return what serves requests, and the operator's task, which ends only if it breaks.

    Raises `CannotStart`.
    """
    async with AsyncExitStack() as stack:
        # The models first: their processes start while the apps' libraries are imported.
        with _explained(data):
            settings = _operator_settings(data, allow_unsandboxed)
            cluster = LocalCluster(
                data.cluster, artifacts=data.artifacts, max_own_bytes=settings.bundle_max_bytes
            )
        await stack.enter_async_context(cluster.running())
        evidence = LateEvidence()
        operator = await stack.enter_async_context(_operating(cluster, settings, evidence))
        with _explained(data):
            apps = await asyncio.to_thread(_build_apps, data, cluster)
        await stack.enter_async_context(apps.running())
        evidence.open(_evidence(apps))
        await stack.enter_async_context(_batch_worker(data, cluster, apps))
        yield apps, operator


@asynccontextmanager
async def _operating(
    cluster: LocalCluster, settings: OperatorSettings, evidence: Evidence
) -> AsyncIterator[asyncio.Task[None]]:
    controller = Controller(cluster, settings, evidence=evidence)
    task = asyncio.create_task(controller.run())
    try:
        yield task
    finally:
        controller.stop()
        await asyncio.wait([task])


def _evidence(apps: "Apps") -> Evidence:
    transport = httpx.ASGITransport(app=apps.control_plane.internal)
    return EvidenceClient(
        httpx.AsyncClient(transport=transport, base_url="http://control"), apps.internal_key
    )


def _operator_settings(data: DataDir, allow_unsandboxed: bool) -> OperatorSettings:
    return read_settings(
        OperatorSettings,
        artifact_base_url=data.artifact_url,
        runtime_listen=_SOCKET,
        environment_image=f"{ENVIRONMENT_IMAGES}{ENVIRONMENT}",
        allow_unsandboxed=allow_unsandboxed,
    )


def _batch_worker(data: DataDir, cluster: LocalCluster, apps: "Apps") -> AbstractAsyncContextManager[None]:
    # Here and not above: it imports what the apps did.
    from modelport_standalone.batch_worker.child import running

    return running(data, cluster, apps.control_plane.internal, apps.internal_key)


def _build_apps(data: DataDir, cluster: LocalCluster) -> "Apps":
    # Here and not above: the import alone takes a second.
    from modelport_standalone import apps

    return apps.build(data, cluster)


@contextmanager
def _explained(data: DataDir) -> Iterator[None]:
    """Turn what is wrong with the folder or the environment into `CannotStart`."""
    try:
        yield
    except DamagedState as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(f"The data folder {data.root} cannot be used: {error}.") from error
