"""What helm makes of the chart: rights, isolation, routes, and the choices that users have."""

import json
from typing import Any

import pytest
import yaml

from tests.chart.unit.chart import (
    CHART,
    NAMESPACE,
    Object,
    containers,
    environment,
    of_kind,
    pod_specs,
    refusal,
    render,
    run_helm,
)

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

ALL_ON = (
    "ingress.enabled=true",
    "ingress.host=models.example.com",
    "ingress.tls.secretName=tls",
    "gateway.autoscaling.enabled=true",
    "metrics.serviceMonitor.enabled=true",
    "metrics.dashboards.enabled=true",
    "metrics.scraper.namespace=monitoring",
    "watchNamespaces={team-a,team-b}",
    "image.pullSecrets={registry}",
)


@pytest.fixture(scope="module")
def defaults() -> list[Object]:
    return render()


@pytest.fixture(scope="module", params=["defaults", "all on"])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render(*(ALL_ON if request.param == "all on" else ()))


def test_helm_finds_nothing_wrong() -> None:
    answer = run_helm("lint", "--strict", str(CHART))
    assert answer.returncode == 0, answer.stdout


def test_every_pod_is_as_pod_security_restricted_wants_it(objects: list[Object]) -> None:
    specs = pod_specs(objects)
    assert len(specs) >= 7
    for name, spec in specs.items():
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True, name
        assert pod["runAsUser"] > 0, name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(spec):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_only_those_who_speak_to_kubernetes_have_an_account(objects: list[Object]) -> None:
    for name, spec in pod_specs(objects).items():
        if name.startswith("Deployment/") and name != "Deployment/modelport-worker":
            assert spec["serviceAccountName"] == name.removeprefix("Deployment/")
        else:
            assert spec["automountServiceAccountToken"] is False, name
        # modelport-gateway would give MODELPORT_GATEWAY_PORT, which looks like a setting.
        assert spec["enableServiceLinks"] is False, name


def test_every_container_requests_cpu_and_memory_and_has_a_memory_limit(objects: list[Object]) -> None:
    for name, spec in pod_specs(objects).items():
        for container in containers(spec):
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name


def test_everything_that_runs_is_probed(defaults: list[Object]) -> None:
    for name, spec in pod_specs(defaults).items():
        if name.split("/", maxsplit=1)[0] in ("Deployment", "StatefulSet"):
            container, *beside = spec["containers"]
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
            # One that is not ready would take the API out of its Service.
            assert all("readinessProbe" not in each and "livenessProbe" in each for each in beside), name


def test_a_pod_has_time_to_drain(defaults: list[Object]) -> None:
    deployments = of_kind(defaults, "Deployment")
    for part, drain in (("gateway", 30), ("control-api", 25)):
        spec = deployments[f"modelport-{part}"]["spec"]["template"]["spec"]
        delay = f"MODELPORT_{part.upper().replace('-', '_')}_SHUTDOWN_DELAY_SECONDS"
        delay_seconds = int(environment(spec["containers"][0])[delay])
        assert delay_seconds >= 5
        assert spec["terminationGracePeriodSeconds"] >= delay_seconds + drain + 5


