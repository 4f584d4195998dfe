"""The whole decision, where it is more than its parts: order, leftovers, deletion, when to look again."""

from datetime import timedelta

import pytest
from modelport_crds.mlmodel import Metadata, MLModelStatus, VersionStatus
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object
from modelport_operator.core.decide import Decision, ObjectRef, decide
from modelport_operator.core.desired import desired_objects
from modelport_operator.core.observed.observe import observe
from modelport_operator.core.observed.probe_results import ProbeResult, RuntimeStatus, SampleRefused
from modelport_operator.core.probes import probe_requests, sample_body
from modelport_operator.shell.model_states import state_of
from msgspec.structs import replace

from tests.operator.unit.harness import NOW, PREDICTION, READY, settings
from tests.support.builders import ModelBuilder, a_model, a_pod, a_version

SETTINGS = settings()


def _decide(
    model: ModelBuilder, *pods: Object, objects: list[Object] | None = None, **answers: ProbeResult
) -> Decision:
    built = model.build()
    there = desired_objects(built, SETTINGS) if objects is None else objects
    seen = observe(built, there, pods, [], SETTINGS)
    return decide(built, type(seen)(seen.objects, seen.pods, seen.refusals, answers), NOW, SETTINGS)


def test_what_is_there_already_is_not_applied() -> None:
    assert _decide(a_model()).apply == ()
    applied = _decide(a_model(), objects=[]).apply
    assert [obj["kind"] for obj in applied] == ["ServiceAccount", "NetworkPolicy", "Service", "Deployment"]


def test_a_failed_version_is_stopped_only_after_its_failure_is_written() -> None:
    refused = ProbeResult(READY, SampleRefused(Reason.SAMPLE_FAILED, "no"))
    decision = _decide(a_model(), a_pod().ready().build(), v1=refused)
    assert decision.status.versions[0].failed
    assert decision.apply == ()
    assert [obj["spec"]["replicas"] for obj in decision.stop] == [0]


def test_children_of_an_earlier_model_of_the_same_name_are_left_to_the_garbage_collector() -> None:
    earlier = desired_objects(replace(a_model().build(), metadata=_uid("earlier")), SETTINGS)
    decision = _decide(a_model(), objects=earlier)
    assert decision.delete == ()
    assert len(decision.apply) == len(earlier)


def _uid(uid: str) -> Metadata:
    return replace(a_model().build().metadata, uid=uid)


def test_objects_of_a_removed_version_that_nobody_calls_are_deleted() -> None:
    before = desired_objects(a_model().versions("v1", "v2").build(), SETTINGS)
    decision = _decide(a_model(), objects=before)
    assert {ref.name for ref in decision.delete} == {"iris-v2"}
    assert ObjectRef("Deployment", "modelport-models", "iris-v2") in decision.delete


def test_a_model_that_is_being_deleted_gets_no_object_and_no_traffic() -> None:
    model = a_model().served(v1=100).being_deleted()
    decision = _decide(model, objects=[])
    assert (decision.apply, decision.status.traffic) == ((), ())
    ready = decision.status.condition("Ready")
    assert ready is not None
    assert ready.reason == "Deleting"


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (ProbeResult(), True),
        (ProbeResult(READY, None), True),
        (ProbeResult(RuntimeStatus(state="loading")), True),
        (ProbeResult(READY, PREDICTION), False),
        (ProbeResult(RuntimeStatus(state="failed", reason=Reason.LOAD_FAILED)), False),
    ],
    ids=["unreachable", "no response", "loading", "predicted", "failed"],
)
def test_only_what_no_event_will_tell_is_looked_at_again(answer: ProbeResult, again: bool) -> None:
    decision = _decide(a_model(), a_pod().ready().build(), v1=answer)
    assert (decision.requeue_after is not None) is again


def test_the_status_names_the_generation_and_the_address() -> None:
    status = _decide(a_model().generation(4)).status
    assert (status.observed_generation, status.url) == (4, "/predict/iris")
    elsewhere = _decide(a_model().named("iris", "team")).status
    assert elsewhere.url == "/predict/team.iris"


