"""A cluster in memory that fails when configured to, and whose operator is the test itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelport_kube.kube import Rejected

Object = dict[str, Any]


@dataclass(frozen=True)
class Event:
    type: str
    object: Object


@dataclass
class FakeCluster:
    """`fail_applies`: how many of the next applies or deletes raise. `pods`: name → (labels, output)."""

    objects: dict[str, Object] = field(default_factory=dict)
    fail_applies: int = 0
    applies: list[Object] = field(default_factory=list)
    pods: dict[str, tuple[Mapping[str, str], str]] = field(default_factory=dict)
    watchers: list[asyncio.Queue[Event]] = field(default_factory=list)
    refuses: str | None = None
    refuses_applies: bool = False
    left_to_others: Object = field(default_factory=dict)
    """Fields of a spec that an apply does not take away, as with server-side apply."""
    merges: list[Object] = field(default_factory=list)

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        assert field_manager == "modelport-control-api"
        self._maybe_fail()
        self._maybe_refuse(apply=True)
        obj = {**obj, "spec": {**obj["spec"], **self.left_to_others}}
        self.applies.append(obj)
        name = obj["metadata"]["name"]
        known = self.objects.get(name)
        self.objects[name] = {**obj, "status": known["status"] if known and "status" in known else {}}
        self._notify(Event("MODIFIED" if known else "ADDED", self.objects[name]))
        return obj

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object | None:
        assert field_manager == "modelport-control-api"
        if name not in self.objects:
            return None
        self._maybe_refuse()
        self.merges.append(patch)
        spec = {**self.objects[name]["spec"], **patch["spec"]}
        self.edit(name, {field: value for field, value in spec.items() if value is not None})
        return self.objects[name]

    def edit(self, name: str, spec: Object) -> None:
        """Play kubectl: write a spec behind the API's back."""
        self.objects[name] = {**self.objects[name], "spec": spec}
        self._notify(Event("MODIFIED", self.objects[name]))

    def put(self, obj: Object) -> None:
        """Play kubectl: apply an object that nobody made through the API."""
        self.objects[obj["metadata"]["name"]] = obj
        self._notify(Event("ADDED", obj))

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(name)

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        self._maybe_fail()
        gone = self.objects.pop(name, None)
        if gone is not None:
            self._notify(Event("DELETED", gone))

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        if kind == "Pod":
            found = [{"metadata": {"name": name, "labels": has}} for name, (has, _) in self.pods.items()]
        else:
            found = list(self.objects.values())
        wanted = (labels or {}).items()
        return [obj for obj in found if wanted <= obj["metadata"].get("labels", {}).items()]

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self.watchers.append(queue)
        for obj in list(self.objects.values()):
            yield Event("ADDED", obj)
        yield Event("SYNCED", {})
        while True:
            yield await queue.get()

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        return "\n".join(self.pods[name][1].splitlines()[-tail_lines:])

    def set_status(self, name: str, *, traffic: Mapping[str, int], **versions: Mapping[str, Any]) -> None:
        """Play the operator: say what is served and how each version is."""
        known = self.objects[name].get("status", {}).get("rollout")
        status = {
            "traffic": [{"version": version, "weight": weight} for version, weight in traffic.items()],
            "versions": [{"name": version, **facts} for version, facts in versions.items()],
            **({"rollout": known} if known else {}),
        }
        self.objects[name] = {**self.objects[name], "status": status}
        self._notify(Event("MODIFIED", self.objects[name]))

    def set_condition(self, name: str, **condition: str) -> None:
        """Play the operator: say what is wrong, or no longer, and since when."""
        known = self.objects[name]
        self.objects[name] = {**known, "status": {**known["status"], "conditions": [condition]}}
        self._notify(Event("MODIFIED", self.objects[name]))

    def set_rollout(self, name: str, **status: Any) -> None:
        """Play the operator: say where the rollout stands."""
        known = self.objects[name]
        self.objects[name] = {**known, "status": {**known.get("status", {}), "rollout": status}}
        self._notify(Event("MODIFIED", self.objects[name]))

    def _maybe_refuse(self, *, apply: bool = False) -> None:
        if self.refuses is not None:
            raise Rejected(self.refuses)
        if apply and self.refuses_applies:
            raise Rejected("with what others wrote it is not valid")

    def _maybe_fail(self) -> None:
        if self.fail_applies:
            self.fail_applies -= 1
            raise ConnectionError("the cluster is away")

    def _notify(self, event: Event) -> None:
        for queue in self.watchers:
            queue.put_nowait(event)


READY: Mapping[str, Any] = {"ready": True, "answered": True, "replicas": 1, "reason": "Serving"}
FAILED: Mapping[str, Any] = {"failed": True, "reason": "LoadFailed", "message": "ValueError: no."}
STARTING: Mapping[str, Any] = {"reason": "Progressing", "message": "loading"}
DOWN: Mapping[str, Any] = {"answered": True, "reason": "RuntimeCrashed", "message": "killed by signal 9."}
