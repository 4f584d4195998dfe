"""Every object of the chart, as a real API server takes it: schemas, admission, Pod Security."""

from collections.abc import Iterator

import pytest

from tests.chart.unit.chart import Object, pod_specs, render
from tests.cluster.cluster import Cluster
from tests.e2e.kubectl import Kubectl

pytestmark = pytest.mark.e2e

NAMESPACE = "modelport-e2e-chart"
# Of add-ons that this cluster may not have.
_ADD_ONS = ("HTTPRoute", "ServiceMonitor", "PodMonitor")

VARIANTS = {
    "no values": (),
    "everything on": (
        "ingress.enabled=true",
        "ingress.host=models.example.com",
        "ingress.tls.secretName=tls",
        "gateway.autoscaling.enabled=true",
        "metrics.dashboards.enabled=true",
        "metrics.scraper.namespace=monitoring",
        "metrics.scraper.labels.app=prometheus",
        "networkPolicy.ingressFrom[0].namespaceSelector.matchLabels.name=ingress",
        "image.pullSecrets={registry}",
        "runtime.nodeSelector.pool=models",
        "runtime.tolerations[0].key=models",
        "runtime.artifactNetworks={10.0.0.0/8}",
        "watchNamespaces={*}",
    ),
    "nothing built in": (
        "postgresql.external.url=postgresql://u:p@db/m",
        "redis.external.url=rediss://:p@cache:6379/0",
        "artifacts.url=s3://bucket/models",
        "controlApi.replicas=3",
        "crds.install=false",
        "networkPolicy.enabled=false",
    ),
}


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Iterator[Kubectl]:
    made = Kubectl(cluster.kubeconfig, NAMESPACE)
    made.create_namespace()
    yield made
    made.leave_namespace()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_api_server_takes_every_object_without_a_warning(kubectl: Kubectl, variant: str) -> None:
    # All into the one namespace: a dry run cannot create the other for what comes after.
    objects = [_placed(each) for each in render(*VARIANTS[variant]) if each["kind"] not in _ADD_ONS]
    answer = kubectl.try_run(
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
        input={"apiVersion": "v1", "kind": "List", "items": objects},
    )
    assert answer.returncode == 0, answer.stderr
    assert "arning" not in answer.stderr
    assert answer.stdout.count("serverside-applied") == len(objects)


@pytest.mark.timeout(600)
def test_its_pods_are_admitted_where_pod_security_is_restricted(kubectl: Kubectl) -> None:
    """Pods themselves: a Deployment is taken even if none of its pods would be."""
    # A StatefulSet adds its claims to its pods by itself.
    without_claims = ("postgresql.persistence.enabled=false", "redis.persistence.enabled=false")
    for name, spec in pod_specs(render(*without_claims)).items():
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "tried"},
            "spec": _without_account(spec),
        }
        answer = kubectl.try_run("create", "--dry-run=server", "-f", "-", input=pod)
        assert answer.returncode == 0, f"{name}: {answer.stderr}"


def _placed(obj: Object) -> Object:
    if obj["kind"] not in ("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"):
        obj["metadata"]["namespace"] = NAMESPACE
    return obj


def _without_account(spec: Object) -> Object:
    # Whether the account exists is checked too, and only then.
    return {key: value for key, value in spec.items() if key != "serviceAccountName"}
