"""The store of objects: apply, delete with all that is owned, statuses apart from specs, watches."""

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from modelport_crds import names
from modelport_kube.kube import Conflict, Object, WatchEvent

from modelport_standalone.local_cluster import rules
from modelport_standalone.local_cluster.saved_models import SavedModels
from modelport_standalone.local_cluster.watching import Change, Watcher

Key = tuple[str, str, str]

# Made and unmade by the controllers of this cluster, when their processes have ended.
_CONTROLLERS_OWN = {"Pod", "EndpointSlice"}


class ObjectStore:
    """Every object of the cluster in memory; MLModels on disk too. What goes in and out is a copy."""

    def __init__(self, saved: SavedModels) -> None:
        self._saved = saved
        self._objects: dict[Key, Object] = {_key(obj): obj for obj in saved.load()}
        self._watchers: set[Watcher] = set()
        self._version = max(
            (int(obj["metadata"]["resourceVersion"]) for obj in self._objects.values()), default=0
        )
        self._writing = asyncio.Lock()

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._objects.get((kind, namespace, name)))

    def list(self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None) -> list[Object]:
        """Return the objects that have all `labels`; `namespace` None: all of them."""
        wanted = (labels or {}).items()
        return [
            copy.deepcopy(obj)
            for (found_kind, found_namespace, _), obj in self._objects.items()
            if found_kind == kind
            and namespace in (None, found_namespace)
            and wanted <= obj["metadata"].get("labels", {}).items()
        ]

    async def apply(self, obj: Object) -> Object:
        async with self._writing:
            self._check_uid(_key(obj), obj["metadata"].get("uid", ""))
            return await self._apply(obj)

    async def create(self, obj: Object) -> Object:
        async with self._writing:
            if _key(obj) in self._objects:
                raise Conflict(f"{obj['kind']} {obj['metadata']['name']} exists.")
            return await self._apply(obj)

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        """Replace the status and return the object; None: it is not there. An equal one writes nothing."""
        async with self._writing:
            before = self._objects.get((kind, namespace, name))
            if before is None:
                return None
            if before.get("status") != status:
                await self._write({**before, "status": copy.deepcopy(status)})
            return self.get(kind, namespace, name)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        """Delete the object and what it owns, but for what controllers remove. No error if it is not there.

        With a `uid` that very object: raises `Conflict` if another one has its name.
        """
        key = (kind, namespace, name)
        async with self._writing:
            if key in self._objects:
                self._check_uid(key, uid)
            await self._delete(key)

    def put(self, obj: Object) -> None:
        """Write an object that a controller of this cluster owns as a whole."""
        before = self._objects.get(_key(obj))
        wanted = (_begin(obj) if before is None else _merge(before, obj)) | _status_of(obj)
        if wanted != before:
            self._set(self._numbered(wanted))

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """The counterpart of `put`."""
        obj = self._objects.pop((kind, namespace, name), None)
        if obj is not None:
            self._notify("DELETED", obj)

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        """What is there (ADDED…, SYNCED), then every change, forever. `namespace` None: all of them."""
        watcher = Watcher(kind, namespace)
        there = [obj for obj in self._objects.values() if watcher.covers(obj)]
        self._watchers.add(watcher)
        try:
            async for event in watcher.events(there):
                yield event
        finally:
            self._watchers.discard(watcher)

    async def _apply(self, obj: Object) -> Object:
        before = self._objects.get(_key(obj))
        wanted = _begin(obj) if before is None else _merge(before, obj)
        if wanted == before:
            return copy.deepcopy(wanted)
        if obj["kind"] == names.KIND:
            rules.check(wanted, before)
        await self._write(wanted)
        return copy.deepcopy(self._objects[_key(obj)])

    def _check_uid(self, key: Key, uid: str) -> None:
        """`uid`: of the object that is meant, empty for whatever is there."""
        there = self._objects.get(key)
        if uid and (there is None or there["metadata"]["uid"] != uid):
            raise Conflict(f"{key[0]} {key[2]} is another one now.")

    async def _write(self, obj: Object) -> None:
        written = self._numbered(obj)
        if obj["kind"] == names.KIND:
            await asyncio.to_thread(self._saved.put, written)
        self._set(written)

    async def _delete(self, key: Key) -> None:
        obj = self._objects.get(key)
        if obj is None:
            return
        if obj["kind"] == names.KIND:
            await asyncio.to_thread(self._saved.remove, key[1], key[2])
        self.remove(*key)
        for owned in [other for other, each in self._objects.items() if _is_owned(each, obj)]:
            await self._delete(owned)

    def _set(self, obj: Object) -> None:
        change: Change = "MODIFIED" if _key(obj) in self._objects else "ADDED"
        self._objects[_key(obj)] = obj
        self._notify(change, obj)

    def _numbered(self, obj: Object) -> Object:
        self._version += 1
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}

    def _notify(self, change: Change, obj: Object) -> None:
        for watcher in self._watchers:
            if watcher.covers(obj):
                watcher.notify(change, obj)


def _key(obj: Object) -> Key:
    return obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]


def _begin(obj: Object) -> Object:
    made = {key: value for key, value in copy.deepcopy(obj).items() if key != "status"}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made["metadata"] = {
        **made["metadata"],
        "uid": str(uuid.uuid4()),
        "creationTimestamp": now,
        "generation": 1,
    }
    return made


def _merge(before: Object, obj: Object) -> Object:
    """`before` with what `obj` sets. Labels and annotations of others stay; a spec is taken as a whole."""
    given = {key: value for key, value in copy.deepcopy(obj).items() if key not in ("metadata", "status")}
    meta = {**before["metadata"], **_settable(obj["metadata"])}
    for field in ("labels", "annotations"):
        both = {**before["metadata"].get(field, {}), **obj["metadata"].get(field, {})}
        meta |= {field: both} if both else {}
    if given.get("spec") != before.get("spec"):
        meta["generation"] = before["metadata"]["generation"] + 1
    return {**before, **given, "metadata": meta}


def _settable(metadata: Object) -> Object:
    """What a writer may set; the rest of the metadata is the cluster's."""
    return {key: metadata[key] for key in ("ownerReferences", "deletionTimestamp") if key in metadata}


def _status_of(obj: Object) -> Object:
    return {"status": copy.deepcopy(obj["status"])} if "status" in obj else {}


def _is_owned(obj: Object, owner: Object) -> bool:
    if obj["kind"] in _CONTROLLERS_OWN:
        return False
    references = obj["metadata"].get("ownerReferences", [])
    return any(reference.get("uid") == owner["metadata"]["uid"] for reference in references)
