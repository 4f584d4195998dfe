"""Where the batch worker runs, what it may reach, and what it is not given."""

from typing import Any

import pytest

from tests.chart.unit.chart import Object, environment, of_kind, render

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

ON_S3 = ("artifacts.url=s3://models/all", "artifacts.credentialsSecret=bucket", "worker.replicas=3")


def _worker(objects: list[Object], deployment: str) -> tuple[Object, Object]:
    spec = of_kind(objects, "Deployment")[deployment]["spec"]["template"]["spec"]
    [container] = [each for each in spec["containers"] if each["name"] == "worker"]
    return spec, container


def _operator(objects: list[Object]) -> dict[str, Any]:
    spec = of_kind(objects, "Deployment")["modelport-operator"]["spec"]["template"]["spec"]
    return environment(spec["containers"][0])


def _let_in(objects: list[Object], policy: str) -> list[str]:
    rules = of_kind(objects, "NetworkPolicy")[policy]["spec"]["ingress"]
    return [
        source["podSelector"]["matchLabels"].get("app.kubernetes.io/component", "")
        for rule in rules
        for source in rule.get("from", ())
    ]


def test_with_a_volume_of_one_place_it_is_where_the_volume_is() -> None:
    objects = render()
    assert "modelport-worker" not in of_kind(objects, "Deployment")
    _, container = _worker(objects, "modelport-control-api")
    assert environment(container)["MODELPORT_CONTROL_API_INTERNAL_URL"] == "http://127.0.0.1:8001"
    assert {"name": "artifacts", "mountPath": "/var/lib/modelport/artifacts"} in container["volumeMounts"]
    assert _operator(objects)["MODELPORT_OPERATOR_BATCH_WORKER_COMPONENT"] == "control-api"


def test_with_a_bucket_it_is_a_deployment_that_scales() -> None:
    objects = render(*ON_S3)
    spec, container = _worker(objects, "modelport-worker")
    assert of_kind(objects, "Deployment")["modelport-worker"]["spec"]["replicas"] == 3
    assert environment(container)["MODELPORT_CONTROL_API_ARTIFACTS_URL"] == "s3://models/all"
    assert container["envFrom"] == [{"secretRef": {"name": "bucket"}}]
    assert spec["automountServiceAccountToken"] is False
    assert "MODELPORT_OPERATOR_BATCH_WORKER_COMPONENT" not in _operator(objects)
    for policy in ("modelport-postgresql", "modelport-control-api"):
        assert "worker" in _let_in(objects, policy)
    assert "worker" not in _let_in(objects, "modelport-redis")


@pytest.mark.parametrize(("settings", "deployment"), [((), "control-api"), (ON_S3, "worker")])
def test_it_gets_no_signing_keys(settings: tuple[str, ...], deployment: str) -> None:
    _, container = _worker(render(*settings), f"modelport-{deployment}")
    assert "signing" not in str(container)
    assert container["args"] == ["worker"]


def test_a_release_that_had_none_can_be_upgraded_with_its_values() -> None:
    objects = render("worker=null")
    assert "worker" not in str(of_kind(objects, "Deployment")["modelport-control-api"]["spec"])
