"""The objects of a version: isolation, limits, probes and the containers' settings."""

import json
import re
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from modelport_crds.mlmodel import Artifact, Batching, Resources, Scaling
from modelport_crds.names import LABEL_MANAGED_BY, MANAGED_BY_CONTROL_API
from modelport_kube.kube import RESOURCES, Object
from modelport_operator.core.desired import desired_objects
from modelport_operator.core.quantities import canonical, to_bytes
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.core.sync import has_same_rules, is_as_wanted, is_edited, replacement
from modelport_operator.settings import Settings
from pydantic import ValidationError

from tests.operator.unit.harness import settings
from tests.support.builders import ModelBuilder, a_model, a_version, digest_of


def _one(kind: str, model: ModelBuilder | None = None, given: Settings | None = None) -> Object:
    objects = desired_objects((model or a_model()).build(), given or settings())
    return next(obj for obj in objects if obj["kind"] == kind)


def _pod_spec(model: ModelBuilder | None = None, given: Settings | None = None) -> Object:
    spec: Object = _one("Deployment", model, given)["spec"]["template"]["spec"]
    return spec


def _env(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def _model_env(model: ModelBuilder | None = None, given: Settings | None = None) -> dict[str, str]:
    return _env(_pod_spec(model, given)["containers"][0])


def _sample_of(model: ModelBuilder) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_model_env(model)["MODELPORT_RUNTIME_SAMPLE"])
    return told


def _fetch_env(model: ModelBuilder | None = None, given: Settings | None = None) -> dict[str, str]:
    return _env(_pod_spec(model, given)["initContainers"][0])


def test_every_object_is_named_labeled_and_owned() -> None:
    for obj in desired_objects(a_model().replicas(2).build(), settings()):
        metadata = obj["metadata"]
        assert obj["apiVersion"] == RESOURCES[obj["kind"]]
        assert (metadata["name"], metadata["namespace"]) == ("iris-v1", "modelport-models")
        assert metadata["labels"]["serving.modelport.dev/model"] == "iris"
        assert metadata["labels"]["serving.modelport.dev/version"] == "v1"
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("MLModel", "uid-iris", True)


def test_the_same_model_gives_the_same_objects() -> None:
    model = a_model().versions("v1", "v2").build()
    assert desired_objects(model, settings()) == desired_objects(model, settings())


def test_the_pod_keeps_to_the_restricted_pod_security_standard() -> None:
    spec = _pod_spec()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert all("emptyDir" in volume for volume in spec["volumes"])


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, {}),
        ({"runAsUser": None, "runAsGroup": None, "fsGroup": None}, {}),
        ({"runAsUser": 1_000_700_000, "runAsGroup": 0}, {"runAsUser": 1_000_700_000, "runAsGroup": 0}),
    ],
)
def test_the_pods_ids_may_be_others_or_the_clusters(given: Object, ids: Object) -> None:
    pod = _pod_spec(given=settings(pod_security_context=given))["securityContext"]
    assert pod == {"runAsNonRoot": True, **ids, "seccompProfile": {"type": "RuntimeDefault"}}


def test_other_ids_are_another_template() -> None:
    usual, others = _one("Deployment"), _one("Deployment", given=settings(pod_security_context={}))
    assert template_digest(usual) != template_digest(others)


@pytest.mark.parametrize("wrong", [{"runAsUser": 0}, {"fsGroup": -1}, {"runasUser": 1}, {"privileged": True}])
def test_no_id_is_root_s_and_nothing_else_of_a_security_context_is_taken(wrong: Object) -> None:
    with pytest.raises(ValidationError, match="pod_security_context"):
        settings(pod_security_context=wrong)


def test_the_pod_gets_no_token_and_learns_of_no_other_model() -> None:
    assert _pod_spec()["automountServiceAccountToken"] is False
    assert _pod_spec()["enableServiceLinks"] is False
    assert _one("ServiceAccount")["automountServiceAccountToken"] is False


def test_the_model_cannot_write_its_own_file() -> None:
    spec = _pod_spec()
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "artifact"]
    assert mount == {"name": "artifact", "mountPath": "/modelport/artifact", "readOnly": True}


