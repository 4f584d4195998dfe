"""How each version is: starting, answered, ready, or failed for good; and which get the model's requests."""

from collections.abc import Collection, Mapping
from typing import Any

from modelport_crds import stages
from modelport_crds.mlmodel import MLModel, ModelVersion, SampleAnswer, TrafficTarget, VersionStatus
from modelport_crds.reasons import Reason
from modelport_crds.shares import scaled, weights
from msgspec.structs import replace

from modelport_operator.core.bundles import bundle_of
from modelport_operator.core.compatibility import hold_if_changed, with_comparison
from modelport_operator.core.desired import desired_deployment
from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.observed.pods import PodFacts
from modelport_operator.core.observed.probe_results import ProbeResult, RuntimeStatus, SampleRefused
from modelport_operator.core.probes import current_pods
from modelport_operator.core.problems import ONCE, Problem, with_cure
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.settings import Settings

Traffic = tuple[TrafficTarget, ...]


def decide_traffic(
    wanted: Traffic,
    versions: Mapping[str, VersionStatus],
    current: Traffic,
    held: Collection[str] = frozenset(),
) -> Traffic:
    """Move to what is wanted once all of it can serve; until then stay; at first take what there is.

    The weights sum to 100, or nothing is routed. No version is in it that has not answered. Nothing moves to
    one of `held` while anything else serves.
    """
    wanted_shares = weights(wanted)
    ready = {name: share for name, share in wanted_shares.items() if _is_ready(versions.get(name))}
    if ready == wanted_shares and ready.keys().isdisjoint(held):
        return _targets(wanted_shares)
    # A version that is down for a moment keeps its share: its requests wait or are tried again, where
    # moving them would send them to a version that nobody chose for them.
    staying = {name: share for name, share in weights(current).items() if _has_answered(versions.get(name))}
    return _targets(staying or ready)


def _is_ready(version: VersionStatus | None) -> bool:
    return version is not None and version.ready and version.answered and not version.failed


def _has_answered(version: VersionStatus | None) -> bool:
    return version is not None and version.answered and not version.failed


def _targets(shares: Mapping[str, int]) -> Traffic:
    """Of shares of more than 100 together one may round to nothing. It is left out, for the next decision,
    which knows no shares of nothing, must come to the same.
    """
    return tuple(TrafficTarget(version=name, weight=weight) for name, weight in scaled(shares).items())


def decide_versions(model: MLModel, observed: Observed, settings: Settings) -> tuple[VersionStatus, ...]:
    """Every version of the spec, and those removed from it that still serve."""
    wanted = tuple(_decide_version(model, version, observed, settings) for version in model.spec.versions)
    return (*wanted, *_leaving(model, observed))


def without_bundle(model: MLModel, observed: Observed, settings: Settings) -> list[ModelVersion]:
    """Return the versions whose own packages are to be found, or made: for the first time, or again because a
    pod needs them and they are gone. What has failed for good asks no more."""
    return [
        each
        for each in model.spec.versions
        if each.lock
        and (not bundle_of(model, each) or each.name in observed.bundle_lost)
        and not _has_failed(model, each, settings)
    ]


def _has_failed(model: MLModel, version: ModelVersion, settings: Settings) -> bool:
    template = template_digest(desired_deployment(model, version, settings))
    return _carried_over(version, model.status.version(version.name), template).failed


def _leaving(model: MLModel, observed: Observed) -> list[VersionStatus]:
    """A removed version goes on serving until traffic has left it: its pods are there until then."""
    served = weights(model.status.traffic)
    return [
        _with_pods(known, observed.pods_of(known.name))
        for known in model.status.versions
        if known.name in served
        and model.spec.version(known.name) is None
        and observed.has_deployment(known.name)
    ]


def _decide_version(
    model: MLModel, version: ModelVersion, observed: Observed, settings: Settings
) -> VersionStatus:
    template = template_digest(desired_deployment(model, version, settings))
    known = _carried_over(version, model.status.version(version.name), template)
    if known.failed:
        return known
    # Tried again, or working: its pods have logs of their own.
    known = replace(known, last_log="")
    pods = observed.pods_of(version.name)
    result = observed.probe_results.get(version.name, ProbeResult())
    known = _with_probe(known, observed.status_probes.get(version.name))
    known = with_comparison(model, _with_result(known, result, template), result.baseline)
    known = _with_pods(known, pods)
    problem = _problem(observed, version.name, current_pods(pods, template), result)
    stage = _stage(observed, version.name, current_pods(pods, template))
    return hold_if_changed(model, _judged(known, problem, current_pods(pods, template), stage))


