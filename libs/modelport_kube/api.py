"""`Kube` on a real cluster."""

from collections.abc import AsyncIterator, Mapping

from kubernetes.aio.client import ApiClient
from modelport_crds.names import KIND, LABEL_MODEL

from modelport_kube.calls import (
    APPLY,
    JSON_PATCH,
    MERGE_PATCH,
    METADATA_ONLY,
    Call,
    Calls,
    collection_path,
    object_path,
)
from modelport_kube.kube import Conflict, KubeError, Object, Rejected, WatchEvent
from modelport_kube.watching import list_collection, watch_collection

# No object has it, so applying with it conflicts with whatever is there. Where nothing is, it does not count.
_OF_NO_OBJECT = "1"


class KubernetesApi:
    """Objects are applied server-side and forced: what the platform wants of its own objects holds."""

    def __init__(self, client: ApiClient) -> None:
        self._calls = Calls(client)

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        metadata = obj["metadata"]
        path = object_path(obj["kind"], metadata["namespace"], metadata["name"])
        query = {"fieldManager": field_manager, "force": "true"}
        try:
            applied = await self._calls.object(Call("PATCH", path, query, obj, APPLY))
        except Rejected as error:
            # Another object's uid is reported as a value that makes no sense.
            raise (
                Conflict(str(error)) if "uid" in metadata and "metadata.uid" in str(error) else error
            ) from error
        if applied is None:
            raise KubeError(f"{path} cannot be applied: its namespace or its kind is not there.")
        return applied

    async def create(self, obj: Object, *, field_manager: str) -> Object:
        """Not a POST: what that writes is not given up by a later apply that leaves it out."""
        metadata = {**obj["metadata"], "resourceVersion": _OF_NO_OBJECT}
        return await self.apply({**obj, "metadata": metadata}, field_manager=field_manager)

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object | None:
        """Apply a JSON merge patch: unlike `apply` it removes what others wrote. None: it is not there."""
        path, query = object_path(kind, namespace, name), {"fieldManager": field_manager}
        return await self._calls.object(Call("PATCH", path, query, patch, MERGE_PATCH))

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        await self._calls.object(Call("DELETE", object_path(kind, namespace, name), None, body))

    async def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return await self._calls.object(Call("GET", object_path(kind, namespace, name)))

    async def metadata(self, kind: str, namespace: str, name: str) -> Object | None:
        path = object_path(kind, namespace, name)
        found = await self._calls.object(Call("GET", path, accept=METADATA_ONLY))
        return None if found is None else dict(found["metadata"])

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        selector = {"labelSelector": ",".join(f"{key}={value}" for key, value in (labels or {}).items())}
        path = collection_path(kind, namespace)
        items, _ = await list_collection(self._calls, path, selector if labels else {})
        return items

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        path = f"{object_path(kind, namespace, name)}/status"
        # "add" replaces what is there: a merge would keep keys that the new status has no longer.
        patch = [{"op": "add", "path": "/status", "value": status}]
        return await self._calls.object(Call("PATCH", path, None, patch, JSON_PATCH))

    def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        # Of everything but models the cluster has plenty that is not ours.
        selector = {} if kind == KIND else {"labelSelector": LABEL_MODEL}
        return watch_collection(self._calls, collection_path(kind, namespace), selector)

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        """The log of the pod's main container; empty where there is none."""
        path = f"{object_path('Pod', namespace, name)}/log"
        try:
            raw = await self._calls.body(Call("GET", path, {"tailLines": tail_lines}))
        except Rejected:
            # No container of it has begun yet.
            raw = None
        return (raw or b"").decode(errors="replace")