def test_the_containers_are_started_isolated_from_the_folder_and_the_environment_of_others() -> None:
    spec = _pod_spec()
    assert spec["initContainers"][0]["command"] == ["python", "-I", "-m", "modelport_runtime.fetch"]
    assert spec["containers"][0]["command"] == ["python", "-I", "-m", "modelport_runtime"]


def test_the_runtime_gets_the_variables_of_the_contract() -> None:
    model = a_model().with_spec(batching=Batching(max_batch_size=7))
    assert _model_env(model) == {
        "MODELPORT_RUNTIME_MODEL": "iris",
        "MODELPORT_RUNTIME_VERSION": "v1",
        "MODELPORT_RUNTIME_FRAMEWORK": "sklearn",
        "MODELPORT_RUNTIME_ARTIFACT": "/modelport/artifact/model",
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": digest_of("v1"),
        "MODELPORT_RUNTIME_LISTEN": "0.0.0.0:8080",
        "MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS": "60",
        "MODELPORT_RUNTIME_MEMORY_BYTES": "2147483648",
        "MODELPORT_RUNTIME_MAX_BATCH_SIZE": "7",
        "MODELPORT_RUNTIME_MAX_BODY_BYTES": "16777216",
        "MODELPORT_RUNTIME_SAMPLE": '{"input":[1.0,2.0]}',
    }


def test_a_sample_has_its_fields_in_order_though_kubernetes_sorts_them() -> None:
    sample = {"input": {"a": 1, "b": 2, "c": 3}}
    version = a_version(sample=sample, sample_columns=("c", "a", "b"))
    told = _sample_of(a_model().versions(version))
    assert list(told) == ["input"]
    assert list(told["input"].items()) == [("c", 3), ("a", 1), ("b", 2)]


@pytest.mark.parametrize("columns", [(), ("b",)])
def test_a_sample_without_its_order_says_so(columns: tuple[str, ...]) -> None:
    version = a_version(sample={"input": {"a": 1, "b": 2}}, sample_columns=columns)
    assert _sample_of(a_model().versions(version))["unordered"] is True


def test_a_list_is_in_order_and_so_is_what_an_earlier_control_api_published() -> None:
    assert _sample_of(a_model().versions(a_version())) == {"input": [1.0, 2.0]}
    model = a_model().versions(a_version(sample={"input": {"a": 1, "b": 2}}))
    model = model.labeled(LABEL_MANAGED_BY, MANAGED_BY_CONTROL_API)
    assert _sample_of(model) == {"input": {"a": 1, "b": 2}}


def test_a_sample_arrives_as_it_is_though_kubernetes_expands_variables() -> None:
    sample = {"input": {"price": "$$5 $(PATH)", "name": "Zoë"}}
    version = a_version(sample=sample, sample_columns=("price", "name"))
    text = _model_env(a_model().versions(version))["MODELPORT_RUNTIME_SAMPLE"]
    assert "$" not in text
    assert json.loads(text) == sample


def test_only_an_opt_out_lets_a_model_run_without_its_sandbox() -> None:
    assert "MODELPORT_RUNTIME_ALLOW_UNSANDBOXED" not in _model_env()
    assert _model_env(given=settings(allow_unsandboxed=True))["MODELPORT_RUNTIME_ALLOW_UNSANDBOXED"] == "true"


def test_a_model_of_another_namespace_has_it_in_its_id() -> None:
    assert _model_env(a_model().named("iris", "team"))["MODELPORT_RUNTIME_MODEL"] == "team.iris"


def test_the_file_comes_from_the_platforms_store_by_its_digest() -> None:
    sha256 = digest_of("v1")
    assert _fetch_env() == {
        "MODELPORT_FETCH_URI": f"file:///artifacts/sha256/{sha256[:2]}/{sha256}",
        "MODELPORT_FETCH_SHA256": sha256,
        "MODELPORT_FETCH_TO": "/modelport/artifact/model",
    }


def test_a_file_elsewhere_is_fetched_from_there() -> None:
    artifact = Artifact(uri="https://example.org/{sha256}/m.onnx", sha256=digest_of("x"))
    model = a_model().versions(a_version(artifact=artifact))
    assert _fetch_env(model)["MODELPORT_FETCH_URI"] == "https://example.org/{sha256}/m.onnx"


