"""The one interface to a cluster. Two implementations: the Kubernetes API, and standalone's LocalCluster.

Objects are the plain dictionaries of the Kubernetes API. `kind` is a key of `RESOURCES`.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Object = dict[str, Any]

# Kinds the platform touches: kind -> apiVersion.
RESOURCES: Mapping[str, str] = {
    "MLModel": "serving.modelport.dev/v1alpha1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Pod": "v1",
    "Event": "v1",
    "Secret": "v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}


class KubeError(Exception):
    """The cluster did not do it; try again later."""


class Conflict(KubeError):
    """The object changed meanwhile: read it again."""


class Rejected(KubeError):
    """The cluster refuses the object as it is (422): trying again will not help."""


@dataclass(frozen=True)
class WatchEvent:
    type: Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]
    """SYNCED (object: {}) ends the initial listing: everything that exists has been sent as ADDED."""
    object: Object


class KubeWatch(Protocol):
    """All that one needs who only follows."""

    def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        """What is there (ADDED…, SYNCED), then every change, forever. `namespace` None: all of them."""
        ...


class KubeObjects(KubeWatch, Protocol):
    """What the control API and the operator need alike."""

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        """Create the object or make its spec as given (server-side apply). Nothing is written if it is so.

        With a `metadata.uid` it is that very object or none: raises `Conflict` if another one has its name.
        """
        ...

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete it and what it owns. No error if it is not there."""
        ...

    async def get(self, kind: str, namespace: str, name: str) -> Object | None: ...

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]: ...

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        """What its main container printed: empty if that has never begun, as when the init container before
        it failed, and if there is no such pod."""
        ...


class Kube(KubeObjects, Protocol):
    async def create(self, obj: Object, *, field_manager: str) -> Object:
        """Apply an object whose name must be free. Raises `Conflict` and touches nothing if it is not."""
        ...

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        """Delete it and what it owns. No error if it is not there.

        With a `uid` that very object: raises `Conflict` if another one has its name.
        """
        ...

    async def metadata(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object's metadata alone: what a Secret holds is never requested."""
        ...

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        """Replace the status. None: the object is gone."""
        ...
