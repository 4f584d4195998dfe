"""Writes the objects that a decision asks for, and hears why the cluster takes one not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from modelport_crds.kube import Kube, KubeError, Object, Rejected
from modelport_crds.names import FIELD_MANAGER

from modelport_operator.core.observe import version_of
from modelport_operator.shell.metrics import WRITES

# As the Kubernetes client writes its errors: "PATCH /apis/…: 403 deployments.apps is forbidden: …".
_CALL = re.compile(r"^[A-Z]+ \S+: (?P<status>\d{3}) ")
_FORBIDDEN = "403"


@dataclass(frozen=True)
class Refusal:
    """An object of `version` was not taken as it is; `message` is the API server's own."""

    version: str
    message: str
    error: KubeError


async def apply_by_version(kube: Kube, objects: Iterable[Object]) -> list[Refusal]:
    """Apply what the cluster takes. Of a version that is refused an object nothing more is applied: its pods
    must not run without its NetworkPolicy. Raises `KubeError` if the cluster is not there."""
    refusals: dict[str, Refusal] = {}
    for obj in objects:
        version = version_of(obj)
        if version in refusals:
            continue
        try:
            await _apply(kube, obj)
        except KubeError as error:
            if not _is_refusal(error):
                raise
            refusals[version] = Refusal(version, _CALL.sub("", str(error)), error)
    return list(refusals.values())


async def apply_all(kube: Kube, objects: Iterable[Object]) -> None:
    for obj in objects:
        await _apply(kube, obj)


async def _apply(kube: Kube, obj: Object) -> None:
    await kube.apply(obj, field_manager=FIELD_MANAGER)
    WRITES.labels("apply").inc()


def _is_refusal(error: KubeError) -> bool:
    """Rights, quotas and admission rules are answered with 403, an object that makes no sense with 422."""
    call = _CALL.match(str(error))
    return isinstance(error, Rejected) or (call is not None and call["status"] == _FORBIDDEN)