def test_a_versions_own_memory_limit_counts_for_pod_and_process() -> None:
    resources = Resources(limits={"memory": "1Gi", "cpu": "2"}, requests={"cpu": "500m"})
    model = a_model().versions(a_version(resources=resources))
    container = _pod_spec(model)["containers"][0]
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "268435456"},
        "limits": {"memory": "1073741824", "cpu": "2"},
    }
    assert _env(container)["MODELPORT_RUNTIME_MEMORY_BYTES"] == "1073741824"


def test_a_small_limit_brings_the_request_down_with_it() -> None:
    model = a_model().versions(a_version(resources=Resources(limits={"memory": "128Mi"})))
    assert _pod_spec(model)["containers"][0]["resources"]["requests"]["memory"] == "134217728"


def test_the_startup_probe_lets_a_load_take_its_whole_limit() -> None:
    probe = _pod_spec(given=settings(load_timeout_seconds=300))["containers"][0]["startupProbe"]
    assert probe["httpGet"]["path"] == "/startupz"
    assert probe["periodSeconds"] * probe["failureThreshold"] > 300


def test_each_probe_has_its_own_path() -> None:
    container = _pod_spec()["containers"][0]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8080}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 8080}


def test_an_update_never_takes_a_pod_away_before_its_successor_is_ready() -> None:
    strategy = _one("Deployment")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_replicas_are_spread_and_guarded_only_where_there_are_several() -> None:
    one, two = a_model(), a_model().replicas(2)
    assert "topologySpreadConstraints" not in _pod_spec(one)
    assert _pod_spec(two)["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    kinds = [obj["kind"] for obj in desired_objects(one.build(), settings())]
    assert "PodDisruptionBudget" not in kinds
    assert _one("PodDisruptionBudget", two)["spec"]["maxUnavailable"] == 1


def test_a_failed_version_keeps_its_objects_and_runs_no_pod() -> None:
    objects = desired_objects(a_model().versions("v1", "v2").build(), settings(), stopped={"v2"})
    replicas = {
        obj["metadata"]["name"]: obj["spec"]["replicas"] for obj in objects if obj["kind"] == "Deployment"
    }
    assert replicas == {"iris-v1": 1, "iris-v2": 0}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (a_model().replicas(3), True),
        (a_model().with_spec(timeout_seconds=60, display_name="Iris"), True),
        (a_model().versions("v1", "v2"), True),
        (a_model().versions(a_version("v1", sample={"input": [3]})), False),
        (a_model().with_spec(batching=Batching(max_batch_size=2)), False),
    ],
    ids=["replicas", "gateway's fields", "another version", "sample", "batch size"],
)
def test_the_templates_digest_changes_only_with_what_runs(change: ModelBuilder, same: bool) -> None:
    before, after = template_digest(_one("Deployment")), template_digest(_one("Deployment", change))
    assert (before == after) is same


def test_only_gateway_and_operator_reach_a_model() -> None:
    (rule,) = _one("NetworkPolicy")["spec"]["ingress"]
    components = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]]
    assert components == ["gateway", "operator"]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]


def _egress(uri: str, base: str = "file:///a/{sha256}") -> list[Any]:
    artifact = Artifact(uri=uri, sha256=digest_of("v1"))
    model = a_model().versions(a_version(artifact=artifact))
    found: list[Any] = _one("NetworkPolicy", model, settings(artifact_base_url=base))["spec"]["egress"]
    return found


def test_a_local_file_needs_no_network() -> None:
    assert _egress(f"artifact:{digest_of('v1')}") == []


def test_the_platforms_store_is_reached_at_its_port_only() -> None:
    rules = _egress(f"artifact:{digest_of('v1')}", "http://control-api:8081/internal/v1/artifacts/{sha256}")
    assert rules[0]["ports"] == [{"port": 8081, "protocol": "TCP"}]
    labels = rules[0]["to"][0]["podSelector"]["matchLabels"]
    assert labels == {"app.kubernetes.io/component": "control-api"}
    assert [port["port"] for port in rules[1]["ports"]] == [53, 53]


