"""The operator's objects as they are sent to Kubernetes, whole: a change of one shows in a review as YAML.

`UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/operator/unit/core/test_golden.py` rewrites the files; read
the difference before you commit it.
"""

import os
from pathlib import Path

import pytest
import yaml
from modelport_crds.mlmodel import Artifact, Lock, Resources, VersionStatus
from modelport_kube.kube import Object
from modelport_operator.core.desired import CHILD_KINDS, desired_objects
from modelport_operator.core.specs.bundle_job import build_bundle_job
from modelport_operator.settings import Settings

from tests.operator.unit.harness import settings
from tests.support.builders import ModelBuilder, a_model, a_version, digest_of

_GOLDEN = Path(__file__).with_name("golden")
_OF_A_BUCKET = Artifact(uri="s3://models/fraud.onnx", sha256=digest_of("v2"), size=1_000_000)
_LARGE = Resources(requests={"cpu": "500m", "memory": "1Gi"}, limits={"cpu": "2", "memory": "4Gi"})
_OF_A_COMPANY = settings(
    artifact_base_url="http://modelport-control-api.modelport.svc:8002/artifacts/{sha256}",
    runtime_images={"onnx": "registry.example.org/onnx:1.2"},
    image_pull_secrets="registry",
    priority_class_name="models",
    batch_priority_class_name="batch",
    node_selector={"pool": "models"},
    tolerations=[{"key": "models", "operator": "Exists", "effect": "NoSchedule"}],
    metrics_scraper={"namespace": "monitoring", "labels": {"app.kubernetes.io/name": "prometheus"}},
    artifact_networks="10.20.0.0/16",
    artifact_credentials_secret="bucket",
)
_OF_THE_PLATFORM = Artifact(uri=f"artifact:{digest_of('v1')}", sha256=digest_of("v1"), size=1_000_000)
_LOCK = Lock(uri=f"artifact:{digest_of('lock')}", sha256=digest_of("lock"))
_INTERNAL = "http://modelport-control-api-internal.modelport.svc:8001/internal/v1"
_OF_A_PLATFORM = settings(
    artifact_base_url=f"{_INTERNAL}/artifacts/{{sha256}}",
    package_index="https://packages.example.org/simple",
    bundles_base_url=f"{_INTERNAL}/bundles/{{lock}}",
    internal_key="sixteen characters or more",
)
_ON_OPENSHIFT = settings(
    artifact_base_url="http://modelport-control-api-internal.modelport.svc:8001/internal/v1/artifacts/{sha256}",
    pod_security_context={},
    dns_egress=[
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
            "ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}],
        }
    ],
)

CASES: dict[str, tuple[ModelBuilder, Settings]] = {
    "one-version": (a_model(), settings()),
    "canary-of-two-replicas": (
        a_model().versions("v1", "v2").traffic(v1=90, v2=10).replicas(2),
        settings(),
    ),
    "ids-of-the-cluster-and-its-dns": (
        a_model().versions(a_version(artifact=_OF_THE_PLATFORM)),
        _ON_OPENSHIFT,
    ),
    "packages-of-its-own": (
        a_model()
        .versions(a_version(environment="own-0123456789ab", lock=_LOCK, artifact=_OF_THE_PLATFORM))
        .known(VersionStatus(name="v1", bundle=digest_of("bundle"))),
        _OF_A_PLATFORM,
    ),
    "batch-pods-and-every-setting": (
        a_model()
        .named("fraud", "team-a")
        .versions(
            a_version("v2", framework="onnx", artifact=_OF_A_BUCKET, resources=_LARGE, batch_replicas=3)
        )
        .with_spec(acceleration="off"),
        _OF_A_COMPANY,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_objects_are_those_of_the_golden_file(name: str) -> None:
    model, given = CASES[name]
    file = _GOLDEN / f"{name}.yaml"
    made = yaml.safe_dump_all(desired_objects(model.build(), given), sort_keys=False)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text(), "meant so? UPDATE_GOLDEN=1 rewrites the file"


def test_the_job_of_a_lock_is_that_of_the_golden_file() -> None:
    file = _GOLDEN / "bundle-job.yaml"
    made = yaml.safe_dump(build_bundle_job(_LOCK, "what opens it", _OF_A_PLATFORM), sort_keys=False)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text(), "meant so? UPDATE_GOLDEN=1 rewrites the file"


def test_golden_files_show_every_kind_and_no_others_lie_about() -> None:
    assert {file.stem for file in _GOLDEN.glob("*.yaml")} == {*CASES, "bundle-job"}
    objects: list[Object] = [
        obj for name in CASES for obj in yaml.safe_load_all((_GOLDEN / f"{name}.yaml").read_text())
    ]
    assert {obj["kind"] for obj in objects} == set(CHILD_KINDS)
