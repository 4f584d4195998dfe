"""Keeps as many pods of a Deployment's current template as it requests, and reports them to the cluster."""

import asyncio
import hashlib
import json
import secrets
from pathlib import Path

from modelport_kube.kube import RESOURCES, Object

from modelport_standalone.local_cluster import tasks
from modelport_standalone.local_cluster.objects import ObjectStore
from modelport_standalone.local_cluster.pods import Machine, Pod
from modelport_standalone.local_cluster.version_log import VersionLog


class DeploymentRunner:
    """A changed template starts its pods beside the old ones, which go when those are ready."""

    def __init__(self, deployment: Object, store: ObjectStore, machine: Machine, logs: Path) -> None:
        self.deployment = deployment
        self.logs = logs
        self._store = store
        self._machine = machine
        self._pods: dict[str, Pod] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._wake()
        self._task = tasks.start(self._run(), f"deployment {self._name}")

    def update(self, deployment: Object) -> None:
        self.deployment = deployment
        self._wake()

    async def close(self, longest_grace: float, *, forget: bool) -> None:
        """Stop every pod. `forget`: the Deployment is deleted, so its output goes too."""
        self._task.cancel()
        await asyncio.wait([self._task])
        # First of all, so that no request goes to a pod that is stopping.
        self._store.remove("EndpointSlice", self._namespace, self._slice_name)
        for pod in self._pods.values():
            self._stop(pod, longest_grace)
        if self._stopping:
            await asyncio.wait(self._stopping)
        self._store.remove("Pod", self._namespace, self._ended_name)
        if forget:
            await asyncio.to_thread(self._forget_logs)

    def read_log(self, pod: str, lines: int) -> str:
        """Blocking. The output of a pod that runs, else of the last one that did."""
        if pod in self._pods:
            return self._pods[pod].output.tail(lines)
        newest = max(self._log_files(), key=lambda path: path.stat().st_mtime, default=None)
        return VersionLog(newest).tail(lines) if newest else ""

    def has_pod(self, name: str) -> bool:
        return name in self._pods or name == self._ended_name

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            self._reconcile()
            self._publish()

    def _reconcile(self) -> None:
        spec = self.deployment["spec"]
        wanted, template = spec.get("replicas", 1), spec["template"]
        staying = [pod for pod in self._pods.values() if not pod.terminating]
        current = [pod for pod in staying if _same(pod.template, template)]
        for _ in range(wanted - len(current)):
            self._start(template)
        # Those that serve are kept before those that do not.
        surplus = sorted(current, key=lambda pod: not pod.ready)[wanted:]
        old = [pod for pod in staying if pod not in current]
        enough = sum(pod.ready for pod in current) >= wanted
        for pod in [*surplus, *(old if enough else [])]:
            self._stop(pod, self._machine.timings.longest_grace)

    def _start(self, template: Object) -> None:
        name = f"{self._name}-{_digest(template)[:8]}-{secrets.token_hex(3)}"
        used = {pod.output.path for pod in self._pods.values()}
        slots = (self.logs / f"{slot}.log" for slot in range(len(used) + 1))
        output = VersionLog(next(path for path in slots if path not in used))
        self._pods[name] = Pod(name, template, self._machine, output, self._wake)

    def _stop(self, pod: Pod, longest_grace: float) -> None:
        task = tasks.start(self._stop_and_forget(pod, longest_grace), f"stopping {pod.name}")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop_and_forget(self, pod: Pod, longest_grace: float) -> None:
        if not pod.terminating:
            await pod.stop(longest_grace)
            self._pods.pop(pod.name, None)
            self._store.remove("Pod", self._namespace, pod.name)
            self._wake()

    def _wake(self) -> None:
        self._woken.set()

    def _publish(self) -> None:
        """The slice first: who routes by it must know before who reads of pods."""
        self._store.put(self._to_slice())
        for pod in self._pods.values():
            self._store.put(self._to_object(pod))
        # Of a version that was scaled to nothing a finished pod is left, by which its output can be read.
        if self._pods:
            self._store.remove("Pod", self._namespace, self._ended_name)
        elif self._log_files():
            self._store.put({**self._object("Pod", self._ended_name), "status": {"phase": "Succeeded"}})

    def _to_object(self, pod: Pod) -> Object:
        made = self._object("Pod", pod.name)
        if pod.deleted_at is not None:
            made["metadata"]["deletionTimestamp"] = pod.deleted_at
        annotations = pod.template.get("metadata", {}).get("annotations", {})
        made["metadata"]["annotations"] = annotations
        return {**made, "spec": pod.template["spec"], "status": pod.state.to_status()}

    def _to_slice(self) -> Object:
        endpoints = [
            {
                "addresses": [pod.state.address],
                "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": pod.terminating},
                "targetRef": {"kind": "Pod", "name": pod.name, "namespace": self._namespace},
            }
            for pod in self._pods.values()
            if pod.state.address
        ]
        made = self._object("EndpointSlice", self._slice_name)
        # Of a unix socket the port means nothing; readers expect one.
        return {**made, "addressType": "FQDN", "endpoints": endpoints, "ports": [{"name": "http", "port": 0}]}

    def _object(self, kind: str, name: str) -> Object:
        labels = self.deployment["spec"]["template"].get("metadata", {}).get("labels", {})
        owner = {"kind": "Deployment", "name": self._name, "uid": self.deployment["metadata"]["uid"]}
        metadata = {"name": name, "namespace": self._namespace, "labels": labels, "ownerReferences": [owner]}
        return {"apiVersion": RESOURCES[kind], "kind": kind, "metadata": metadata}

    def _log_files(self) -> list[Path]:
        return list(self.logs.glob("*.log"))

    def _forget_logs(self) -> None:
        for path in self._log_files():
            VersionLog(path).remove()
        if self.logs.is_dir():
            self.logs.rmdir()

    @property
    def _name(self) -> str:
        return str(self.deployment["metadata"]["name"])

    @property
    def _namespace(self) -> str:
        return str(self.deployment["metadata"]["namespace"])

    @property
    def _slice_name(self) -> str:
        # By uid: a Deployment made again under the same name must not share what the old one still holds.
        return f"{self._name}-{self.deployment['metadata']['uid'][:8]}"

    @property
    def _ended_name(self) -> str:
        return f"{self._name}-ended"


def _same(template: Object, other: Object) -> bool:
    return template is other or _digest(template) == _digest(other)


def _digest(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