def _reaches(rule: Object, address: str) -> bool:
    """Whether the rule lets a pod call the address, as a network's plugin reads it."""
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    return any(
        _is_in(address, [block["cidr"]]) and not _is_in(address, block.get("except", [])) for block in blocks
    )


def _is_in(address: str, networks: list[str]) -> bool:
    return any(ip_address(address) in ip_network(network) for network in networks)


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "127.0.0.1"),
        # Unique local, and what clouds have there; link-local, site-local, loopback, unspecified, multicast.
        *("fc00::1", "fd00:10:96::a", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fec0::1", "::1", "::"),
        "ff02::1",
        # 10.0.0.1 and 169.254.169.254 as IPv6 carries them: NAT64 (twice), 6to4, mapped, compatible, Teredo.
        *("64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "::ffff:10.0.0.1", "::10.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1"),
        # Documentation, benchmarks, what leads nowhere, segment routing.
        *("2001:db8::1", "3fff::1", "2001:2::1", "100::1", "5f00::1"),
    ],
)
def test_a_public_file_opens_no_private_network_of_ipv4_or_ipv6(address: str) -> None:
    assert not _reaches(_egress("https://example.org/model.onnx")[0], address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:21f:cb07::1", "2a00:1450:4001::200e"])
def test_a_public_file_is_reached_by_ipv4_and_ipv6_at_its_port(address: str) -> None:
    rule = _egress("https://example.org/model.onnx")[0]
    assert _reaches(rule, address)
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_what_a_block_leaves_out_is_a_part_of_it_as_the_api_server_wants() -> None:
    for block in (peer["ipBlock"] for peer in _egress("https://example.org/model.onnx")[0]["to"]):
        network = ip_network(block["cidr"])
        for left_out in map(ip_network, block["except"]):
            assert left_out.version == network.version
            assert left_out.subnet_of(network)
            assert left_out != network


_NODE_LOCAL = {
    "to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
_OPENSHIFT = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
    "ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}],
}


def test_dns_is_where_the_platform_says() -> None:
    given = settings(dns_egress=[_NODE_LOCAL, _OPENSHIFT])
    model = a_model().versions(
        a_version(artifact=Artifact(uri="https://example.org/m.onnx", sha256=digest_of("v1")))
    )
    assert _one("NetworkPolicy", model, given)["spec"]["egress"][1:] == [_NODE_LOCAL, _OPENSHIFT]
    assert _one("NetworkPolicy", given=given)["spec"]["egress"] == [], "a local file needs no network"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "must have `to`, `ports` or both"),
        ({"to": []}, "must have `to`, `ports` or both"),
        ({"tos": [{"podSelector": {}}], "ports": [{"port": 53}]}, "Extra inputs"),
        ({"to": [{"podselector": {}}]}, "Extra inputs"),
        ({"to": [{}]}, "must have an ipBlock"),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}, "must have an ipBlock"),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}, "10.0.0.0/99"),
        ({"to": [{"ipBlock": {"cidr": "::/0", "except": ["10.0.0.0/8"]}}]}, "10.0.0.0/8 is no part of ::/0"),
        ({"ports": [{"port": 53, "protocol": "udp"}]}, "'UDP'"),
    ],
)
def test_an_egress_rule_that_would_open_more_or_be_refused_is_an_error_at_the_start(
    rule: Object, said: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        settings(dns_egress=[rule])


def test_a_policy_s_rule_that_means_less_than_wanted_is_seen() -> None:
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}

    def policy(*to: Object) -> Object:
        return {"kind": "NetworkPolicy", "spec": {"egress": [{"to": list(to)}], "policyTypes": ["Egress"]}}

    wanted, narrower = policy(namespace), policy({**namespace, "podSelector": {"matchLabels": {"a": "b"}}})
    assert is_as_wanted(wanted, narrower)
    assert not has_same_rules(wanted, narrower)
    assert not has_same_rules(wanted, {"spec": {}})
    assert not has_same_rules(policy({"podSelector": {}}), policy({**namespace, "podSelector": {}}))
    assert has_same_rules(policy({"podSelector": {"matchLabels": {}}}), policy({"podSelector": {}}))
    assert has_same_rules({"kind": "Service", "spec": {}}, {"spec": {"ports": []}})


