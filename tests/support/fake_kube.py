"""A Kubernetes API in memory: generations, owners, watches. It runs no pod, and fails when configured to."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Any

from modelport_kube.kube import Conflict, KubeError, Object, WatchEvent

Ref = tuple[str, str, str]


class FakeKube:
    """`writes` lists what really changed. `fail_at` n: n more writes are done, every later one raises.
    `logs`: by pod, what it printed, or what reading that raises; `read_logs`: whose log was read."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.calls: list[str] = []
        self.fail_at: int | None = None
        self.logs: dict[str, str | Exception] = {}
        self.read_logs: list[str] = []
        self._objects: dict[Ref, Object] = {}
        self._watchers: list[tuple[str, str | None, asyncio.Queue[WatchEvent]]] = []
        self._numbers = count(1)

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        assert field_manager
        ref = _ref(obj)
        before = self._objects.get(ref)
        self._check_uid(ref, obj["metadata"].get("uid", ""))
        after = _merged(before or {}, copy.deepcopy(obj))
        self.calls.append(f"apply {ref[0]} {ref[2]}")
        if before == after:
            return before
        self._about_to_write()
        metadata = after["metadata"]
        metadata.setdefault("uid", f"uid-{next(self._numbers)}")
        changed = before is None or before.get("spec") != after.get("spec")
        metadata["generation"] = metadata.get("generation", 0) + (1 if changed else 0)
        return self._store(ref, after, f"apply {ref[0]} {ref[2]}")

    async def create(self, obj: Object, *, field_manager: str) -> Object:
        if _ref(obj) in self._objects:
            raise Conflict(f"{_ref(obj)} exists")
        return await self.apply(obj, field_manager=field_manager)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        self.calls.append(f"delete {kind} {name}")
        if (kind, namespace, name) in self._objects:
            self._check_uid((kind, namespace, name), uid)
            self._about_to_write()
            self._remove((kind, namespace, name))

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._objects.get((kind, namespace, name)))

    async def metadata(self, kind: str, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._objects.get((kind, namespace, name), {}).get("metadata"))

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        wanted = (labels or {}).items()
        return [
            # As the API server lists: both are the list's, not the items'.
            {key: value for key, value in copy.deepcopy(obj).items() if key not in ("apiVersion", "kind")}
            for ref, obj in self._objects.items()
            if ref[0] == kind
            and namespace in (None, ref[1])
            and wanted <= (obj["metadata"].get("labels") or {}).items()
        ]

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        ref = (kind, namespace, name)
        self.calls.append(f"status {kind} {name}")
        if ref not in self._objects:
            return None
        self._about_to_write()
        return self._store(ref, {**self._objects[ref], "status": status}, f"status {kind} {name}")

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        for ref, obj in list(self._objects.items()):
            if ref[0] == kind and namespace in (None, ref[1]):
                queue.put_nowait(WatchEvent("ADDED", copy.deepcopy(obj)))
        queue.put_nowait(WatchEvent("SYNCED", {}))
        self._watchers.append((kind, namespace, queue))
        while True:
            yield await queue.get()

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        self.read_logs.append(name)
        said = self.logs.get(name, "")
        if isinstance(said, Exception):
            raise said
        return "\n".join(said.splitlines()[-tail_lines:])

    def put(self, obj: Object) -> None:
        """What another part of the cluster writes: a pod's status, say."""
        ref = _ref(obj)
        verb = "MODIFIED" if ref in self._objects else "ADDED"
        self._objects[ref] = self._numbered(copy.deepcopy(obj))
        self._notify(verb, ref[0], self._objects[ref])

    def remove(self, kind: str, name: str, namespace: str = "modelport-models") -> None:
        self._remove((kind, namespace, name))

    def names(self, kind: str) -> tuple[str, ...]:
        return tuple(sorted(ref[2] for ref in self._objects if ref[0] == kind))

    def status(self, name: str = "iris", namespace: str = "modelport-models") -> Object:
        found: Object = self._objects["MLModel", namespace, name].get("status", {})
        return copy.deepcopy(found)

    def state(self) -> dict[Ref, Any]:
        """All that was decided, without the cluster's own numbering."""
        return {
            ref: [obj["metadata"].get("labels"), obj.get("spec"), obj.get("status")]
            for ref, obj in sorted(self._objects.items())
        }

    def _check_uid(self, ref: Ref, uid: str) -> None:
        there = self._objects.get(ref, {}).get("metadata", {}).get("uid")
        if uid and there != uid:
            raise Conflict(f"{ref} is another one now")

    def _about_to_write(self) -> None:
        if self.fail_at is None:
            return
        self.fail_at -= 1
        if self.fail_at < 0:
            raise KubeError("the cluster is away")

    def _store(self, ref: Ref, obj: Object, write: str) -> Object:
        verb = "MODIFIED" if ref in self._objects else "ADDED"
        self._objects[ref] = self._numbered(obj)
        self.writes.append(write)
        self._notify(verb, ref[0], self._objects[ref])
        return copy.deepcopy(self._objects[ref])

    def _remove(self, ref: Ref) -> None:
        obj = self._objects.pop(ref)
        self.writes.append(f"delete {ref[0]} {ref[2]}")
        self._notify("DELETED", ref[0], obj)
        uid = obj["metadata"].get("uid")
        for child, candidate in list(self._objects.items()):
            owners = candidate["metadata"].get("ownerReferences", ())
            if child in self._objects and any(owner.get("uid") == uid for owner in owners):
                self._remove(child)

    def _numbered(self, obj: Object) -> Object:
        obj["metadata"]["resourceVersion"] = str(next(self._numbers))
        return obj

    def _notify(self, verb: Any, kind: str, obj: Object) -> None:
        for watched, namespace, queue in self._watchers:
            if watched == kind and namespace in (None, obj["metadata"]["namespace"]):
                queue.put_nowait(WatchEvent(verb, copy.deepcopy(obj)))


def _ref(obj: Object) -> Ref:
    return obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]


def _merged(before: Object, after: Object) -> Object:
    """What is given as given; what others wrote beside it (status, uid, defaults) stays."""
    metadata = {**before.get("metadata", {}), **after["metadata"]}
    return {**before, **after, "metadata": metadata}