def _probes(model: ModelBuilder, *pods: Object) -> list[tuple[str, bool]]:
    built = model.build()
    seen = observe(built, [], pods, [], SETTINGS)
    return [(request.address, request.sample) for request in probe_requests(built, seen, SETTINGS)]


def test_a_runtime_is_probed_as_soon_as_its_load_has_ended() -> None:
    assert _probes(a_model(), a_pod().build()) == []
    assert _probes(a_model(), a_pod().started().build()) == [("10.0.0.1:8080", True)]


def test_of_two_pods_the_ready_one_is_probed() -> None:
    starting, ready = a_pod().started().called("a").build(), a_pod().ready().called("b").build()
    ready["status"]["podIP"] = "fd00::1"
    assert _probes(a_model(), starting, ready) == [("[fd00::1]:8080", True)]


def test_a_pod_is_found_by_its_endpoint_where_it_has_a_socket() -> None:
    model = a_model().build()
    endpoint = {"addresses": ["unix:/run/x.sock"], "targetRef": {"kind": "Pod", "name": "iris-v1-0"}}
    seen = observe(model, [], [a_pod().started().build()], [{"endpoints": [endpoint]}], SETTINGS)
    (request,) = probe_requests(model, seen, SETTINGS)
    assert request.address == "unix:/run/x.sock"


def test_the_given_sample_goes_before_the_one_that_the_runtime_made() -> None:
    status = RuntimeStatus(state="ready", sample={"input": [9]})
    assert sample_body(a_version(), status) == b'{"input":[1.0,2.0]}'
    assert sample_body(a_version(sample=None), status) == b'{"input":[9]}'
    assert sample_body(a_version(sample=None), RuntimeStatus(state="ready")) is None
    made_up = {"input": {"a": 0, "b": 0}, "made_up": True}
    assert sample_body(a_version(sample=made_up), status) == b'{"input":[9]}'


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (VersionStatus(name="v1", answered=True, ready=True, reason="Serving"), "ready"),
        (VersionStatus(name="v1", answered=True, reason="RuntimeCrashed"), "degraded"),
        (VersionStatus(name="v1", reason="Progressing"), "progressing"),
        (VersionStatus(name="v1", failed=True, reason="LoadFailed"), "failed"),
    ],
)
def test_each_model_is_counted_in_one_state(known: VersionStatus, state: str) -> None:
    template = _decide(a_model()).status.versions[0].template
    pods = [a_pod().ready().build()] if known.ready else []
    model = a_model().known(replace(known, template=template))
    status = _decide(model.served(v1=100) if known.answered else model, *pods).status
    assert state_of(status) == state


def test_a_status_without_conditions_is_on_its_way() -> None:
    assert state_of(MLModelStatus()) == "progressing"


def _fallen_pod(*, seconds_ago: float) -> Object:
    pod = a_pod().started().build()
    began = (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    pod["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": began}}
    return pod


_HAS_SERVED = VersionStatus(name="v1", answered=True)
_CANNOT_LOAD = ProbeResult(RuntimeStatus(state="failed", reason=Reason.LOAD_TIMEOUT, message="60 s are over"))


def test_a_version_that_has_served_is_loaded_again_when_a_minute_has_passed() -> None:
    fallen = a_model().known(_HAS_SERVED)
    early = _decide(fallen, _fallen_pod(seconds_ago=30), v1=_CANNOT_LOAD)
    assert (early.stop, early.requeue_after) == ((), 60)
    assert early.status.versions[0].reason == Reason.LOAD_TIMEOUT
    late = _decide(fallen, _fallen_pod(seconds_ago=61), v1=_CANNOT_LOAD)
    assert [obj["spec"]["replicas"] for obj in late.stop] == [0]
    assert not late.status.versions[0].failed
    again = _decide(fallen, objects=[*late.stop])
    assert [obj["spec"]["replicas"] for obj in again.apply if obj["kind"] == "Deployment"] == [1]


def test_a_version_that_still_serves_from_another_pod_is_not_stopped() -> None:
    pods = _fallen_pod(seconds_ago=100), a_pod().called("other").ready().build()
    assert _decide(a_model().known(_HAS_SERVED), *pods, v1=_CANNOT_LOAD).stop == ()