def test_the_service_gives_the_gateway_each_pod() -> None:
    spec = _one("Service")["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["selector"] == _one("Deployment")["spec"]["selector"]["matchLabels"]


def test_an_address_without_a_digest_in_it_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match=r"must hold \{sha256\}"):
        settings(artifact_base_url="file:///artifacts")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("512Mi", 512 * 1024**2),
        ("1.5Gi", 1610612736),
        ("2G", 2_000_000_000),
        ("64k", 64_000),
        ("500m", 1),
    ],
)
def test_quantities_are_read(text: str, number: int) -> None:
    assert to_bytes(text) == number


@pytest.mark.parametrize("text", ["", "lots", "-1Gi", "1 Gi", "1Ei"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="512Mi"):
        to_bytes(text)


def test_what_the_cluster_adds_is_no_difference() -> None:
    wanted = {"spec": {"ports": [{"port": 1}], "selector": {"a": "b"}}}
    live = {"spec": {"ports": [{"port": 1, "protocol": "TCP"}], "selector": {"a": "b"}, "x": 1}, "status": {}}
    assert is_as_wanted(wanted, live)


@pytest.mark.parametrize(
    "live",
    [
        {"spec": {"ports": [{"port": 2}]}},
        {"spec": {"ports": []}},
        {"spec": {"ports": [{"port": 1}, {"port": 2}]}},
        {"spec": {}},
        {"spec": None},
    ],
)
def test_what_differs_is_seen(live: Object) -> None:
    assert not is_as_wanted({"spec": {"ports": [{"port": 1}]}}, live)


def test_what_the_api_server_leaves_out_because_it_is_empty_is_no_difference() -> None:
    wanted = {"spec": {"egress": [], "podSelector": {"matchLabels": {}}, "env": [{"name": "A", "value": ""}]}}
    assert is_as_wanted(wanted, {"spec": {"podSelector": {}, "env": [{"name": "A"}]}})


@pytest.mark.parametrize("value", [False, 0])
def test_a_no_that_was_taken_away_is_seen(value: object) -> None:
    assert not is_as_wanted({"automountServiceAccountToken": value}, {})


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("0.0005", "500u"),
        ("0", "0"),
        ("0.0", "0"),
        ("100m", "100m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("0.3Mi", "314572800m"),
        ("1000000", "1M"),
        ("2147483648", "2147483648"),
        ("1000000k", "1G"),
        ("0.0000000001", "1n"),
        ("lots", "lots"),
    ],
)
def test_quantities_are_written_as_the_api_server_gives_them_back(written: str, kept: str) -> None:
    assert canonical(written) == kept


def test_more_replicas_than_the_limit_are_not_run() -> None:
    model = a_model().with_spec(scaling=Scaling(min_replicas=9, max_replicas=2))
    assert _one("Deployment", model)["spec"]["replicas"] == 2


def _of_uri(uri: str, given: Settings | None = None, model: ModelBuilder | None = None) -> Object:
    artifact = Artifact(uri=uri, sha256=digest_of("v1"))
    return _pod_spec((model or a_model()).versions(a_version(artifact=artifact)), given)


def test_a_claim_is_seen_by_the_init_container_only_and_not_to_be_written() -> None:
    spec = _of_uri("pvc://models/iris/v1.joblib")
    (fetch,), (model,) = spec["initContainers"], spec["containers"]
    assert _env(fetch)["MODELPORT_FETCH_URI"] == "file:///modelport/source/iris/v1.joblib"
    assert {"name": "source", "mountPath": "/modelport/source", "readOnly": True} in fetch["volumeMounts"]
    assert "source" not in [mount["name"] for mount in model["volumeMounts"]]
    (volume,) = (each for each in spec["volumes"] if each["name"] == "source")
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}