def _carried_over(version: ModelVersion, known: VersionStatus | None, template: str) -> VersionStatus:
    """A changed template is a new try: what failed may work now. One that has answered keeps serving
    from its old pods meanwhile, so it stays as it was until the new template has answered too."""
    if known is not None and (known.template == template or known.answered):
        return known
    return VersionStatus(
        name=version.name,
        template=template,
        bundle=known.bundle if known else "",
        digest=f"sha256:{version.artifact.sha256}",
    )


def _with_result(known: VersionStatus, result: ProbeResult, template: str) -> VersionStatus:
    status = result.status
    # What has answered is not made poorer by a later try that failed.
    if status is None or status.state == "loading" or (status.state == "failed" and known.answered):
        return known
    known = replace(known, **_own_words(status))
    if isinstance(result.sample, SampleAnswer):
        return replace(known, answered=True, template=template, sample_answer=result.sample)
    return known


def _own_words(status: RuntimeStatus) -> dict[str, Any]:
    libraries: Mapping[str, Any] = status.libraries or {}
    return {
        "signature": status.signature,
        "libraries": {**libraries, "differences": list(status.differences)},
        "sandbox": status.sandbox,
        **_engine(status),
    }


def _engine(status: RuntimeStatus) -> dict[str, Any]:
    return {"engine": status.engine, "acceleration": status.acceleration}


def _with_probe(known: VersionStatus, slowest: RuntimeStatus | None) -> VersionStatus:
    return known if slowest is None else replace(known, **_engine(slowest))


def _with_pods(known: VersionStatus, pods: tuple[PodFacts, ...]) -> VersionStatus:
    replicas = sum(pod.ready for pod in pods)
    return replace(
        known,
        replicas=replicas,
        ready=known.answered and replicas > 0,
        restarts=max((pod.restarts for pod in pods), default=0),
    )


def _problem(
    observed: Observed, version: str, pods: tuple[PodFacts, ...], result: ProbeResult
) -> Problem | None:
    """The runtime's own word wins: it knows more than its exit code. What its pods lack is why they fail."""
    if result.status is not None and result.status.state == "failed":
        reason = result.status.reason or Reason.LOAD_FAILED
        return Problem(reason, result.status.message, ONCE)
    if isinstance(result.sample, SampleRefused):
        return Problem(result.sample.reason, result.sample.message, ONCE)
    if version in observed.preparing:
        return None
    if version in observed.withheld:
        return observed.refusals.get(version)
    reported = (pod.problem for pod in pods if not pod.ready and pod.problem is not None)
    return next(reported, observed.refusals.get(version))


def _judged(
    known: VersionStatus, problem: Problem | None, pods: tuple[PodFacts, ...], stage: str
) -> VersionStatus:
    if known.ready and not _is_worth_saying(problem, pods):
        return replace(known, reason=Reason.SERVING, message=_differences(known))
    if problem is None:
        return replace(known, reason=Reason.PROGRESSING, message=f"{known.name} is {stage}.")
    message = with_cure(problem.reason, problem.message)
    if _is_final(known, problem, pods):
        return replace(known, failed=True, replicas=0, reason=problem.reason, message=message)
    return replace(known, reason=problem.reason, message=message)


def _is_worth_saying(problem: Problem | None, pods: tuple[PodFacts, ...]) -> bool:
    """Of a version that serves: its old pods do while the new ones cannot, or an object of it is missing."""
    if problem is None:
        return False
    return problem.reason == Reason.NAME_TAKEN or not any(pod.ready for pod in pods)


def _is_final(known: VersionStatus, problem: Problem, pods: tuple[PodFacts, ...]) -> bool:
    """What has answered once is never given up: its pods start again, later and later."""
    if known.answered or problem.final_after is None:
        return False
    return problem.final_after == ONCE or max((pod.endings for pod in pods), default=0) >= problem.final_after


def _stage(observed: Observed, version: str, pods: tuple[PodFacts, ...]) -> str:
    if version in observed.preparing:
        return stages.PREPARING
    return pods[0].stage if pods else stages.WAITING


def _differences(known: VersionStatus) -> str:
    return " ".join((known.libraries or {}).get("differences", ()))
