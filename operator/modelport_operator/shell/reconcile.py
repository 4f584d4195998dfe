"""One pass over one model: read, probe, decide, write. Every decision is the core's."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

import structlog
from modelport_crds.mlmodel import MLModel, MLModelStatus, from_object, status_to_object
from modelport_crds.names import KIND, LABEL_MODEL
from modelport_kube.kube import RESOURCES, Kube, Object

from modelport_operator.core.bundles import with_bundles
from modelport_operator.core.decide import Decision, ObjectRef, decide
from modelport_operator.core.desired import CHILD_KINDS
from modelport_operator.core.naming import children_selector
from modelport_operator.core.observed.observe import Observed, observe
from modelport_operator.core.probes import probe_requests, status_probes
from modelport_operator.settings import Settings
from modelport_operator.shell.applying import apply_all, apply_by_version
from modelport_operator.shell.bundles import Bundles, find_bundles
from modelport_operator.shell.clock import Clock
from modelport_operator.shell.credentials import without_credentials
from modelport_operator.shell.metrics import WRITES
from modelport_operator.shell.model_states import MODEL_STATES
from modelport_operator.shell.probing import check_all, probe_all, read_logs
from modelport_operator.shell.rollout.evidence import Evidence, find_facts
from modelport_operator.shell.runtimes import Runtimes


async def patch_status(kube: Kube, model: MLModel, status: MLModelStatus) -> None:
    """Write only what differs: every write wakes all who watch, this operator too."""
    if status == model.status:
        return
    metadata = model.metadata
    await kube.patch_status(KIND, metadata.namespace, metadata.name, status_to_object(status))
    WRITES.labels("status").inc()


# Gets the model as it was found and the status that is now written.
Record = Callable[[MLModel, MLModelStatus], Awaitable[None]]


async def record_nothing(_model: MLModel, _status: MLModelStatus) -> None:
    """For clusters that keep no Events."""


_log = structlog.get_logger()


@dataclass(frozen=True, order=True)
class Key:
    """Which MLModel."""

    namespace: str
    name: str


async def reconcile(
    kube: Kube,
    runtimes: Runtimes,
    key: Key,
    settings: Settings,
    clock: Clock,
    *,
    record: Record = record_nothing,
    check_engines: bool = False,
    bundles: Bundles | None = None,
    evidence: Evidence | None = None,
) -> float | None:
    """Bring the cluster one step nearer to what the model asks for.

    bundles: of models' own packages; None: this platform makes none.
    evidence: what rollouts are decided by; without it they wait.
    check_engines: also probe the runtimes that serve already which engine predicts in them.
    Gives the seconds after which to look again, None to wait for the next event. Raises `KubeError` if the
    cluster did not do something: run it again. Killed between any two writes, the next pass goes on there.
    """
    found = await kube.get(KIND, key.namespace, key.name)
    if found is None:
        MODEL_STATES.forget(key)
        return None  # Its children go with it: it owns them.
    as_found = from_object(found)
    observed = await _observe(kube, as_found, settings)
    packed = await find_bundles(kube, bundles, as_found, observed, settings)
    model = with_bundles(as_found, packed.made)
    results = await probe_all(runtimes, probe_requests(model, observed, settings))
    checked = await check_all(runtimes, status_probes(model, observed, settings)) if check_engines else {}
    observed = replace(observed, probe_results=results, status_probes=checked)
    observed = observed.withholding(await without_credentials(kube, model, settings))
    observed = replace(observed.withholding(packed.problems), preparing=packed.preparing)
    facts = await find_facts(evidence, runtimes, model, observed, settings)
    decision = decide(model, observed, clock.now(), settings, facts)
    refusals = await apply_by_version(kube, decision.apply)
    if refusals:
        reported = observed.refused({refusal.version: refusal.problem for refusal in refusals})
        decision = decide(model, reported, clock.now(), settings, facts)
    if decision.logs:
        decision = decision.keeping(await read_logs(kube, key.namespace, decision.logs))
    await _carry_out(kube, as_found, decision)
    await record(as_found, decision.status)
    MODEL_STATES.record(key, decision.status)
    _log_changes(as_found, decision)
    if errors := [refusal.error for refusal in refusals if refusal.error]:
        raise errors[0]
    return decision.requeue_after


async def _observe(kube: Kube, model: MLModel, settings: Settings) -> Observed:
    namespace, name = model.metadata.namespace, model.metadata.name
    by_model = {LABEL_MODEL: name}
    *children, pods, slices = await asyncio.gather(
        *(_list(kube, kind, namespace, children_selector(name)) for kind in CHILD_KINDS),
        _list(kube, "Pod", namespace, by_model),
        _list(kube, "EndpointSlice", namespace, by_model),
    )
    return observe(model, [obj for group in children for obj in group], pods, slices, settings)


async def _list(kube: Kube, kind: str, namespace: str, labels: dict[str, str]) -> list[Object]:
    # The Kubernetes API leaves both out of a list's items, and what is wanted has them.
    whole = {"apiVersion": RESOURCES[kind], "kind": kind}
    return [{**obj, **whole} for obj in await kube.list(kind, namespace, labels)]


async def _carry_out(kube: Kube, model: MLModel, decision: Decision) -> None:
    await patch_status(kube, model, decision.status)
    await apply_all(kube, decision.stop)
    await _delete(kube, decision.delete)


async def _delete(kube: Kube, refs: Iterable[ObjectRef]) -> None:
    for ref in refs:
        await kube.delete(ref.kind, ref.namespace, ref.name, uid=ref.uid)
        WRITES.labels("delete").inc()


def _log_changes(model: MLModel, decision: Decision) -> None:
    log = _log.bind(model=model.public_id)
    for version in decision.status.versions:
        before = model.status.version(version.name)
        if before is None or before.reason != version.reason:
            log.info("version_changed", version=version.name, reason=version.reason, message=version.message)
    rollout, was = decision.status.rollout, model.status.rollout
    if rollout is not None and (was is None or was.stage != rollout.stage):
        log.info("rollout_moved", state=rollout.state, step=rollout.step, verdict=rollout.verdict)
    if decision.status.traffic != model.status.traffic:
        log.info("traffic_moved", traffic={each.version: each.weight for each in decision.status.traffic})
