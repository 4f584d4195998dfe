"""What there is: the children of a model, its pods, and what their runtimes reported."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelport_crds.mlmodel import MLModel
from modelport_crds.names import LABEL_BATCH_VERSION, LABEL_MODEL_VERSION
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.naming import is_owned_by
from modelport_operator.core.observed.pod_reasons import read_problem, read_refusal
from modelport_operator.core.observed.pods import PodFacts, is_live, read_pod
from modelport_operator.core.observed.probe_results import ProbeResult, RuntimeStatus
from modelport_operator.core.problems import Problem
from modelport_operator.settings import Settings

# What ends these is no object of ours, so no event reports it.
_UNHEARD_OF = {Reason.NAME_TAKEN, Reason.POD_INCOMPLETE, Reason.PROGRESSING}


@dataclass(frozen=True)
class Observed:
    """`probe_results` and `status_probes` are by version and hold only those that were probed in this pass.
    `refusals`, by version too, is why the cluster makes no pod of it; of versions in `withheld` and
    `preparing`, whose packages are not there yet, nothing is applied. `bundle_lost`: versions of which a pod,
    of batch jobs too, did not find the bundle that the status names."""

    objects: tuple[Object, ...] = ()
    pods: tuple[PodFacts, ...] = ()
    refusals: Mapping[str, Problem] = field(default_factory=dict)
    probe_results: Mapping[str, ProbeResult] = field(default_factory=dict)
    status_probes: Mapping[str, RuntimeStatus] = field(default_factory=dict)
    withheld: Collection[str] = ()
    preparing: Collection[str] = ()
    bundle_lost: Collection[str] = ()

    def pods_of(self, version: str) -> tuple[PodFacts, ...]:
        return tuple(pod for pod in self.pods if pod.version == version)

    def refused(self, problems: Mapping[str, Problem]) -> "Observed":
        """With what keeps, by version, its objects from being written."""
        return replace(self, refusals={**self.refusals, **problems})

    def withholding(self, problems: Mapping[str, Problem]) -> "Observed":
        """The same, known before any is written."""
        return replace(self.refused(problems), withheld=(*self.withheld, *problems))

    @property
    def is_held_up(self) -> bool:
        return bool(self.withheld) or any(problem.reason in _UNHEARD_OF for problem in self.refusals.values())

    def has_deployment(self, version: str) -> bool:
        return any(obj["kind"] == "Deployment" and version_of(obj) == version for obj in self.objects)


def observe(
    model: MLModel,
    objects: Iterable[Object],
    pods: Iterable[Object],
    slices: Sequence[Object],
    settings: Settings,
) -> Observed:
    """Reduce what the cluster listed for this model. Only what this very resource owns is its own:
    one of the same name, deleted a moment ago, may still have children about to go."""
    served = {known.template for known in model.status.versions if known.answered}
    own = tuple(obj for obj in objects if is_owned_by(model.metadata.uid, obj))
    live = [pod for pod in pods if is_live(pod)]
    return Observed(
        objects=own,
        pods=tuple(read_pod(pod, slices, settings, served) for pod in live if _serves(pod)),
        refusals={
            version_of(obj): problem
            for obj in own
            if obj["kind"] == "Deployment" and (problem := read_refusal(obj)) is not None
        },
        bundle_lost={any_version_of(pod) for pod in live if _found_no_bundle(pod, model, settings)},
    )


def version_of(obj: Object) -> str:
    """Return the version that the object belongs to; empty: to none."""
    version: str = obj["metadata"].get("labels", {}).get(LABEL_MODEL_VERSION, "")
    return version


def any_version_of(obj: Object) -> str:
    """Also of an object that is for batch jobs."""
    batch: str = obj["metadata"].get("labels", {}).get(LABEL_BATCH_VERSION, "")
    return version_of(obj) or batch


def _found_no_bundle(pod: Object, model: MLModel, settings: Settings) -> bool:
    known = model.status.version(any_version_of(pod))
    if known is None or not known.bundle:
        return False
    problem = read_problem(pod, settings)
    # By its address: the model's own file may be what is gone.
    return (
        problem is not None
        and problem.reason == Reason.ARTIFACT_NOT_FOUND
        and known.bundle in problem.message
    )


def _serves(pod: Object) -> bool:
    """One that does batch jobs has no bearing on what callers get."""
    return LABEL_BATCH_VERSION not in pod["metadata"].get("labels", {})
