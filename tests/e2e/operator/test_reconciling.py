"""What one operator writes: all of it once, none of it twice, and again when it is gone or changed."""

import json
from typing import Any

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import Operator, World, until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("operator")]

_SELECTOR = "serving.modelport.dev/model=iris,!serving.modelport.dev/batch-version"


def _is_told(world: World, name: str = "iris") -> bool:
    return bool(world.status(name).get("versions"))


def test_a_model_gets_its_objects_a_status_and_an_event(world: World) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel(scaling={"minReplicas": 2, "maxReplicas": 2}))
    until(lambda: _is_told(world))
    kinds = sorted(obj["kind"] for obj in world.children())
    assert kinds == ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"]
    status = world.status("iris")
    assert status["url"] == "/predict/iris"
    assert status["selector"] == _SELECTOR
    assert {each["observedGeneration"] for each in status["conditions"]} == {1}
    until(lambda: "v1 is starting." in world.models.run("events", "--for=mlmodel/iris"))


EDITS: dict[str, list[str]] = {
    "deleted": ["delete", "deployment,service,serviceaccount,networkpolicy", "iris-v1"],
    "a variable added": ["set", "env", "deployment/iris-v1", "EVIL=1"],
    "the image changed": ["set", "image", "deployment/iris-v1", "model=evil"],
    "scaled": ["scale", "deployment/iris-v1", "--replicas=5"],
    "the host's network taken": [
        *("patch", "deployment", "iris-v1", "--type=merge"),
        '-p={"spec": {"template": {"spec": {"hostNetwork": true}}}}',
    ],
    "everyone let in": [
        *("patch", "networkpolicy", "iris-v1", "--type=merge"),
        '-p={"spec": {"ingress": [{}]}}',
    ],
    "a token given": [
        *("patch", "serviceaccount", "iris-v1", "--type=merge"),
        '-p={"automountServiceAccountToken": null}',
    ],
    "pods that are not ready published": [
        *("patch", "service", "iris-v1", "--type=merge"),
        '-p={"spec": {"publishNotReadyAddresses": true}}',
    ],
    "its label taken": ["label", "service", "iris-v1", "serving.modelport.dev/model-"],
}


def test_what_is_changed_or_deleted_by_hand_is_put_right_at_once(world: World) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: _is_told(world))
    wanted = _specs(world)
    for what, edit in EDITS.items():
        world.models.run(*edit)
        until(lambda: _specs(world) == wanted, seconds=10), what


def _specs(world: World) -> dict[str, Any]:
    return {
        obj["kind"]: [obj["metadata"]["labels"], obj.get("spec"), obj.get("automountServiceAccountToken")]
        for obj in world.children()
    }


def test_restarting_a_deployment_by_hand_is_no_drift(world: World, operator: Operator) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: _is_told(world))
    world.models.run("rollout", "restart", "deployment/iris-v1")
    passes = operator.passes()
    world.models.run("label", "mlm", "iris", "touched=yes")
    until(lambda: operator.passes() > passes)
    (deployment,) = (obj for obj in world.children() if obj["kind"] == "Deployment")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_scaling_a_model_scales_its_deployments_within_its_limit(world: World) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel(scaling={"minReplicas": 1, "maxReplicas": 3}))
    until(lambda: _is_told(world))
    world.models.run("scale", "mlm", "iris", "--replicas=3")
    until(lambda: world.models.json("get", "deployment", "iris-v1")["spec"]["replicas"] == 3)
    refused = world.models.try_run("scale", "mlm", "iris", "--replicas=4")
    assert "maxReplicas" in refused.stderr
    scale = json.loads(world.models.run("get", "--raw", _scale_path(world)))
    assert scale["status"]["selector"] == _SELECTOR


def _scale_path(world: World) -> str:
    group = "/apis/serving.modelport.dev/v1alpha1"
    return f"{group}/namespaces/{world.models.namespace}/mlmodels/iris/scale"


def test_deleting_a_model_deletes_all_that_it_had(world: World) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel("iris", "v1", "v2"))
    until(lambda: len(world.children()) == 8)
    world.models.run("delete", "mlm", "iris")
    until(lambda: not world.children(), seconds=60)


def test_a_version_taken_out_of_the_spec_is_deleted(world: World) -> None:
    world.models.run("apply", "-f", "-", input=mlmodel("iris", "v1", "v2"))
    until(lambda: len(world.children()) == 8)
    world.models.run("apply", "-f", "-", input=mlmodel("iris", "v2"))
    until(lambda: {obj["metadata"]["name"] for obj in world.children()} == {"iris-v2"})
