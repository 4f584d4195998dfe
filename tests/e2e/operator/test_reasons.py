"""Why a version does not run, in the words of a real kubelet, scheduler and API server."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.images import image_of
from tests.e2e.operator.manifests import mlmodel, version
from tests.e2e.operator.operating import Harness, until

pytestmark = pytest.mark.e2e

IMAGE = image_of("runtime-sklearn")
IN_THE_IMAGE = {"uri": "file:///etc/hostname", "sha256": "0" * 64}


@pytest.fixture
def operated(harness: Harness) -> Iterator[Harness]:
    images = f'{{"sklearn": "{IMAGE}", "onnx": "localhost/nowhere/nothing:1"}}'
    settings = {
        "runtime_images": images,
        "environment_image": "localhost/nowhere/{environment}:1",
        "artifact_credentials_secret": "no-such-secret",
        "node_selector": "{}",
    }
    with harness.operator(**settings):
        yield harness
    harness.models.run("delete", "resourcequota,limitrange", "--all")


@pytest.fixture
def runs_pods(loaded_images: dict[str, str]) -> None:
    """The cluster has the images of this checkout."""


def _apply(harness: Harness, **changes: Any) -> None:
    model = mlmodel()
    model["spec"]["versions"] = [version("v1", **changes)]
    harness.models.run("apply", "-f", "-", input=model)


def _reported(harness: Harness, reason: str, seconds: float = 60) -> str:
    """Wait for the reason; give its message."""
    until(lambda: harness.reason("iris") == reason, seconds=seconds), harness.status("iris")
    (known,) = harness.status("iris")["versions"]
    message: str = known["message"]
    until(lambda: reason in harness.models.run("events", "--for=mlmodel/iris"))
    (printed,) = harness.models.run("get", "mlm", "--no-headers").splitlines()
    assert reason in printed.split()
    return message


def test_a_quota_that_is_used_up(operated: Harness) -> None:
    operated.models.run("create", "quota", "none", "--hard=pods=0")
    _apply(operated)
    assert "exceeded quota: none" in _reported(operated, "QuotaExceeded")


def test_a_quota_on_the_objects_themselves(operated: Harness) -> None:
    operated.models.run("create", "quota", "none", "--hard=services=0")
    _apply(operated)
    assert 'services "iris-v1" is forbidden: exceeded quota' in _reported(operated, "QuotaExceeded")
    operated.models.run("delete", "quota", "none")
    until(lambda: any(obj["kind"] == "Deployment" for obj in operated.children()))


def test_a_rule_of_the_namespace_that_the_pod_breaks(operated: Harness) -> None:
    limit = {"type": "Container", "max": {"memory": "128Mi"}}
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small"},
        "spec": {"limits": [limit]},
    }
    operated.models.run("apply", "-f", "-", input=limits)
    _apply(operated)
    assert "maximum memory usage per Container is 128Mi" in _reported(operated, "PodRefused")


def test_an_object_that_makes_no_sense(operated: Harness) -> None:
    _apply(operated, resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})
    assert "must be less than or equal to cpu limit" in _reported(operated, "PodRefused")


@pytest.mark.usefixtures("runs_pods")
def test_no_node_with_room(operated: Harness) -> None:
    _apply(operated, resources={"requests": {"cpu": "1000"}})
    assert "Insufficient cpu" in _reported(operated, "Unschedulable")


@pytest.mark.usefixtures("runs_pods")
def test_a_claim_that_is_not_there(operated: Harness) -> None:
    _apply(operated, artifact={"uri": "pvc://nothing/model", "sha256": "0" * 64})
    assert '"nothing" not found' in _reported(operated, "PodIncomplete")


@pytest.mark.usefixtures("runs_pods")
def test_credentials_that_are_not_there(operated: Harness) -> None:
    _apply(operated, artifact={"uri": "s3://bucket/model", "sha256": "0" * 64})
    assert '"no-such-secret" not found' in _reported(operated, "PodIncomplete")


@pytest.mark.usefixtures("runs_pods")
def test_an_image_that_is_not_there(operated: Harness) -> None:
    _apply(operated, framework="onnx")
    assert "localhost/nowhere/nothing:1" in _reported(operated, "ImagePullFailed")


@pytest.mark.usefixtures("runs_pods")
def test_an_environment_whose_image_is_not_there(operated: Harness) -> None:
    _apply(operated, environment="sklearn-1.2")
    assert "localhost/nowhere/sklearn-1.2:1" in _reported(operated, "EnvironmentUnavailable")


@pytest.mark.usefixtures("runs_pods")
def test_a_file_that_is_not_there(operated: Harness) -> None:
    _apply(operated, artifact={"uri": "file:///nothing", "sha256": "0" * 64})
    _reported(operated, "ArtifactNotFound")
    until(lambda: operated.models.json("get", "deployment", "iris-v1")["spec"]["replicas"] == 0)


@pytest.mark.usefixtures("runs_pods")
def test_a_file_with_another_digest(operated: Harness) -> None:
    _apply(operated, artifact=IN_THE_IMAGE)
    assert "but the version names 000" in _reported(operated, "DigestMismatch")


@pytest.mark.usefixtures("runs_pods")
def test_a_limit_that_is_too_small(operated: Harness) -> None:
    """The kernel's verdict on the second try is final."""
    _apply(operated, artifact=_no_model(), resources={"limits": {"memory": "32Mi"}})
    assert "The limit is 32Mi." in _reported(operated, "OutOfMemory", seconds=480)


@pytest.mark.usefixtures("runs_pods")
def test_a_file_that_is_no_model(operated: Harness) -> None:
    _apply(operated, artifact=_no_model())
    until(lambda: operated.condition("iris", "Degraded") == "True", seconds=360)
    assert operated.reason("iris") in ("CorruptArtifact", "UnsupportedFormat", "LoadFailed", "NotAModel")


def _no_model() -> dict[str, str]:
    """A file that every container has, with a content that all of them agree on."""
    return {"uri": "file:///proc/sys/kernel/ostype", "sha256": hashlib.sha256(b"Linux\n").hexdigest()}
