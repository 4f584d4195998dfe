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


API_SERVER: Rules = [{"to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}], "ports": [{"port": 6443}]}]
FURTHER: Rules = [{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 443, "protocol": "TCP"}]}]
CLOSED = "networkPolicy.allowExternalEgress=false"
OUTSIDE = (
    "postgresql.external.existingSecret=database",
    "redis.external.existingSecret=cache",
    "artifacts.url=s3://models/all",
)


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
    structured = ("dns_egress", "extra_egress", "pod_security_context")
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
    assert "networkPolicy" in refusal(json_values=[as_set("networkPolicy.dns", [rule])])


def closed(*settings: str, **further: Rules) -> dict[str, Object]:
    """The egress policies of a release whose pods call those alone that they need, by component."""
    given = [as_set(f"networkPolicy.extraEgress.{name}", rules) for name, rules in further.items()]
    objects = render(
        CLOSED, *settings, json_values=[as_set("networkPolicy.kubeApiServer", API_SERVER), *given]
    )
    suffix = "-egress"
    return {
        name.removeprefix("modelport-").removesuffix(suffix): policy
        for name, policy in of_kind(objects, "NetworkPolicy").items()
        if name.endswith(suffix)
    }


def called(policy: Object) -> set[str]:
    """Components and ports, and what is no pod of this release by its first address or namespace."""
    found = set()
    for rule in policy["spec"]["egress"]:
        [peer, *_] = rule["to"]
        if "ipBlock" in peer:
            name = peer["ipBlock"]["cidr"]
        else:
            labels = peer["podSelector"]["matchLabels"]
            name = next(
                labels[key]
                for key in ("app.kubernetes.io/component", "k8s-app", "app.kubernetes.io/name")
                if key in labels
            )
        found.add(f"{name}:{rule['ports'][0]['port']}")
    return found


def test_unless_closed_no_component_s_calls_are_restricted(defaults: list[Object]) -> None:
    restricted = {
        name
        for name, policy in of_kind(defaults, "NetworkPolicy").items()
        if "Egress" in policy["spec"]["policyTypes"]
    }
    assert restricted == {"modelport-postgresql", "modelport-redis"}
    assert all("egress" not in policy["spec"] for policy in of_kind(defaults, "NetworkPolicy").values())
    assert operator_settings(defaults).extra_egress == ()


def test_closed_each_calls_those_that_it_needs() -> None:
    policies = closed()
    assert all(policy["spec"]["policyTypes"] == ["Egress"] for policy in policies.values())
    dns, kubernetes, models = "kube-dns:53", "10.0.0.5/32:6443", "modelport-runtime:8080"
    assert {name: called(policy) for name, policy in policies.items()} == {
        "gateway": {dns, kubernetes, models, "control-api:8001", "redis:6379"},
        # The batch worker is in its pod.
        "control-api": {dns, kubernetes, models, "postgresql:5432", "redis:6379"},
        "operator": {dns, kubernetes, models, "control-api:8001"},
        "migration": {dns, "postgresql:5432"},
        "test": {dns, "control-api:8000", "gateway:8080"},
    }
    for name, policy in policies.items():
        selected = policy["spec"]["podSelector"]["matchLabels"]
        assert selected["app.kubernetes.io/component"] == name


def test_closed_with_all_outside_the_rules_given_are_the_way_there() -> None:
    policies = closed(*OUTSIDE, gateway=FURTHER, controlApi=FURTHER, worker=FURTHER)
    dns, kubernetes, models = "kube-dns:53", "10.0.0.5/32:6443", "modelport-runtime:8080"
    assert {name: called(policy) for name, policy in policies.items() if name != "test"} == {
        "gateway": {dns, kubernetes, models, "control-api:8001", "10.1.2.3/32:443"},
        "control-api": {dns, kubernetes, "10.1.2.3/32:443"},
        "worker": {dns, models, "control-api:8001", "10.1.2.3/32:443"},
        "operator": {dns, kubernetes, models, "control-api:8001"},
        "migration": {dns, "10.1.2.3/32:443"},
    }


def test_a_worker_beside_the_control_api_has_its_rules_there() -> None:
    assert "10.1.2.3/32:443" in called(closed(worker=FURTHER)["control-api"])


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        ((CLOSED,), {}, "kubectl get endpoints kubernetes"),
        ((CLOSED, OUTSIDE[0]), {"kubeApiServer": API_SERVER}, "extraEgress.controlApi"),
        ((CLOSED, OUTSIDE[1]), {"kubeApiServer": API_SERVER}, "extraEgress.gateway"),
        (
            (CLOSED, OUTSIDE[2]),
            {"kubeApiServer": API_SERVER, "extraEgress.controlApi": FURTHER},
            "extraEgress.worker rules for artifacts.url",
        ),
        ((), {"extraEgress.operator": FURTHER}, "allowExternalEgress to false"),
        ((), {"extraEgress.controlapi": FURTHER}, "controlapi"),
        ((), {"extraEgress.models": [{"tos": []}]}, "tos"),
    ],
)
def test_what_would_cut_a_component_off_or_have_no_effect_is_refused(
    settings: tuple[str, ...], given: dict[str, Rules], said: str
) -> None:
    values = [as_set(f"networkPolicy.{name}", rules) for name, rules in given.items()]
    assert said in refusal(*settings, json_values=values)


def test_models_and_built_in_databases_may_be_given_further_rules_at_any_time() -> None:
    names = ("models", "postgresql", "redis")
    objects = render(json_values=[as_set(f"networkPolicy.extraEgress.{name}", FURTHER) for name in names])
    assert [rule.as_object() for rule in operator_settings(objects).extra_egress] == FURTHER
    policies = of_kind(objects, "NetworkPolicy")
    for name in ("postgresql", "redis"):
        assert called(policies[f"modelport-{name}"]) == {"10.1.2.3/32:443", "kube-dns:53"}


@pytest.mark.parametrize(
    "settings", [("networkPolicy.enabled=false", CLOSED), ("networkPolicy.enabled=false",)]
)
def test_without_policies_there_are_none(settings: tuple[str, ...]) -> None:
    assert not of_kind(render(*settings), "NetworkPolicy")


def test_a_release_that_had_no_egress_rules_can_be_upgraded_with_its_values(defaults: list[Object]) -> None:
    earlier = ("dns", "allowExternalEgress", "kubeApiServer", "extraEgress")
    objects = render(*(f"networkPolicy.{name}=null" for name in earlier))
    assert of_kind(objects, "NetworkPolicy") == of_kind(defaults, "NetworkPolicy")
