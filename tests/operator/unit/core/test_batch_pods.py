"""Pods that do batch jobs: of the version's own template, and found by nobody who looks for others."""

from typing import Any

from modelport_crds.mlmodel import Resources
from modelport_kube.kube import Object
from modelport_operator.core.decide import Decision, ObjectRef, decide
from modelport_operator.core.desired import desired_objects
from modelport_operator.core.observed.observe import observe

from tests.operator.unit.harness import NOW, settings
from tests.support.builders import ModelBuilder, a_model, a_pod, a_version

SETTINGS = settings(priority_class_name="models", batch_priority_class_name="whenever")
BATCH = a_model().versions(a_version(batch_replicas=2))


def _by_name(model: ModelBuilder, kind: str) -> dict[str, Object]:
    made = desired_objects(model.build(), SETTINGS)
    return {obj["metadata"]["name"]: obj for obj in made if obj["kind"] == kind}


def _deployments(model: ModelBuilder = BATCH) -> tuple[Object, Object]:
    found = _by_name(model, "Deployment")
    return found["iris-v1"], found["iris-v1-batch"]


def _pod_labels(deployment: Object) -> dict[str, str]:
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return labels


def _finds(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_nothing_that_looks_for_pods_that_serve_finds_them() -> None:
    model = BATCH.replicas(2)
    live, batch = _deployments(model)
    looking = [
        live["spec"]["selector"]["matchLabels"],
        _by_name(model, "Service")["iris-v1"]["spec"]["selector"],
        _by_name(model, "PodDisruptionBudget")["iris-v1"]["spec"]["selector"]["matchLabels"],
        _by_name(model, "NetworkPolicy")["iris-v1"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(_finds(selector, _pod_labels(live)) for selector in looking)
    assert not any(_finds(selector, _pod_labels(batch)) for selector in looking)
    assert not _finds(batch["spec"]["selector"]["matchLabels"], _pod_labels(live))
    assert set(_by_name(model, "Service")) == {"iris-v1"}


def test_an_autoscaler_does_not_count_them() -> None:
    status = decide(BATCH.build(), observe(BATCH.build(), [], [], [], SETTINGS), NOW, SETTINGS).status
    assert status.selector == "serving.modelport.dev/model=iris,!serving.modelport.dev/batch-version"


def test_they_run_the_same_sandboxed_template_behind_all_others() -> None:
    small = Resources(requests={"cpu": "2", "memory": "1Gi"}, limits={"memory": "2Gi"})
    live, batch = _deployments(a_model().versions(a_version(batch_replicas=2, resources=small)))
    before, spec = live["spec"]["template"]["spec"], batch["spec"]["template"]["spec"]
    assert batch["spec"]["replicas"] == 2
    assert spec["priorityClassName"] == "whenever"
    (container,), (usual,) = spec["containers"], before["containers"]
    limits = {"memory": "2147483648"}
    assert usual["resources"] == {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": limits}
    assert container["resources"] == {"requests": {"cpu": "10m", "memory": "1Gi"}, "limits": limits}
    # What has so little of a busy node's CPU needs its time to start.
    usual_probe = usual["startupProbe"]
    patient = {**usual_probe, "failureThreshold": 5 * usual_probe["failureThreshold"]}
    assert container["startupProbe"] == patient
    changed = {"resources": None, "env": None, "startupProbe": None}
    assert {**container, **changed} == {**usual, **changed}
    assert [each for each in container["env"] if each not in usual["env"]] == [
        {"name": "MODELPORT_RUNTIME_ACCELERATION", "value": "off"}
    ]
    rest = {"priorityClassName": None, "containers": None}
    assert {**spec, **rest} == {**before, **rest}


def test_only_the_worker_reaches_them_and_they_reach_what_the_version_reaches() -> None:
    policies = _by_name(BATCH, "NetworkPolicy")
    live, batch = policies["iris-v1"]["spec"], policies["iris-v1-batch"]["spec"]
    assert _finds(batch["podSelector"]["matchLabels"], _pod_labels(_deployments()[1]))
    (rule,) = batch["ingress"]
    (source,) = rule["from"]
    assert source["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "worker"}
    assert (rule["ports"], batch["egress"]) == (live["ingress"][0]["ports"], live["egress"])


def test_how_many_there_are_changes_no_pod_that_serves() -> None:
    (live, _), (plain,) = _deployments(), _by_name(a_model(), "Deployment").values()
    assert live["spec"]["template"] == plain["spec"]["template"]


def test_they_come_and_go_with_what_the_version_requests() -> None:
    assert set(_by_name(a_model(), "Deployment")) == {"iris-v1"}
    there = desired_objects(BATCH.build(), SETTINGS)
    names = ("Deployment", "iris-v1-batch"), ("NetworkPolicy", "iris-v1-batch")
    gone = _decide(a_model(), there).delete
    assert {(ref.kind, ref.name) for ref in gone} == set(names)
    assert ObjectRef("Deployment", "modelport-models", "iris-v1") not in gone


def test_a_version_is_ready_by_the_pods_that_serve_alone() -> None:
    batch = a_pod().ready().called("iris-v1-batch-0").build()
    batch["metadata"]["labels"] = _pod_labels(_deployments()[1])
    decision = _decide(BATCH, desired_objects(BATCH.build(), SETTINGS), batch)
    (version,) = decision.status.versions
    assert (version.ready, version.replicas, decision.status.replicas) == (False, 0, 0)


def _decide(model: ModelBuilder, there: list[Object], *pods: Object) -> Decision:
    built = model.build()
    return decide(built, observe(built, there, pods, [], SETTINGS), NOW, SETTINGS)
