"""Whose ids pods run under: the images', others, or those that the cluster gives (OpenShift)."""

import json
from typing import Any

import pytest

from tests.chart.unit.chart import CHART, Object, containers, environment, of_kind, pod_specs, refusal, render
from tests.chart.unit.test_network import OPENSHIFT, operator_settings

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

IDS = ("runAsUser", "runAsGroup", "fsGroup")
DATABASES = ("StatefulSet/modelport-postgresql", "StatefulSet/modelport-redis")
OPENSHIFT_VALUES = CHART / "values.openshift.yaml"
# With a worker of its own, so that every pod that the chart knows is there.
ON_S3 = ("artifacts.url=s3://models/all",)


def ids(spec: Object) -> dict[str, Any]:
    return {name: spec["securityContext"][name] for name in IDS if name in spec["securityContext"]}


def test_unless_set_they_are_those_of_the_images() -> None:
    specs = pod_specs(render(*ON_S3))
    assert {name: ids(spec) for name, spec in specs.items()} == {
        name: dict.fromkeys(IDS, 999 if name in DATABASES else 65532) for name in specs
    }
    assert {"Deployment/modelport-worker", "Job/modelport-migrate", "Pod/modelport-test"} <= set(specs)


def test_on_openshift_no_pod_has_any_and_all_else_stays_restricted() -> None:
    objects = render(*ON_S3, files=[OPENSHIFT_VALUES])
    usual = pod_specs(render(*ON_S3))
    specs = pod_specs(objects)
    assert set(specs) == set(usual)
    for name, spec in specs.items():
        without = {key: value for key, value in usual[name]["securityContext"].items() if key not in IDS}
        assert spec["securityContext"] == without, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        for container in containers(spec):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name


def test_on_openshift_models_have_none_either_and_its_dns() -> None:
    given = operator_settings(render(files=[OPENSHIFT_VALUES]))
    assert given.pod_security_context.model_dump(exclude_none=True) == {}
    assert [rule.as_object() for rule in given.dns_egress] == OPENSHIFT


def test_others_may_be_given_however_large_and_a_group_may_be_root_s() -> None:
    objects = render(
        *("podSecurityContext.runAsUser=1000700000", "podSecurityContext.runAsGroup=0"),
        *("podSecurityContext.fsGroup=null", "redis.runAsUser=1000700001", "postgresql.runAsUser=null"),
    )
    specs = pod_specs(objects)
    assert ids(specs["Deployment/modelport-gateway"]) == {"runAsUser": 1_000_700_000, "runAsGroup": 0}
    assert ids(specs["StatefulSet/modelport-redis"]) == dict.fromkeys(IDS, 1_000_700_001)
    assert ids(specs["StatefulSet/modelport-postgresql"]) == {}
    models = operator_settings(objects).pod_security_context.model_dump(by_alias=True, exclude_none=True)
    assert models == {"runAsUser": 1_000_700_000, "runAsGroup": 0}


def test_a_release_that_had_none_keeps_those_of_the_images() -> None:
    objects = render("podSecurityContext=null")
    assert ids(pod_specs(objects)["Deployment/modelport-control-api"]) == dict.fromkeys(IDS, 65532)
    operator = of_kind(objects, "Deployment")["modelport-operator"]["spec"]["template"]["spec"]
    assert "MODELPORT_OPERATOR_POD_SECURITY_CONTEXT" not in environment(operator["containers"][0])


@pytest.mark.parametrize(
    "wrong",
    [{"runAsUser": 0}, {"runAsUser": "auto"}, {"fsGroup": -1}, {"runasUser": 1000}, {"enabled": True}],
)
def test_root_and_misspelt_keys_are_refused(wrong: Object) -> None:
    assert "podSecurityContext" in refusal(json_values=[f"podSecurityContext={json.dumps(wrong)}"])
