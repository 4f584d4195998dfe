"""What the gateway needs of a cluster: to be told what is there and what changes."""

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

Object = dict[str, Any]


class WatchEvent(Protocol):
    """SYNCED (object: {}) ends the initial listing: everything that exists has been sent as ADDED."""

    @property
    def type(self) -> Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]: ...

    @property
    def object(self) -> Object: ...


class ClusterWatch(Protocol):
    def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        """What is there (ADDED…, SYNCED), then every change, for ever. `namespace` None: all of them."""
        ...
