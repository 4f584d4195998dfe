"""Single calls of the Kubernetes API: what is sent, and what each refusal means to the caller."""

import json
import logging
import ssl
from pathlib import Path
from typing import Any

import kopf
import pytest
from kubernetes.aio.config import kube_config
from modelport_kube.api import KubernetesApi
from modelport_kube.connect import NoClusterAccess, connected
from modelport_kube.kube import Conflict, KubeError, Rejected
from modelport_operator.shell.kubernetes import kopf_events

from tests.libs.unit.kube.fake_api_server import answering, client_of, failing, listing, model, serving

OBJECT = {"kind": "MLModel", "apiVersion": "serving.modelport.dev/v1alpha1", **model("iris")}
PATH = "/apis/serving.modelport.dev/v1alpha1/namespaces/models/mlmodels/iris"


async def test_an_object_is_applied_server_side_and_forced() -> None:
    async with serving(answering(OBJECT, 201)) as (fake, kube):
        assert await kube.apply(OBJECT, field_manager="me") == OBJECT
        (request,) = fake.received
        assert (request.method, request.path) == ("PATCH", PATH)
        assert request.headers["Content-Type"] == "application/apply-patch+yaml"
        assert fake.queries() == [{"fieldManager": "me", "force": "true"}]
        assert json.loads(fake.bodies[0]) == OBJECT


async def test_what_must_not_be_there_is_applied_with_a_version_that_no_object_has() -> None:
    async with serving(answering(OBJECT, 201), failing(409, "the object has been modified")) as (fake, kube):
        assert await kube.create(OBJECT, field_manager="me") == OBJECT
        assert fake.received[0].method == "PATCH"
        assert json.loads(fake.bodies[0])["metadata"]["resourceVersion"] == "1"
        with pytest.raises(Conflict):
            await kube.create(OBJECT, field_manager="me")


async def test_another_objects_uid_is_a_conflict_however_the_server_says_it() -> None:
    meant = {**OBJECT, "metadata": {**OBJECT["metadata"], "uid": "mine"}}
    said = 'Service "iris" is invalid: metadata.uid: Invalid value: "mine": field is immutable'
    async with serving(failing(422, said), failing(422, "spec: no"), failing(409)) as (fake, kube):
        with pytest.raises(Conflict):
            await kube.apply(meant, field_manager="me")
        with pytest.raises(Rejected):
            await kube.apply(meant, field_manager="me")
        with pytest.raises(Conflict):
            await kube.delete("MLModel", "models", "iris", uid="mine")
        assert json.loads(fake.bodies[2])["preconditions"] == {"uid": "mine"}


async def test_only_the_metadata_of_a_secret_is_requested() -> None:
    async with serving(answering(OBJECT), failing(404)) as (fake, kube):
        assert await kube.metadata("Secret", "models", "iris") == OBJECT["metadata"]
        (request,) = fake.received
        assert request.path == "/api/v1/namespaces/models/secrets/iris"
        assert "as=PartialObjectMetadata" in request.headers["Accept"]
        assert await kube.metadata("Secret", "models", "iris") is None


async def test_a_merge_patch_goes_out_as_one_and_finds_nothing_where_nothing_is() -> None:
    async with serving(answering(OBJECT), failing(404)) as (fake, kube):
        patch = {"spec": {"cache": None}}
        assert await kube.merge("MLModel", "models", "iris", patch, field_manager="me") == OBJECT
        assert fake.received[0].headers["Content-Type"] == "application/merge-patch+json"
        assert json.loads(fake.bodies[0]) == patch
        assert await kube.merge("MLModel", "models", "iris", patch, field_manager="me") is None


async def test_a_status_is_replaced_as_a_whole() -> None:
    async with serving(answering(OBJECT), failing(404)) as (fake, kube):
        await kube.patch_status("MLModel", "models", "iris", {"replicas": 1})
        assert fake.received[0].path == f"{PATH}/status"
        assert json.loads(fake.bodies[0]) == [{"op": "add", "path": "/status", "value": {"replicas": 1}}]
        assert await kube.patch_status("MLModel", "models", "iris", {}) is None


async def test_what_is_not_there_is_no_error_to_read_or_delete() -> None:
    async with serving(failing(404)) as (_, kube):
        assert await kube.get("MLModel", "models", "iris") is None
        await kube.delete("MLModel", "models", "iris")
        with pytest.raises(KubeError, match="cannot be applied"):
            await kube.apply(OBJECT, field_manager="me")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (413, Rejected), (422, Rejected), (409, Conflict), (403, KubeError), (500, KubeError)],
)
async def test_a_refusal_is_what_its_status_says_and_repeats_the_reason(
    status: int, kind: type[KubeError]
) -> None:
    async with serving(failing(status, "weights must sum to 100")) as (_, kube):
        with pytest.raises(KubeError, match="weights must sum to 100") as raised:
            await kube.apply(OBJECT, field_manager="me")
    assert type(raised.value) is kind


async def test_a_server_that_is_away_is_a_plain_error_to_try_again() -> None:
    async with client_of("http://127.0.0.1:9") as client:
        with pytest.raises(KubeError) as raised:
            await KubernetesApi(client).get("MLModel", "models", "iris")
    assert type(raised.value) is KubeError


async def test_labels_select_and_logs_of_a_pod_that_has_none_are_empty() -> None:
    async with serving(listing("a"), failing(400, "container is waiting"), answering("hello")) as (
        fake,
        kube,
    ):
        await kube.list("Pod", "models", {"x": "1", "y": "2"})
        assert fake.queries()[0]["labelSelector"] == "x=1,y=2"
        assert await kube.pod_logs("models", "iris-v1") == ""
        assert await kube.pod_logs("models", "iris-v1", tail_lines=5) == '"hello"'
        assert fake.queries()[2] == {"tailLines": "5"}


async def test_no_cluster_to_be_had_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NoClusterAccess, match="KUBECONFIG"):
        async with connected():
            pass


async def test_an_api_server_is_verified_as_kubectl_does_it(
    strict_tls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client reads the variable when it is imported.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig(tmp_path)))
    async with connected() as client:
        context = client.rest_client.ssl_context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


async def test_the_operators_watches_verify_it_so_too(
    strict_tls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path)))
    found = await kopf_events._login(logger=logging.getLogger(), settings=kopf.OperatorSettings())
    assert found is not None
    assert found.server == "https://kubernetes.example"
    context = found.as_ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.fixture
def strict_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python 3.13 has it by default."""
    create = ssl.create_default_context

    def create_strict(*args: Any, **options: Any) -> ssl.SSLContext:
        context = create(*args, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", create_strict)


def kubeconfig(folder: Path) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": {"server": "https://kubernetes.example"}}],
                "users": [{"name": "it", "user": {"token": "of nobody"}}],
            }
        )
    )
    return path