def test_only_the_init_container_of_an_s3_artifact_gets_the_credentials() -> None:
    spec = _of_uri("s3://models/a", settings(artifact_credentials_secret="s3"))
    assert _secret_keys(spec["initContainers"][0]) == {
        ("s3", "AWS_ACCESS_KEY_ID", False),
        ("s3", "AWS_SECRET_ACCESS_KEY", False),
        ("s3", "AWS_SESSION_TOKEN", True),
        ("s3", "AWS_REGION", True),
        ("s3", "AWS_DEFAULT_REGION", True),
        ("s3", "AWS_ENDPOINT_URL", True),
        ("s3", "AWS_ENDPOINT_URL_S3", True),
    }
    assert "envFrom" not in spec["initContainers"][0], "whatever else the Secret holds stays where it is"
    assert _secret_keys(spec["containers"][0]) == set()
    elsewhere = _of_uri("https://host/a", settings(artifact_credentials_secret="s3"))
    assert _secret_keys(elsewhere["initContainers"][0]) == set()
    assert _secret_keys(_of_uri("s3://models/a")["initContainers"][0]) == set()


def _secret_keys(container: Object) -> set[tuple[str, str, bool]]:
    refs = [each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each]
    return {(ref["name"], ref["key"], ref["optional"]) for ref in refs}


def test_a_model_may_name_its_own_credentials() -> None:
    own = a_model().annotated("serving.modelport.dev/artifact-credentials", "own")
    spec = _of_uri("s3://models/a", settings(artifact_credentials_secret="s3"), own)
    assert {name for name, _, _ in _secret_keys(spec["initContainers"][0])} == {"own"}


def test_private_networks_are_opened_only_where_the_platform_says_so() -> None:
    artifact = Artifact(uri="http://files.team-a/model", sha256=digest_of("v1"))
    model = a_model().versions(a_version(artifact=artifact))
    rules = _one("NetworkPolicy", model, settings(artifact_networks="10.0.0.0/8, 192.168.1.0/24"))["spec"][
        "egress"
    ]
    assert rules[1] == {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "192.168.1.0/24"}}]}
    local = _one("NetworkPolicy", given=settings(artifact_networks="10.0.0.0/8"))["spec"]["egress"]
    assert local == [], "a file in the image needs no network"


def test_further_egress_is_every_models_and_brings_dns_along() -> None:
    further = {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 443, "protocol": "TCP"}]}
    given = settings(extra_egress=[further], dns_egress=[_OPENSHIFT])
    assert _one("NetworkPolicy", given=given)["spec"]["egress"] == [further, _OPENSHIFT]
    fetching = a_model().versions(
        a_version(artifact=Artifact(uri="https://example.org/m.onnx", sha256=digest_of("v1")))
    )
    assert _one("NetworkPolicy", fetching, given)["spec"]["egress"][1:] == [further, _OPENSHIFT]


def test_a_scraper_may_reach_a_model_only_where_one_is_named() -> None:
    scraper = {"namespace": "monitoring", "labels": {"app": "prometheus"}}
    (rule,) = _one("NetworkPolicy", given=settings(metrics_scraper=scraper))["spec"]["ingress"]
    assert rule["from"][2] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
        "podSelector": {"matchLabels": {"app": "prometheus"}},
    }


def test_each_framework_runs_in_its_own_image() -> None:
    given = settings(runtime_images={"onnx": "registry.example.org/onnx:1"}, image_pull_policy="Always")
    images = {}
    for framework in ("sklearn", "xgboost", "lightgbm", "onnx"):
        spec = _pod_spec(a_model().versions(a_version(framework=framework)), given)
        images[framework] = {each["image"] for each in [*spec["initContainers"], *spec["containers"]]}
        assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert images["onnx"] == {"registry.example.org/onnx:1"}
    assert images["sklearn"] == images["xgboost"] == images["lightgbm"] == {"modelport-runtime-sklearn"}


def test_a_version_that_names_an_environment_runs_in_its_image() -> None:
    given = settings(environment_image="registry.example.org/runtime-{environment}:1")
    spec = _pod_spec(a_model().versions(a_version(environment="sklearn-1.2")), given)
    images = {each["image"] for each in [*spec["initContainers"], *spec["containers"]]}
    assert images == {"registry.example.org/runtime-sklearn-1.2:1"}