def test_a_rollout_takes_no_gateway_away(defaults: list[Object]) -> None:
    gateway = of_kind(defaults, "Deployment")["modelport-gateway"]["spec"]
    assert gateway["replicas"] == 2
    assert gateway["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert of_kind(defaults, "PodDisruptionBudget")["modelport-gateway"]["spec"]["maxUnavailable"] == 1


def test_no_right_is_wider_than_it_needs_be(objects: list[Object]) -> None:
    roles = [*of_kind(objects, "Role").values(), *of_kind(objects, "ClusterRole").values()]
    assert roles
    for role in roles:
        for rule in role["rules"]:
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "*" not in words
            assert not {"secrets", "configmaps", "nodes"} & set(rule["resources"])
            assert not {"deletecollection", "impersonate", "bind", "escalate"} & set(rule["verbs"])


def test_only_the_operator_writes_beside_models(objects: list[Object]) -> None:
    for role in of_kind(objects, "Role").values():
        component = role["metadata"]["labels"]["app.kubernetes.io/component"]
        for rule in role["rules"]:
            if component == "gateway":
                assert set(rule["verbs"]) <= {"list", "watch"}
            if component == "control-api" and {"create", "patch", "delete"} & set(rule["verbs"]):
                assert rule["resources"] == ["mlmodels"]


def test_without_other_namespaces_the_operator_watches_one_and_needs_no_cluster_role(
    defaults: list[Object],
) -> None:
    assert not of_kind(defaults, "ClusterRole")
    operator = of_kind(defaults, "Deployment")["modelport-operator"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert environment(operator)["MODELPORT_OPERATOR_WATCH_NAMESPACES"] == "modelport-models"


def test_some_other_namespaces_are_served_with_rights_in_those() -> None:
    objects = render("watchNamespaces={team-a,team-b}")
    places = {each["metadata"].get("namespace") for each in objects if each["kind"] == "Role"}
    assert {"modelport-models", "team-a", "team-b"} <= places
    roles = of_kind(objects, "ClusterRole").values()
    assert all(set(rule["verbs"]) == {"list", "watch"} for role in roles for rule in role["rules"])
    gateway = of_kind(objects, "Deployment")["modelport-gateway"]["spec"]["template"]["spec"]["containers"][0]
    assert environment(gateway)["MODELPORT_GATEWAY_WATCH_ALL_NAMESPACES"] == "true"


def test_all_namespaces_are_served_with_rights_in_all() -> None:
    objects = render("watchNamespaces={*}")
    assert f"{NAMESPACE}-modelport-operator" in of_kind(objects, "ClusterRole")
    operator = of_kind(objects, "Deployment")["modelport-operator"]["spec"]["template"]["spec"]["containers"][
        0
    ]
    assert "MODELPORT_OPERATOR_WATCH_NAMESPACES" not in environment(operator)


ROUTES = {
    "/predict": "gateway",
    "/api/v1/predict": "gateway",
    "/v2": "gateway",
    "/api/v1/predictions": "control-api",
    "/api": "control-api",
    "/ui": "control-api",
    "/docs": "control-api",
    "/help": "control-api",
    "/sdk": "control-api",
    "/redoc": "control-api",
    "/openapi.json": "control-api",
    "/.well-known": "control-api",
    "/healthz": "control-api",
}


def test_an_ingress_routes_users_and_nothing_inside() -> None:
    [ingress] = of_kind(render(*ALL_ON), "Ingress").values()
    [rule] = ingress["spec"]["rules"]
    found = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert found == {path: f"modelport-{part}" for path, part in ROUTES.items()}
    assert ingress["spec"]["tls"] == [{"secretName": "tls", "hosts": ["models.example.com"]}]


def test_an_http_route_routes_the_same() -> None:
    [route] = of_kind(
        render("httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public"), "HTTPRoute"
    ).values()
    found = {
        rule["matches"][0]["path"]["value"]: rule["backendRefs"][0]["name"] for rule in route["spec"]["rules"]
    }
    assert found == {path: f"modelport-{part}" for path, part in ROUTES.items()}


def test_the_public_address_is_the_ingress_unless_given() -> None:
    def public_url(*settings: str) -> Any:
        control_api = of_kind(render(*settings), "Deployment")["modelport-control-api"]
        container = control_api["spec"]["template"]["spec"]["containers"][0]
        return environment(container).get("MODELPORT_CONTROL_API_PUBLIC_URL")

    host = ("ingress.enabled=true", "ingress.host=models.example.com")
    assert public_url() is None
    assert public_url(*host) == "http://models.example.com"
    assert public_url(*host, "ingress.tls.secretName=tls") == "https://models.example.com"
    assert public_url(*host, "publicUrl=https://elsewhere") == "https://elsewhere"


def test_an_outside_database_takes_the_place_of_the_built_in_one() -> None:
    objects = render(
        "postgresql.external.url=postgresql://u:p@db/m",
        "redis.external.existingSecret=the-redis",
        "redis.enabled=false",
    )
    assert not of_kind(objects, "StatefulSet")
    secrets = of_kind(objects, "Secret")
    assert secrets["modelport-database"]["stringData"]["url"] == "postgresql://u:p@db/m"
    # The hook comes before the release's own Secret has changed.
    assert secrets["modelport-migrate"]["stringData"]["url"] == "postgresql://u:p@db/m"
    gateway = of_kind(objects, "Deployment")["modelport-gateway"]["spec"]["template"]["spec"]["containers"][0]
    assert environment(gateway)["MODELPORT_REDIS_URL"] == {
        "secretKeyRef": {"name": "the-redis", "key": "url"}
    }


def test_the_platform_s_parts_and_no_others_get_the_key_of_the_internal_port(defaults: list[Object]) -> None:
    assert len(of_kind(defaults, "Secret")["modelport-internal"]["stringData"]["key"]) == 48
    keyed = {
        container["name"]
        for deployment in of_kind(defaults, "Deployment").values()
        for container in deployment["spec"]["template"]["spec"]["containers"]
        if environment(container).get("MODELPORT_INTERNAL_KEY")
        == {"secretKeyRef": {"name": "modelport-internal", "key": "key"}}
    }
    assert keyed == {"gateway", "control-api", "operator", "worker"}


def test_model_files_on_s3_need_no_volume_and_allow_replicas() -> None:
    objects = render(
        "artifacts.url=s3://bucket/models", "artifacts.credentialsSecret=aws", "controlApi.replicas=2"
    )
    assert not of_kind(objects, "PersistentVolumeClaim")
    control_api = of_kind(objects, "Deployment")["modelport-control-api"]["spec"]
    assert control_api["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    [container] = control_api["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "aws"}}]
    assert "modelport-control-api" in of_kind(objects, "PodDisruptionBudget")


