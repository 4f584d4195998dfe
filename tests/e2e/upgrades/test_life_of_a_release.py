"""The chart's own life: an upgrade under load, an uninstallation that keeps data, one that keeps nothing.

Last of all folders: it takes the platform away.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e import release
from tests.e2e.disturbances.harness import Harness, build_harness
from tests.e2e.disturbances.measuring import measure
from tests.e2e.kubectl import Kubectl
from tests.e2e.running import running
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
_KINDS = "deploy,sts,rs,pod,svc,endpointslice,job,ingress,netpol,pdb,role,rolebinding,lease,cm"


@pytest.fixture(scope="module")
def harness(cluster: Cluster, platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Harness:
    return build_harness(cluster, platform, tmp_path_factory.mktemp("upgraded"))


def test_the_charts_own_test_passes(harness: Harness) -> None:
    assert "Succeeded" in release.helm(harness.release, "test", release.NAME)


@pytest.mark.nightly
async def test_an_upgrade_that_rolls_every_part_loses_no_request(
    harness: Harness, cores_to_itself: None, tmp_path: Path
) -> None:
    """Gateways, operators and control API get new pods, while 100 requests a second come in."""
    before = _pods(harness.release)

    def upgrade(harness: Harness) -> None:
        release.install(harness.release, tmp_path, {"rolled": "yes"})

    report = await measure(harness, upgrade)
    assert not report.failed, (report.statuses, [each.error for each in report.failed[:5]])
    assert report.longest_gap <= 1.0
    harness.settle()
    rolled_parts = {name for name in before if name.split("-")[1] in ("control", "gateway", "operator")}
    assert eventually(lambda: rolled_parts.isdisjoint(_pods(harness.release)))


def test_an_uninstallation_keeps_the_data_and_another_installation_takes_it_up(
    cluster: Cluster, loaded_images: dict[str, str], harness: Harness
) -> None:
    release.uninstall(harness.release)
    assert _left(harness.release) == []
    with running(cluster, loaded_images):
        # The same password, the same token, the same model: only the platform was away.
        eventually(lambda: harness.person.predict(harness.model_id, ROW).status_code == 200, seconds=240)
        assert harness.person.model(harness.model_id)["name"] == "disturbed"
    harness.person.cli("delete", harness.model_id, "--yes")


def test_it_installs_with_no_values_and_everything_can_be_removed(cluster: Cluster, harness: Harness) -> None:
    _be_rid(harness)
    cluster.recycle_volumes()
    harness.release.ensure_namespace()
    release.helm(harness.release, "install", release.NAME, str(release.CHART), "--wait")
    assert "Succeeded" in release.helm(harness.release, "test", release.NAME)
    _be_rid(harness)


def _be_rid(harness: Harness) -> None:
    release.uninstall(harness.release)
    for namespace in (harness.models.namespace, harness.release.namespace):
        harness.release.run("delete", "namespace", namespace, timeout=180)
    harness.release.run("delete", "crd", "mlmodels.serving.modelport.dev")
    left = harness.release.run(
        "get",
        "clusterrole,clusterrolebinding,pv,crd,ns",
        "-o",
        "name",
        "-l",
        "app.kubernetes.io/part-of=modelport",
    )
    assert left == ""


def _pods(kubectl: Kubectl) -> set[str]:
    return set(kubectl.run("get", "pods", "-o", "jsonpath={.items[*].metadata.name}").split())


def _left(kubectl: Kubectl) -> list[str]:
    """What the release has left in its namespace: nothing that it does not keep on purpose."""
    eventually(lambda: not _pods(kubectl))
    found = kubectl.run("get", _KINDS, "-o", "name").split()
    return [name for name in found if name != "configmap/kube-root-ca.crt"]
