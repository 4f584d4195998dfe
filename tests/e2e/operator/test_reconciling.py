"""What one operator writes: all of it once, none of it twice, and again when it is gone or changed."""

import json
from typing import Any

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import Harness, Operator, until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("operator")]

_SELECTOR = "serving.modelport.dev/model=iris,!serving.modelport.dev/batch-version"


def _has_status(harness: Harness, name: str = "iris") -> bool:
    return bool(harness.status(name).get("versions"))


def test_a_model_gets_its_objects_a_status_and_an_event(harness: Harness) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel(scaling={"minReplicas": 2, "maxReplicas": 2}))
    until(lambda: _has_status(harness))
    kinds = sorted(obj["kind"] for obj in harness.children())
    assert kinds == ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"]
    status = harness.status("iris")
    assert status["url"] == "/predict/iris"
    assert status["selector"] == _SELECTOR
    assert {each["observedGeneration"] for each in status["conditions"]} == {1}
    until(lambda: "v1 is starting." in harness.models.run("events", "--for=mlmodel/iris"))


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


def test_what_is_changed_or_deleted_by_hand_is_put_right_at_once(harness: Harness) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: _has_status(harness))
    wanted = _specs(harness)
    for what, edit in EDITS.items():
        harness.models.run(*edit)
        until(lambda: _specs(harness) == wanted, seconds=40), what


def _specs(harness: Harness) -> dict[str, Any]:
    return {
        obj["kind"]: [obj["metadata"]["labels"], obj.get("spec"), obj.get("automountServiceAccountToken")]
        for obj in harness.children()
    }


def test_restarting_a_deployment_by_hand_is_no_drift(harness: Harness, operator: Operator) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: _has_status(harness))
    harness.models.run("rollout", "restart", "deployment/iris-v1")
    passes = operator.passes()
    harness.models.run("label", "mlm", "iris", "touched=yes")
    until(lambda: operator.passes() > passes)
    (deployment,) = (obj for obj in harness.children() if obj["kind"] == "Deployment")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_scaling_a_model_scales_its_deployments_within_its_limit(harness: Harness) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel(scaling={"minReplicas": 1, "maxReplicas": 3}))
    until(lambda: _has_status(harness))
    harness.models.run("scale", "mlm", "iris", "--replicas=3")
    until(lambda: harness.models.json("get", "deployment", "iris-v1")["spec"]["replicas"] == 3)
    refused = harness.models.try_run("scale", "mlm", "iris", "--replicas=4")
    assert "maxReplicas" in refused.stderr
    scale = json.loads(harness.models.run("get", "--raw", _scale_path(harness)))
    assert scale["status"]["selector"] == _SELECTOR


def _scale_path(harness: Harness) -> str:
    group = "/apis/serving.modelport.dev/v1alpha1"
    return f"{group}/namespaces/{harness.models.namespace}/mlmodels/iris/scale"


def test_deleting_a_model_deletes_all_that_it_had(harness: Harness) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel("iris", "v1", "v2"))
    until(lambda: len(harness.children()) == 8)
    harness.models.run("delete", "mlm", "iris")
    until(lambda: not harness.children(), seconds=240)


def test_a_version_taken_out_of_the_spec_is_deleted(harness: Harness) -> None:
    harness.models.run("apply", "-f", "-", input=mlmodel("iris", "v1", "v2"))
    until(lambda: len(harness.children()) == 8)
    harness.models.run("apply", "-f", "-", input=mlmodel("iris", "v2"))
    until(lambda: {obj["metadata"]["name"] for obj in harness.children()} == {"iris-v2"})