def test_images_may_come_from_anywhere_and_be_pinned() -> None:
    digest = f"sha256:{'a' * 64}"
    objects = render(
        "image.registry=registry.example.org/team/",
        "image.tag=1.2.3",
        f"gateway.image.digest={digest}",
        "runtime.onnx.image.repository=my-onnx",
    )
    deployments = of_kind(objects, "Deployment")
    images = {
        name: containers(each["spec"]["template"]["spec"])[-1]["image"] for name, each in deployments.items()
    }
    assert images["modelport-gateway"] == f"registry.example.org/team/modelport-gateway@{digest}"
    assert images["modelport-operator"] == "registry.example.org/team/modelport-operator:1.2.3"
    operator = deployments["modelport-operator"]["spec"]["template"]["spec"]["containers"][0]
    runtimes = json.loads(environment(operator)["MODELPORT_OPERATOR_RUNTIME_IMAGES"])
    assert runtimes["onnx"] == "registry.example.org/team/my-onnx:1.2.3"
    assert runtimes["sklearn"] == runtimes["xgboost"] == runtimes["lightgbm"]


def test_the_images_of_environments_come_from_where_the_others_do() -> None:
    def image(*settings: str) -> Any:
        operator = of_kind(render(*settings), "Deployment")["modelport-operator"]
        [container] = operator["spec"]["template"]["spec"]["containers"]
        return environment(container)["MODELPORT_OPERATOR_ENVIRONMENT_IMAGE"]

    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    elsewhere = ("image.registry=registry.example.org/team", "image.tag=1.2.3")
    own = ("runtime.environments.image.repository=my-{environment}", "runtime.environments.image.tag=own")
    assert image() == f"modelport-runtime-{{environment}}:{version}"
    assert image(*elsewhere) == "registry.example.org/team/modelport-runtime-{environment}:1.2.3"
    assert image(*elsewhere, *own) == "registry.example.org/team/my-{environment}:own"
    # As after an upgrade with the values of a release that did not have it.
    assert image(*elsewhere, "runtime.environments=null") == image(*elsewhere)


