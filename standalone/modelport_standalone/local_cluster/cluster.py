"""LocalCluster: `modelport_kube.kube.Kube` on one machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from modelport_kube.kube import Object, WatchEvent

from modelport_standalone.environments.images import Images
from modelport_standalone.environments.store import DEFAULT_MAX_OWN_BYTES
from modelport_standalone.local_cluster import tasks
from modelport_standalone.local_cluster.deployments import DeploymentRunner
from modelport_standalone.local_cluster.objects import ObjectStore
from modelport_standalone.local_cluster.orphans import ChildRegister, clear_folder, renew_socket_base
from modelport_standalone.local_cluster.pods import Machine
from modelport_standalone.local_cluster.probes import Timings
from modelport_standalone.local_cluster.saved_models import SavedModels

_GRACE_AT_THE_END_SECONDS = 3.0


class LocalCluster:
    """Objects can be read and written at once; Deployments run inside `running()`.

    `data` is a folder that only this process uses; `artifacts` holds the platform's stored files.
    Raises `DamagedState` and `OSError`.
    """

    def __init__(
        self,
        data: Path,
        timings: Timings | None = None,
        *,
        artifacts: Path | None = None,
        max_own_bytes: int = DEFAULT_MAX_OWN_BYTES,
    ) -> None:
        """max_own_bytes: that the packages of a version's own requirements may have."""
        run = data / "run"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._saved = SavedModels(data / "cluster.db")
        self._store = ObjectStore(self._saved)
        self._logs = data / "logs"
        self._runners: dict[str, DeploymentRunner] = {}
        self._closing: set[asyncio.Task[None]] = set()
        register = ChildRegister(run / "children")
        register.kill_leftovers()
        clear_folder(run / "pods")
        self._sockets = renew_socket_base(run / "sockets")
        images = Images(artifacts=artifacts, max_own_bytes=max_own_bytes)
        # A folder that cannot be read has what needs it fail with its reason.
        with suppress(OSError):
            images.environments.remove_partial()
        self._machine = Machine(run / "pods", self._sockets, register, timings or Timings(), images)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what Deployments request; on exit every process is stopped."""
        controller = tasks.start(self._control(), "deployment controller")
        try:
            yield
        finally:
            controller.cancel()
            await asyncio.wait([controller])
            for runner in self._runners.values():
                self._close(runner, _GRACE_AT_THE_END_SECONDS, forget=False)
            if self._closing:
                await asyncio.wait(self._closing)
            self._sockets.rmdir()
            self._saved.close()

    @property
    def sockets(self) -> Path:
        """A folder of our own whose path is short, for sockets of the platform too; to be left empty."""
        return self._sockets

    @property
    def register(self) -> ChildRegister:
        return self._machine.register

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        """All fields belong to their last writer: one machine has no rival managers."""
        return await self._store.apply(obj)

    async def create(self, obj: Object, *, field_manager: str) -> Object:
        return await self._store.create(obj)

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object | None:
        """Nothing: `apply` takes a spec as a whole here, so what others wrote is gone already."""
        return self._store.get(kind, namespace, name)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        await self._store.delete(kind, namespace, name, uid=uid)

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._store.get(kind, namespace, name)

    async def metadata(self, kind: str, namespace: str, name: str) -> Object | None:
        return (self._store.get(kind, namespace, name) or {}).get("metadata")

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        return self._store.list(kind, namespace, labels)

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        return await self._store.patch_status(kind, namespace, name, status)

    def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        return self._store.watch(kind, namespace)

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        """What the pod printed, its earlier runs included; empty if there is no such pod."""
        for runner in self._runners.values():
            if runner.deployment["metadata"]["namespace"] == namespace and runner.has_pod(name):
                return await asyncio.to_thread(runner.read_log, name, tail_lines)
        return ""

    async def _control(self) -> None:
        async for event in self._store.watch("Deployment", None):
            if event.type != "SYNCED":
                self._follow(event)

    def _follow(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        runner = self._runners.get(meta["uid"])
        if event.type == "DELETED":
            if runner is not None:
                del self._runners[meta["uid"]]
                self._close(runner, self._machine.timings.longest_grace, forget=True)
        elif runner is not None:
            runner.update(event.object)
        else:
            logs = self._logs / meta["namespace"] / meta["name"]
            self._runners[meta["uid"]] = DeploymentRunner(event.object, self._store, self._machine, logs)

    def _close(self, runner: DeploymentRunner, longest_grace: float, *, forget: bool) -> None:
        task = tasks.start(runner.close(longest_grace, forget=forget), "stopping a deployment")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
