"""From what is wanted and what is there to what to write."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modelport_crds.mlmodel import MLModel, MLModelStatus
from modelport_kube.kube import Object
from msgspec.structs import replace

from modelport_operator.core.compatibility import held_back
from modelport_operator.core.conditions import decide_conditions, deleting_conditions
from modelport_operator.core.desired import desired_objects
from modelport_operator.core.naming import pods_selector, public_id_of, with_uid
from modelport_operator.core.observed.last_log import logs_to_read, with_logs
from modelport_operator.core.observed.observe import Observed, any_version_of, version_of
from modelport_operator.core.observed.probe_results import ProbeResult
from modelport_operator.core.rollout.advance import decide_rollout
from modelport_operator.core.rollout.facts import RolloutFacts
from modelport_operator.core.rollout.traffic import wanted_traffic
from modelport_operator.core.sync import has_same_rules, is_as_wanted, is_edited
from modelport_operator.core.versions import decide_traffic, decide_versions
from modelport_operator.settings import Settings

# A runtime that is there but did not respond is probed again; no event would report that it can now.
_PROBE_AGAIN_SECONDS = 1.0
# A version that has served but cannot be loaded now, on a busy machine say, is loaded again so often.
_LOAD_AGAIN_SECONDS = 60.0
# What gateways counted of a rollout comes a second later at the earliest.
_ROLLOUT_SECONDS = 2.0
# Whether somebody else's object, which is in the way, has gone is looked at so often.
_LOOK_AGAIN_SECONDS = 5.0


@dataclass(frozen=True)
class ObjectRef:
    kind: str
    namespace: str
    name: str
    uid: str = field(default="", compare=False)


@dataclass(frozen=True)
class Decision:
    """To be written in this order: `apply`, `status`, `stop`, `delete`. What has a `metadata.uid` is there
    already, the rest must not be.

    `stop` scales to nothing what has failed, and what is to be loaded again until its pods are gone. It comes
    after the status, which remembers the failure: the pods that showed it are gone then. `logs` names, by
    version, the pods whose logs that status is to keep (`keeping`).
    """

    status: MLModelStatus
    apply: tuple[Object, ...] = ()
    logs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stop: tuple[Object, ...] = ()
    delete: tuple[ObjectRef, ...] = ()
    requeue_after: float | None = None

    def keeping(self, logs: Mapping[str, Sequence[str]]) -> "Decision":
        """With what the pods of `self.logs` printed, as far as they could be read."""
        return dataclasses.replace(self, status=with_logs(self.status, logs), logs={})


_NO_FACTS = RolloutFacts()


def decide(
    model: MLModel,
    observed: Observed,
    now: datetime,
    settings: Settings,
    facts: RolloutFacts = _NO_FACTS,
) -> Decision:
    """Return what to write now, and when to look again. Pure. `facts`: of the rollout, if one goes on."""
    if model.metadata.deletion_timestamp is not None:
        return Decision(status=_deleting_status(model, now))
    status = _decide_status(model, observed, now, settings, facts)
    failed = {version.name for version in status.versions if version.failed}
    stopped = failed | _to_load_again(status, observed, now)
    wanted = desired_objects(model, settings, stopped=stopped)
    changed = [_aimed(obj, observed) for obj in wanted if not _is_there(obj, observed)]
    held = {*stopped, *observed.withheld, *observed.preparing}
    # What was never made, its packages being refused, has nothing to stop.
    stop = tuple(obj for obj in changed if version_of(obj) in stopped and "uid" in obj["metadata"])
    return Decision(
        status=status,
        apply=tuple(obj for obj in changed if any_version_of(obj) not in held),
        logs=logs_to_read(status, observed, {version_of(obj) for obj in stop}),
        stop=stop,
        delete=_leftovers(model, status, observed, wanted),
        requeue_after=_requeue_after(model, status, observed),
    )


def _decide_status(
    model: MLModel, observed: Observed, now: datetime, settings: Settings, facts: RolloutFacts
) -> MLModelStatus:
    versions = decide_versions(model, observed, settings)
    by_name = {version.name: version for version in versions}
    rollout = decide_rollout(model, by_name, facts, now)
    model = replace(model, spec=replace(model.spec, traffic=wanted_traffic(model, rollout)))
    stay_out = held_back(model, by_name)
    traffic = decide_traffic(model.spec.traffic, by_name, model.status.traffic, stay_out)
    return MLModelStatus(
        observed_generation=model.metadata.generation,
        url=f"/predict/{public_id_of(model, settings)}",
        conditions=decide_conditions(model, by_name, traffic, now),
        traffic=traffic,
        versions=versions,
        replicas=sum(version.replicas for version in versions),
        selector=pods_selector(model.metadata.name),
        rollout=rollout,
    )


def _deleting_status(model: MLModel, now: datetime) -> MLModelStatus:
    return replace(model.status, conditions=deleting_conditions(model, now), traffic=())


def _is_there(wanted: Object, observed: Observed) -> bool:
    live = _live(wanted, observed)
    if live is None or is_edited(live):
        return False
    return is_as_wanted(wanted, live) and has_same_rules(wanted, live)


def _aimed(wanted: Object, observed: Observed) -> Object:
    live = _live(wanted, observed)
    return wanted if live is None else with_uid(wanted, live)


def _live(wanted: Object, observed: Observed) -> Object | None:
    return next((live for live in observed.objects if _ref(live) == _ref(wanted)), None)


def _leftovers(
    model: MLModel, status: MLModelStatus, observed: Observed, wanted: list[Object]
) -> tuple[ObjectRef, ...]:
    """Children that nothing asks for. Those of a removed version stay while the gateway may still send
    it requests: until a pass that finds traffic gone from the status that was written before."""
    in_use = {target.version for target in (*model.status.traffic, *status.traffic)}
    in_use -= {version.name for version in model.spec.versions}
    wanted_refs = {_ref(obj) for obj in wanted}
    return tuple(
        _ref(obj)
        for obj in observed.objects
        if _ref(obj) not in wanted_refs and version_of(obj) not in in_use
    )


def _to_load_again(status: MLModelStatus, observed: Observed, now: datetime) -> set[str]:
    """A runtime that could not load stays up to report why: only a new process can do better."""
    earlier = now - timedelta(seconds=_LOAD_AGAIN_SECONDS)
    return {
        name
        for name in _fallen(status, observed)
        if all(pod.running_since and pod.running_since <= earlier for pod in observed.pods_of(name))
    }


def _fallen(status: MLModelStatus, observed: Observed) -> set[str]:
    """Versions that have served, are not served by any pod, and could not be loaded."""
    return {
        version.name
        for version in status.versions
        if version.answered
        and not (version.ready or version.failed)
        and (result := observed.probe_results.get(version.name)) is not None
        and result.status is not None
        and result.status.state == "failed"
    }


def _requeue_after(model: MLModel, status: MLModelStatus, observed: Observed) -> float | None:
    unheard = any(
        result.status is None or _sample_is_open(result) for result in observed.probe_results.values()
    )
    traffic_left = {each.version for each in model.status.traffic} - {each.version for each in status.traffic}
    if unheard or traffic_left or observed.preparing:
        return _PROBE_AGAIN_SECONDS
    if status.rollout is not None and not status.rollout.is_over:
        return _ROLLOUT_SECONDS
    if observed.is_held_up:
        return _LOOK_AGAIN_SECONDS
    return _LOAD_AGAIN_SECONDS if _fallen(status, observed) else None


def _sample_is_open(result: ProbeResult) -> bool:
    if result.status is None or result.status.state == "failed":
        return False
    return result.sample is None and result.baseline is None


def _ref(obj: Object) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(obj["kind"], metadata["namespace"], metadata["name"], metadata.get("uid", ""))
