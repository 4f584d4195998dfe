"""The Kubernetes API with an `apply` that also takes out what others wrote into an object's spec."""

from modelport_kube.api import KubernetesApi
from modelport_kube.calls import Call, object_path
from modelport_kube.kube import KubeError, Object

from modelport_operator.core.sync import is_edited, replacement


class RepairingApi(KubernetesApi):
    """Server-side apply keeps what other writers added; replacing the object does not."""

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        live = await super().apply(obj, field_manager=field_manager)
        if not is_edited(live):
            return live
        return await self._replace(replacement(obj, live), field_manager)

    async def _replace(self, obj: Object, field_manager: str) -> Object:
        metadata = obj["metadata"]
        path = object_path(obj["kind"], metadata["namespace"], metadata["name"])
        # It holds the resourceVersion: what was written meanwhile is a conflict, and the pass is run again.
        answer = await self._calls.object(Call("PUT", path, {"fieldManager": field_manager}, obj))
        if answer is None:
            raise KubeError(f"{path} is gone.")
        return answer
