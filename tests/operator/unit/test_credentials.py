"""Which Secret a model may name for its artifacts: a labeled one that the operator may look at."""

import pytest
from modelport_crds.mlmodel import Artifact
from modelport_kube.kube import KubeError, Object

from tests.operator.unit.harness import KEY, Harness, settings
from tests.support.builders import ModelBuilder, a_model, a_version, digest_of
from tests.support.fake_kube import FakeKube

NAME = "serving.modelport.dev/artifact-credentials"
LABELED = {NAME: "true"}


def _model(uri: str = "s3://models/a") -> ModelBuilder:
    version = a_version(artifact=Artifact(uri=uri, sha256=digest_of("v1")))
    return a_model().versions(version).annotated(NAME, "team")


def _secret(labels: dict[str, str]) -> Object:
    metadata = {"name": "team", "namespace": KEY.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "cGFzcw=="}}


async def _reconciled(kube: FakeKube, model: ModelBuilder | None = None, **changes: object) -> Harness:
    harness = Harness(kube=kube, settings=settings(**changes))
    manifest = (model or _model()).manifest()
    manifest["metadata"]["annotations"] = {NAME: "team"}
    await kube.apply(manifest, field_manager="kubectl")
    await harness.settle()
    return harness


@pytest.mark.parametrize(
    "labels", [None, {}, {NAME: "false"}], ids=["no Secret", "no label", "another value"]
)
async def test_a_secret_that_is_not_labeled_is_in_no_pod(labels: dict[str, str] | None) -> None:
    kube = FakeKube()
    if labels is not None:
        kube.put(_secret(labels))
    harness = await _reconciled(kube)
    assert kube.names("Deployment") == ()
    assert harness.version("v1")["reason"] == "PodIncomplete"
    reported = f"names the Secret 'team', but none of that name is labeled {NAME}=true."
    assert reported in str(harness.version("v1")["message"]), "the same for what is not there"
    assert await harness.reconcile() == 5.0
    kube.put(_secret(LABELED))
    await harness.settle()
    assert kube.names("Deployment") == ("iris-v1",)


async def test_a_label_taken_away_changes_nothing_of_what_runs_and_lets_nothing_new_begin() -> None:
    kube = FakeKube()
    kube.put(_secret(LABELED))
    harness = await _reconciled(kube)
    before = await harness.deployment("v1")
    kube.put(_secret({}))
    harness.settings = settings(load_timeout_seconds=120)
    await harness.settle()
    assert await harness.deployment("v1") == before


async def test_the_platforms_own_secret_and_other_sources_need_no_label() -> None:
    for uri, changes in (("s3://models/a", {"artifact_credentials_secret": "team"}), ("https://host/a", {})):
        kube = FakeKube()
        await _reconciled(kube, _model(uri), **changes)
        assert kube.names("Deployment") == ("iris-v1",)


class _WithoutRights(FakeKube):
    error = KubeError('GET /api/v1/x: 403 secrets "team" is forbidden: User "operator" cannot get resource')

    async def metadata(self, kind: str, namespace: str, name: str) -> Object | None:
        raise self.error


async def test_a_secret_that_the_chart_does_not_list_is_said_so() -> None:
    harness = await _reconciled(_WithoutRights())
    assert harness.version("v1")["reason"] == "PodIncomplete"
    assert "none of those that the chart's runtime.artifactCredentialsSecrets allows" in str(
        harness.version("v1")["message"]
    )


async def test_a_cluster_that_is_away_says_nothing_of_a_secret() -> None:
    kube = _WithoutRights()
    kube.error = KubeError("GET /api/v1/x: 503 try again")
    with pytest.raises(KubeError, match="503"):
        await _reconciled(kube)