def test_the_pace_of_rechecks_is_the_operators_and_zero_only_where_it_is_written() -> None:
    def every(*settings: str) -> tuple[Any, Any]:
        operator = of_kind(render(*settings), "Deployment")["modelport-operator"]
        [container] = operator["spec"]["template"]["spec"]["containers"]
        given = environment(container)
        return tuple(given.get(f"MODELPORT_OPERATOR_{name}RECHECK_EVERY") for name in ("", "ENVIRONMENT_"))

    assert every() == ("1000", "0")
    assert every("settings.recheckEvery=0") == ("0", "0")
    assert every("runtime.environments.recheckEvery=500") == ("1000", "500")
    # As after an upgrade with the values of a release that did not have them.
    assert every("settings.recheckEvery=null", "runtime.environments=null") == (None, None)


def test_the_resource_is_installed_as_it_is_and_kept() -> None:
    [found] = of_kind(render(), "CustomResourceDefinition").values()
    assert found["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert found == yaml.safe_load((CHART / "files" / "mlmodel.yaml").read_text())
    assert not of_kind(render("crds.install=false"), "CustomResourceDefinition")


def test_what_holds_data_or_opens_it_outlives_the_release(defaults: list[Object]) -> None:
    for kind in ("Secret", "PersistentVolumeClaim", "Namespace"):
        kept = of_kind(defaults, kind)
        # Between the parts of one release: the next release makes its own.
        kept.pop("modelport-internal", None)
        for name, each in kept.items():
            assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", name


def test_models_may_go_with_the_release_where_that_is_wanted() -> None:
    objects = render("modelsNamespace.keep=false", "crds.keep=false", "artifacts.persistence.keep=false")
    for kind in ("PersistentVolumeClaim", "Namespace", "CustomResourceDefinition"):
        [each] = of_kind(objects, kind).values()
        assert "annotations" not in each["metadata"]


def test_secrets_are_generated_and_differ(defaults: list[Object]) -> None:
    secrets = of_kind(defaults, "Secret")
    [(name, key)] = secrets["modelport-signing-keys"]["stringData"].items()
    assert name.endswith(".pem")
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    passwords = [
        secrets[f"modelport-{part}"]["stringData"]["password"] for part in ("admin", "postgresql", "redis")
    ]
    assert len({*passwords}) == 3
    assert min(map(len, passwords)) >= 24


def test_secrets_given_are_used_and_none_is_made() -> None:
    given = ("admin", "signingKeys", "internalKey", "postgresql.auth", "redis.auth")
    objects = render(*(f"{each}.existingSecret=mine" for each in given))
    assert not of_kind(objects, "Secret")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("ingress.enabled=true", "httpRoute.enabled=true"), "choose one"),
        (("httpRoute.enabled=true",), "httpRoute.parentRefs"),
        (("postgresql.enabled=false",), "postgresql.external.url"),
        (("controlApi.replicas=2",), "ReadWriteMany"),
        (("gateway.replica=2",), "replica"),
    ],
)
def test_a_contradiction_is_refused_with_what_to_do(settings: tuple[str, ...], said: str) -> None:
    assert said in refusal(*settings)


def test_the_built_in_databases_let_in_only_who_needs_them(defaults: list[Object]) -> None:
    policies = of_kind(defaults, "NetworkPolicy")

    def callers(part: str) -> set[str]:
        [rule] = policies[f"modelport-{part}"]["spec"]["ingress"]
        return {each["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for each in rule["from"]}

    assert callers("postgresql") == {"control-api", "migration"}
    assert callers("redis") == {"control-api", "gateway"}
    assert "Egress" in policies["modelport-postgresql"]["spec"]["policyTypes"]
