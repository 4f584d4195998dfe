"""All that the control API asks of a cluster. Objects are the plain dictionaries of the Kubernetes API."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

Object = dict[str, Any]


class ClusterEvent(Protocol):
    """`type` is ADDED, MODIFIED, DELETED, or SYNCED (object: {}), which ends the initial listing."""

    @property
    def type(self) -> str: ...

    @property
    def object(self) -> Object: ...


class Cluster(Protocol):
    """The Kubernetes client and standalone's LocalCluster satisfy it. Any exception means: try later."""

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        """Create the object or make its spec as given. Writes nothing when it is so already."""
        ...

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object | None:
        """Apply a JSON merge patch (RFC 7386), which can remove what others wrote. None: it is not there."""
        ...

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete it and what it owns. No error if it is not there."""
        ...

    async def get(self, kind: str, namespace: str, name: str) -> Object | None: ...

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]: ...

    def watch(self, kind: str, namespace: str | None) -> AsyncIterator[ClusterEvent]:
        """What is there (ADDED…, SYNCED), then every change, for ever."""
        ...

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str: ...
