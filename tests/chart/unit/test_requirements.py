"""Own requirements: off unless an index is named; then what makes bundles may do that and no more."""

from typing import Any

import pytest
from modelport_operator.core.specs import network_policy

from tests.chart.unit.chart import Object, environment, of_kind, refusal, render
from tests.chart.unit.test_network import API_SERVER, CLOSED, FURTHER, as_set, called

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

INDEX = "runtime.requirements.index=https://packages.example.org/simple"
NAMESPACE = "modelport-bundles"


@pytest.fixture(scope="module")
def made() -> list[Object]:
    return render(INDEX)


def variables(objects: list[Object], component: str) -> dict[str, Any]:
    spec = of_kind(objects, "Deployment")[f"modelport-{component}"]["spec"]["template"]["spec"]
    return environment(spec["containers"][0])


def there(objects: list[Object]) -> dict[str, Object]:
    """What is in the namespace of the bundles, by kind."""
    return {each["kind"]: each for each in objects if each["metadata"].get("namespace") == NAMESPACE}


def test_without_an_index_nothing_of_it_is_there() -> None:
    objects = render()
    assert there(objects) == {}
    assert NAMESPACE not in str(objects)
    assert "MODELPORT_CONTROL_API_OWN_REQUIREMENTS" not in variables(objects, "control-api")
    assert "MODELPORT_OPERATOR_BUNDLES_BASE_URL" not in variables(objects, "operator")


def test_control_api_and_operator_know_the_index(made: list[Object]) -> None:
    address = "https://packages.example.org/simple"
    control_api, operator = variables(made, "control-api"), variables(made, "operator")
    assert control_api["MODELPORT_CONTROL_API_OWN_REQUIREMENTS"] == "true"
    assert control_api["UV_DEFAULT_INDEX"] == operator["MODELPORT_OPERATOR_PACKAGE_INDEX"] == address
    assert operator["MODELPORT_OPERATOR_BUNDLES_BASE_URL"] == (
        "http://modelport-control-api-internal.platform.svc:8001/internal/v1/bundles/{lock}"
    )
    assert operator["MODELPORT_INTERNAL_KEY"] == control_api["MODELPORT_INTERNAL_KEY"]
    assert (
        operator["MODELPORT_OPERATOR_BUNDLE_MAX_BYTES"]
        == control_api["MODELPORT_CONTROL_API_BUNDLE_MAX_BYTES"]
        == str(5 << 30)
    )


def test_the_operator_may_make_jobs_there_and_nothing_else(made: list[Object]) -> None:
    assert there(made)["Role"]["rules"] == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]
    (subject,) = there(made)["RoleBinding"]["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": "modelport-operator", "namespace": "platform"}
    assert there(made)["ResourceQuota"]["spec"] == {"hard": {"pods": "2"}}
    labels = of_kind(made, "Namespace")[NAMESPACE]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert not any(
        "jobs" in rule["resources"] for role in of_kind(render(), "Role").values() for rule in role["rules"]
    )


def test_its_jobs_reach_the_index_and_the_control_api_and_nobody_reaches_them(made: list[Object]) -> None:
    policy = there(made)["NetworkPolicy"]["spec"]
    assert (policy["podSelector"], policy["policyTypes"]) == ({}, ["Ingress", "Egress"])
    assert "ingress" not in policy
    assert called({"spec": policy}) == {"control-api:8001", "0.0.0.0/0:443", "kube-dns:53"}
    public = next(rule for rule in policy["egress"] if "ipBlock" in rule["to"][0])
    assert public["to"] == network_policy._PUBLIC


@pytest.mark.parametrize(
    ("index", "port"),
    [("https://a.example.org:8443/simple", 8443), ("http://a.example.org/simple", 80)],
)
def test_the_port_is_the_address_s(index: str, port: int) -> None:
    policy = there(render(f"runtime.requirements.index={index}"))["NetworkPolicy"]
    assert f"0.0.0.0/0:{port}" in called(policy)


def test_rules_for_an_index_inside_are_the_whole_way_there() -> None:
    rules = [as_set("runtime.requirements.egress", FURTHER)]
    policy = there(render(INDEX, json_values=rules))["NetworkPolicy"]
    assert called(policy) == {"control-api:8001", "10.1.2.3/32:443", "kube-dns:53"}
    closed = [*rules, as_set("networkPolicy.kubeApiServer", API_SERVER)]
    policies = of_kind(render(INDEX, CLOSED, json_values=closed), "NetworkPolicy")
    assert "10.1.2.3/32:443" in called(policies["modelport-control-api-egress"])
    assert "control-api:8001" in called(policies["modelport-operator-egress"])
    assert "10.1.2.3/32:443" not in called(policies["modelport-operator-egress"])


@pytest.mark.parametrize(
    "setting",
    [
        "index=ftp://packages.example.org",
        "index=https://user:password@packages.example.org/simple",
        "maxBytes=10",
        "atOnce=0",
        "namespace=Not A Name",
    ],
)
def test_what_would_fail_later_or_show_a_password_is_refused(setting: str) -> None:
    assert "requirements" in refusal(f"runtime.requirements.{setting}")
