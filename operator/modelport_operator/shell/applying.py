"""Writes the objects that a decision asks for, and collects why the cluster refuses one."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from modelport_crds.names import FIELD_MANAGER
from modelport_kube.kube import Conflict, Kube, KubeError, Object, Rejected

from modelport_operator.core.naming import explain_taken, has_same_owner, with_uid
from modelport_operator.core.observed.observe import any_version_of, version_of
from modelport_operator.core.observed.pod_reasons import read_refusal_text
from modelport_operator.core.problems import Problem
from modelport_operator.shell.metrics import WRITES

# As the Kubernetes client writes its errors: "PATCH /apis/…: 403 deployments.apps is forbidden: …".
_CALL = re.compile(r"^[A-Z]+ \S+: (?P<status>\d{3}) ")
_FORBIDDEN = "403"


@dataclass(frozen=True)
class Refusal:
    """An object of `version` was not written. `error`: worth trying again as soon as can be."""

    version: str
    problem: Problem
    error: KubeError | None = None


class _NameTaken(Exception):
    """Somebody else's object has the name."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


async def apply_by_version(kube: Kube, objects: Iterable[Object]) -> list[Refusal]:
    """Apply what the cluster takes. Of a version that is refused an object nothing more is applied: its pods
    must not run without its NetworkPolicy. Raises `KubeError` if the cluster is not there."""
    refusals: dict[str, Refusal] = {}
    for obj in objects:
        version = version_of(obj)
        if version in refusals:
            continue
        if refusal := await _try_to_apply(kube, obj):
            refusals[version] = refusal
    return list(refusals.values())


async def apply_all(kube: Kube, objects: Iterable[Object]) -> None:
    """What somebody else's object is in the way of is left out: it was reported when it was first wanted."""
    for obj in objects:
        with suppress(_NameTaken):
            await _apply(kube, obj)


async def _try_to_apply(kube: Kube, obj: Object) -> Refusal | None:
    try:
        await _apply(kube, obj)
    except _NameTaken as taken:
        return Refusal(any_version_of(obj), taken.problem)
    except KubeError as error:
        if not is_refusal(error):
            raise
        return Refusal(version_of(obj), read_refusal_text(_CALL.sub("", str(error))), error)
    return None


async def _apply(kube: Kube, obj: Object) -> None:
    """Make it, or put right what is ours; what is not ours is not touched, whenever it came."""
    if "uid" in obj["metadata"]:
        await kube.apply(obj, field_manager=FIELD_MANAGER)
    else:
        await _create(kube, obj)
    WRITES.labels("apply").inc()


async def _create(kube: Kube, obj: Object) -> None:
    try:
        await kube.create(obj, field_manager=FIELD_MANAGER)
    except Conflict:
        metadata = obj["metadata"]
        live = await kube.get(obj["kind"], metadata["namespace"], metadata["name"])
        if live is None:
            raise
        if not has_same_owner(obj, live):
            raise _NameTaken(explain_taken(obj, live)) from None
        # Ours without its labels, by which it would have been found.
        await kube.apply(with_uid(obj, live), field_manager=FIELD_MANAGER)


def is_refusal(error: KubeError) -> bool:
    """Rights, quotas and admission rules give 403, an object that makes no sense with 422."""
    call = _CALL.match(str(error))
    return isinstance(error, Rejected) or (call is not None and call["status"] == _FORBIDDEN)
