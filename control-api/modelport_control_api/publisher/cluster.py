"""All that the control API needs of a cluster."""

from typing import Protocol

from modelport_kube.kube import KubeObjects, Object


class Cluster(KubeObjects, Protocol):
    """The Kubernetes client and standalone's LocalCluster satisfy it. Any exception means: try later."""

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object | None:
        """Apply a JSON merge patch (RFC 7386), which can remove what others wrote. None: it is not there."""
        ...
