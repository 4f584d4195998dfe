"""Who may be called: DNS and further egress, as values for clusters whose network differs."""

import json
from typing import Any

import pytest
import yaml
from modelport_operator.egress_rules import USUAL_DNS
from modelport_operator.settings import Settings

from tests.chart.unit.chart import CHART, Object, environment, of_kind, refusal, render

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

Rules = list[dict[str, Any]]
NODE_LOCAL: Rules = [
    {
        "to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}, {"ipBlock": {"cidr": "10.96.0.10/32"}}],
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
    }
]
OPENSHIFT: Rules = [
    {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
        "ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}],
    }
]
IPV6: Rules = [
    {
        "to": [{"ipBlock": {"cidr": "fd00::/8"}}],
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
    }
]


@pytest.fixture(scope="module")
def defaults() -> list[Object]:
    return render()


def as_set(name: str, value: object) -> str:
    return f"{name}={json.dumps(value)}"


def operator_settings(objects: list[Object]) -> Settings:
    """What the operator reads of the environment that the chart gives it."""
    spec = of_kind(objects, "Deployment")["modelport-operator"]["spec"]["template"]["spec"]
    prefix = "MODELPORT_OPERATOR_"
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in environment(spec["containers"][0]).items()
        if name.startswith(prefix)
    }
    structured = ("dns_egress", "pod_security_context")
    loaded = {name: json.loads(given[name]) for name in structured if name in given}
    return Settings.model_validate({"artifact_base_url": given["artifact_base_url"], **loaded})


def dns_of(objects: list[Object]) -> Rules:
    return [rule.as_object() for rule in operator_settings(objects).dns_egress]


def test_dns_is_that_of_kube_system_unless_given(defaults: list[Object]) -> None:
    usual = [rule.as_object() for rule in USUAL_DNS]
    assert dns_of(defaults) == usual
    assert yaml.safe_load((CHART / "values.yaml").read_text())["networkPolicy"]["dns"] == usual


@pytest.mark.parametrize("rules", [NODE_LOCAL, OPENSHIFT, IPV6], ids=["NodeLocal", "OpenShift", "IPv6"])
def test_dns_may_be_elsewhere_for_models_too(rules: Rules) -> None:
    assert dns_of(render(json_values=[as_set("networkPolicy.dns", rules)])) == rules


def test_the_examples_of_the_values_are_those_that_are_tested() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  # Rules for clusters"))
    shown = [line for line in lines[start : lines.index("", start)] if line.startswith("  #     ")]
    rules = yaml.safe_load("\n".join(line.removeprefix("  #     ") for line in shown))
    assert rules == [*NODE_LOCAL, *OPENSHIFT, *IPV6]


def test_a_release_that_had_no_dns_rules_can_be_upgraded_with_its_values() -> None:
    spec = of_kind(render("networkPolicy.dns=null"), "Deployment")["modelport-operator"]["spec"]
    assert "MODELPORT_OPERATOR_DNS_EGRESS" not in environment(spec["template"]["spec"]["containers"][0])


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"to": []},
        {"tos": [{"podSelector": {}}]},
        {"to": [{"podselector": {}}]},
        {"to": [{"ipBlock": {"cidr": "10.0.0.0"}}]},
        {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]},
        {"ports": [{"port": 53, "protocol": "udp"}]},
        {"ports": [{"ports": 53}]},
    ],
)
def test_a_rule_that_would_open_more_or_be_refused_is_refused_at_once(rule: Object) -> None:
    assert "networkPolicy" in refusal(json_values=[as_set("networkPolicy.dns", [rule])])
