"""Objects of somebody else that have a version's name: as they were, byte for byte, and reported."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import CHILD_KINDS, Harness, until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("operator")]

_POD = {"metadata": {"labels": {"app": "theirs"}}, "spec": {"containers": [{"name": "a", "image": "theirs"}]}}
_BODIES: dict[str, dict[str, Any]] = {
    "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": {"app": "theirs"}}, "template": _POD}},
    "Service": {"spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]}},
    "ServiceAccount": {},
    "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": {"app": "theirs"}}}},
    "PodDisruptionBudget": {"spec": {"selector": {"matchLabels": {"app": "theirs"}}}},
}
_VERSIONS = {
    "Deployment": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}

# The tests' pods find no node.
STARTING = ("Progressing", "Unschedulable")


def _foreign(kind: str) -> dict[str, Any]:
    return {
        "apiVersion": _VERSIONS.get(kind, "v1"),
        "kind": kind,
        "metadata": {"name": "iris-v1"},
        **_BODIES[kind],
    }


def _bytes(harness: Harness, kind: str) -> str:
    """Without what controllers of the cluster write by themselves."""
    found = harness.models.json("get", kind, "iris-v1", "--show-managed-fields")
    metadata = {key: value for key, value in found["metadata"].items() if key != "resourceVersion"}
    metadata["managedFields"] = [each for each in metadata["managedFields"] if "subresource" not in each]
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return json.dumps([metadata, found.get("spec")], sort_keys=True)


@pytest.fixture
def theirs(harness: Harness) -> Iterator[Harness]:
    yield harness
    harness.models.run("delete", ",".join(CHILD_KINDS), "iris-v1", "--ignore-not-found")


@pytest.mark.parametrize("kind", list(_BODIES))
def test_an_object_of_somebody_else_stays_as_it_is_and_the_model_heals_when_it_goes(
    theirs: Harness, kind: str
) -> None:
    theirs.models.run("apply", "-f", "-", input=_foreign(kind))
    until(lambda: kind != "Deployment" or theirs.models.json("get", kind, "iris-v1")["status"])
    before = _bytes(theirs, kind)
    theirs.models.run("apply", "-f", "-", input=mlmodel(scaling={"minReplicas": 2, "maxReplicas": 2}))
    until(lambda: theirs.reason("iris") == "NameTaken")
    assert f"The {kind} iris-v1 that is there already" in theirs.status("iris")["versions"][0]["message"]
    until(lambda: "NameTaken" in theirs.models.run("events", "--for=mlmodel/iris"))
    theirs.models.run("annotate", "mlm", "iris", "touched=yes")
    assert _bytes(theirs, kind) == before
    assert kind == "Deployment" or theirs.models.try_run("get", "deployment", "iris-v1").returncode
    theirs.models.run("delete", kind, "iris-v1")
    until(lambda: theirs.reason("iris") in STARTING)
    owners = theirs.models.json("get", "deployment", "iris-v1")["metadata"]["ownerReferences"]
    assert [owner["kind"] for owner in owners] == ["MLModel"]


def test_deleting_a_model_leaves_what_was_never_its_own(theirs: Harness) -> None:
    theirs.models.run("apply", "-f", "-", input=_foreign("Service"))
    before = _bytes(theirs, "Service")
    theirs.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: theirs.reason("iris") == "NameTaken")
    theirs.models.run("delete", "mlm", "iris")
    until(lambda: [obj["kind"] for obj in theirs.children()] == ["Service"], seconds=240)
    assert _bytes(theirs, "Service") == before


def test_a_model_made_again_waits_for_what_the_earlier_one_left(theirs: Harness) -> None:
    """The garbage collector has yet to come: a finalizer holds it off."""
    theirs.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: theirs.reason("iris") in STARTING)
    held = '{"metadata": {"finalizers": ["tests.modelport.dev/held"]}}'
    theirs.models.run("patch", "service", "iris-v1", "--type=merge", f"-p={held}")
    uid = theirs.models.json("get", "service", "iris-v1")["metadata"]["uid"]
    theirs.models.run("delete", "mlm", "iris")
    theirs.models.run("apply", "-f", "-", input=mlmodel())
    until(lambda: "of an earlier model of this name" in str(theirs.status("iris")))
    theirs.models.run("patch", "service", "iris-v1", "--type=merge", '-p={"metadata": {"finalizers": null}}')
    until(lambda: theirs.models.try_run("get", "deployment", "iris-v1").returncode == 0, seconds=240)
    assert theirs.models.json("get", "service", "iris-v1")["metadata"]["uid"] != uid


LABEL = "serving.modelport.dev/artifact-credentials"


def _of_a_bucket(secret: str) -> dict[str, Any]:
    model = mlmodel()
    model["metadata"]["annotations"] = {LABEL: secret}
    model["spec"]["versions"][0]["artifact"]["uri"] = "s3://models/a"
    return model


@pytest.fixture
def secrets(harness: Harness) -> Iterator[Harness]:
    for name in ("team-s3", "database"):
        harness.models.run("create", "secret", "generic", name, "--from-literal=password=secret")
    yield harness
    harness.models.run("delete", "secret", "team-s3", "database")


def test_a_secret_is_used_only_with_its_label_and_key_by_key(secrets: Harness) -> None:
    secrets.models.run("apply", "-f", "-", input=_of_a_bucket("team-s3"))
    until(lambda: secrets.reason("iris") == "PodIncomplete")
    assert "none of that name is labeled" in secrets.status("iris")["versions"][0]["message"]
    assert secrets.models.try_run("get", "deployment", "iris-v1").returncode
    secrets.models.run("label", "secret", "team-s3", f"{LABEL}=true")
    until(lambda: secrets.reason("iris") in STARTING)
    spec = secrets.models.json("get", "deployment", "iris-v1")["spec"]["template"]["spec"]
    (fetch,) = spec["initContainers"]
    assert "envFrom" not in fetch
    keys = {each["valueFrom"]["secretKeyRef"]["key"] for each in fetch["env"] if "valueFrom" in each}
    assert {key.partition("_")[0] for key in keys} == {"AWS"}


def test_a_secret_that_the_platform_does_not_list_is_not_even_looked_at(secrets: Harness) -> None:
    secrets.models.run("label", "secret", "database", f"{LABEL}=true")
    secrets.models.run("apply", "-f", "-", input=_of_a_bucket("database"))
    until(lambda: secrets.reason("iris") == "PodIncomplete")
    assert "artifactCredentialsSecrets" in secrets.status("iris")["versions"][0]["message"]
    assert secrets.models.try_run("get", "deployment", "iris-v1").returncode