def test_a_framework_with_an_environment_of_its_own_runs_in_its_image() -> None:
    model = a_model().versions(a_version(framework="catboost"))
    given = settings(environment_image="registry.example.org/runtime-{environment}:1")
    assert _pod_spec(model)["containers"][0]["image"] == "modelport-runtime-catboost-1.2"
    assert _pod_spec(model, given)["containers"][0]["image"] == "registry.example.org/runtime-catboost-1.2:1"
    own = settings(runtime_images={"catboost": "registry.example.org/catboost:1"})
    assert _pod_spec(model, own)["containers"][0]["image"] == "registry.example.org/catboost:1"


def test_an_image_of_environments_names_them() -> None:
    with pytest.raises(ValidationError, match="environment"):
        settings(environment_image="registry.example.org/runtime")


def test_pods_are_placed_as_the_platform_says() -> None:
    given = settings(
        node_selector={"pool": "models"},
        tolerations=[{"key": "models", "operator": "Exists"}],
        priority_class_name="models",
        image_pull_secrets="one, two",
    )
    spec = _pod_spec(given=given)
    assert spec["nodeSelector"] == {"pool": "models"}
    assert spec["tolerations"] == [{"key": "models", "operator": "Exists"}]
    assert spec["priorityClassName"] == "models"
    assert spec["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert not {"nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"} & _pod_spec().keys()


def test_all_namespaces_are_watched_unless_some_are_named() -> None:
    assert settings().namespaces == (None,)


def test_settings_are_read_from_the_environment_as_users_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ARTIFACT_BASE_URL": "http://control-api:8081/{sha256}",
        "WATCH_NAMESPACES": "team-a, team-b,",
        "RUNTIME_IMAGES": '{"onnx": "onnx:1"}',
        "TOLERATIONS": '[{"key": "models", "operator": "Exists"}]',
        "METRICS_SCRAPER": '{"namespace": "monitoring"}',
        "DNS_EGRESS": json.dumps([_OPENSHIFT]),
    }.items():
        monkeypatch.setenv(f"MODELPORT_OPERATOR_{name}", value)
    given = Settings()  # type: ignore[call-arg]
    assert given.namespaces == ("team-a", "team-b")
    assert given.runtime_images["onnx"] == "onnx:1"
    assert given.tolerations[0]["key"] == "models"
    assert given.metrics_scraper is not None
    assert given.metrics_scraper.namespace == "monitoring"
    assert [rule.as_object() for rule in given.dns_egress] == [_OPENSHIFT]


def _written_by(manager: str, fields: Object, **more: str) -> Object:
    entry = {"manager": manager, "operation": "Update", "fieldsV1": fields, **more}
    return {"metadata": {"name": "x", "managedFields": [entry]}}


@pytest.mark.parametrize(
    ("live", "edited"),
    [
        (_written_by("kubectl-set", {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}), True),
        (_written_by("kubectl-edit", {"f:spec": {"f:paused": {}}}), True),
        (_written_by("modelport-operator", {"f:spec": {"f:replicas": {}}}), False),
        (_written_by("kube-controller-manager", {"f:metadata": {"f:annotations": {}}}), False),
        (_written_by("kube-controller-manager", {"f:spec": {"f:x": {}}}, subresource="status"), False),
        (
            _written_by("kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {}}}}}),
            False,
        ),
        ({"metadata": {"name": "x"}}, False),
    ],
    ids=["a variable", "a field", "our own", "a revision", "a status", "a restart", "another cluster"],
)
def test_what_someone_else_put_into_a_spec_is_seen(live: Object, edited: bool) -> None:
    assert is_edited(live) is edited


def test_a_replacement_keeps_what_the_cluster_knows_and_drops_what_others_wrote() -> None:
    wanted = {"kind": "Deployment", "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"replicas": 1}}
    live = {
        "kind": "Deployment",
        "metadata": {
            "name": "x",
            "uid": "1",
            "resourceVersion": "7",
            "labels": {"c": "d"},
            "managedFields": [],
        },
        "spec": {"replicas": 1, "paused": True},
        "status": {},
    }
    assert replacement(wanted, live) == {
        "kind": "Deployment",
        "metadata": {"name": "x", "uid": "1", "resourceVersion": "7", "labels": {"a": "b", "c": "d"}},
        "spec": {"replicas": 1},
    }
