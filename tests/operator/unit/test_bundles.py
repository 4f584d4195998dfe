"""A version with packages of its own: a Job makes their bundle once, whatever is killed; pods unpack it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from modelport_crds.mlmodel import Lock
from modelport_crds.names import LABEL_BATCH_VERSION, LABEL_MODEL_VERSION
from modelport_kube.kube import KubeError, Object, Rejected
from modelport_operator.shell.bundles import BundleClient, CannotAsk, open_bundles
from pydantic import SecretStr

from tests.operator.unit.harness import Harness, settings
from tests.support.builders import ModelBuilder, PodBuilder, a_model, a_pod, a_version, digest_of
from tests.support.fake_kube import FakeKube
from tests.support.threaded_server import running_server

NAMESPACE = "modelport-bundles"
SHA256 = digest_of("lock")
LOCK = Lock(uri=f"artifact:{SHA256}", sha256=SHA256)
BUNDLE = digest_of("bundle")
JOB = f"own-{SHA256[:40]}"
INTERNAL = "http://control-api.modelport.svc:8001/internal/v1"


@dataclass
class ScriptedBundles:
    """What the control API has, by lock; `away`: it does not respond."""

    made: dict[str, str] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    async def find(self, lock_sha256: str) -> str | None:
        self.asked += 1
        if self.away:
            raise CannotAsk("away")
        return self.made.get(lock_sha256)

    def token(self, lock_sha256: str) -> str:
        return f"opens {lock_sha256}"


def own(name: str = "v1") -> Any:
    return a_version(name, environment="own-0123456789ab", lock=LOCK)


def harness(kube: FakeKube | None = None) -> Harness:
    made = settings(
        artifact_base_url=f"{INTERNAL}/artifacts/{{sha256}}",
        package_index="https://packages.example.org/simple",
        bundles_base_url=f"{INTERNAL}/bundles/{{lock}}",
        internal_key="sixteen characters or more",
    )
    return Harness(kube=kube or FakeKube(), settings=made, bundles=ScriptedBundles())


async def submitted(kube: FakeKube | None = None, model: ModelBuilder | None = None) -> Harness:
    running = harness(kube)
    await running.submit(model or a_model().versions(own()))
    await running.settle()
    return running


def bundles(running: Harness) -> ScriptedBundles:
    assert isinstance(running.bundles, ScriptedBundles)
    return running.bundles


async def job(running: Harness) -> Object | None:
    return await running.kube.get("Job", NAMESPACE, JOB)


def play_pod(running: Harness, name: str, status: Mapping[str, Any], created: str = "2026-01-01") -> None:
    labels = {"batch.kubernetes.io/job-name": JOB}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels, "creationTimestamp": created}
    running.kube.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": dict(status)})


def ended(code: int, message: str = "", **more: str) -> Mapping[str, Any]:
    terminated = {"exitCode": code, "message": message, **more}
    return {"containerStatuses": [{"name": "bundle", "state": {"terminated": terminated}}]}


async def give_up(running: Harness, message: str) -> None:
    found = await job(running)
    assert found is not None
    conditions = [{"type": "Failed", "status": "True", "message": message}]
    running.kube.put({**found, "status": {"conditions": conditions}})


async def serving() -> Harness:
    """One whose Job has been removed since, as the cluster does."""
    running = await submitted()
    bundles(running).made[SHA256] = BUNDLE
    await running.settle()
    await running.play("v1")
    await running.settle()
    running.kube.remove("Job", JOB, NAMESPACE)
    return running


def lost(digest: str = BUNDLE) -> PodBuilder:
    """A pod that asked the store in vain."""
    message = f"{INTERNAL}/artifacts/{digest} answered 404: no file for us lies there."
    return a_pod().fetch_ended(1, json.dumps({"reason": "ArtifactNotFound", "message": message}))


async def test_a_job_makes_it_once_and_then_the_pods_unpack_it() -> None:
    running = await submitted()
    assert (running.version("v1")["reason"], running.version("v1")["message"]) == (
        "Progressing",
        "v1 is preparing its environment.",
    )
    assert running.kube.names("Deployment") == ()
    assert await running.reconcile() == 1.0
    made = await job(running)
    assert made is not None
    env = {each["name"]: each["value"] for each in made["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["MODELPORT_BUNDLE_TOKEN"] == f"opens {SHA256}"
    assert "MODELPORT_INTERNAL_KEY" not in env
    bundles(running).made[SHA256] = BUNDLE
    await running.settle()
    pod = (await running.deployment("v1"))["spec"]["template"]["spec"]
    fetched = {each["name"]: each["value"] for each in pod["initContainers"][0]["env"]}
    assert fetched["MODELPORT_FETCH_BUNDLE_URI"] == f"{INTERNAL}/artifacts/{BUNDLE}"
    assert fetched["MODELPORT_FETCH_BUNDLE_SHA256"] == BUNDLE
    assert {each["image"] for each in (*pod["initContainers"], *pod["containers"])} == {
        "modelport-runtime-own"
    }
    assert "token" not in str(pod).lower().replace("automountserviceaccounttoken", "")
    asked = bundles(running).asked
    await running.play("v1")
    await running.settle()
    assert running.traffic() == {"v1": 100}
    assert bundles(running).asked == asked, "what is known is not asked for again"


async def test_a_second_version_with_the_same_packages_has_nothing_made() -> None:
    running = await submitted()
    bundles(running).made[SHA256] = BUNDLE
    await running.settle()
    running.kube.remove("Job", JOB, NAMESPACE)
    await running.submit(a_model().versions(own(), own("v2")))
    await running.settle()
    assert running.kube.names("Job") == ()
    assert running.kube.names("Deployment") == ("iris-v1", "iris-v2")


async def test_other_versions_of_the_model_go_on_meanwhile() -> None:
    running = await submitted(model=a_model().versions("v1", own("v2")))
    assert running.kube.names("Deployment") == ("iris-v1",)
    await running.play("v1")
    await running.settle()
    assert running.traffic() == {"v1": 100}
    assert running.version("v2")["message"] == "v2 is preparing its environment."


async def test_what_the_job_said_last_is_why_there_is_none_and_it_is_looked_at_again() -> None:
    running = await submitted()
    play_pod(running, "first", ended(2, "warning\nown-0123 cannot be made here: failed to fetch.\n"))
    play_pod(running, "second", {"containerStatuses": [{"state": {"running": {}}}]}, "2026-01-02")
    assert await running.reconcile() == 5.0
    version = running.version("v1")
    assert version["reason"] == "EnvironmentUnavailable"
    assert str(version["message"]).startswith(
        "own-0123 cannot be made here: failed to fetch. It is tried again."
    )
    assert not version.get("failed")
    bundles(running).made[SHA256] = BUNDLE
    await running.settle()
    assert running.kube.names("Deployment") == ("iris-v1",)


async def test_what_would_be_refused_again_ends_the_try_and_no_job_is_made_for_it_again() -> None:
    running = await submitted()
    play_pod(running, "first", ended(1, "own-0123 cannot be made here: no such package.\n"))
    await running.settle()
    version = running.version("v1")
    assert (version["reason"], version["failed"]) == ("EnvironmentUnavailable", True)
    assert "no such package. It is not tried again by itself: in a minute `modelport retry MODEL`" in str(
        version["message"]
    )
    running.kube.remove("Job", JOB, NAMESPACE)
    asked = bundles(running).asked
    await running.settle()
    assert (await job(running), bundles(running).asked) == (None, asked)
    assert running.kube.names("Deployment") == ()
    await running.submit(a_model().versions(own(), own("v2")))
    running.kube.remove("Pod", "first", NAMESPACE)
    await running.settle()
    assert await job(running) is not None, "who uploads again has it tried again"
    assert running.version("v1")["failed"]
    assert running.version("v2")["reason"] == "Progressing"


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        (ended(137, reason="OOMKilled"), True),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "Usage of EmptyDir volume exceeds"},
            True,
        ),
        (ended(137), False),
        (ended(2, "own-0123 cannot be made here: failed to fetch."), False),
    ],
)
async def test_a_job_that_was_given_up_has_failed_for_good_only_by_its_packages(
    status: Mapping[str, Any], is_final: bool
) -> None:
    running = await submitted()
    play_pod(running, "last", status)
    await running.settle()
    assert not running.version("v1").get("failed"), "the cluster still tries again"
    await give_up(running, "Job has reached the specified backoff limit")
    await running.settle()
    assert bool(running.version("v1").get("failed")) == is_final
    running.kube.remove("Job", JOB, NAMESPACE)
    running.kube.remove("Pod", "last", NAMESPACE)
    await running.settle()
    assert (await job(running) is None) == is_final


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ended(137), "was ended by signal 9 (SIGKILL)"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": 'Usage of EmptyDir volume "work" exceeds'},
            "work",
        ),
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
                ]
            },
            "no such image",
        ),
    ],
)
async def test_a_pod_that_says_nothing_itself_is_explained(status: Mapping[str, Any], said: str) -> None:
    running = await submitted()
    play_pod(running, "first", status)
    await running.reconcile()
    assert said in str(running.version("v1")["message"])


async def test_a_job_that_took_too_long_is_said_and_made_again_once_the_cluster_has_removed_it() -> None:
    running = await submitted()
    message = "Job was active longer than specified deadline"
    await give_up(running, message)
    await running.reconcile()
    assert message in str(running.version("v1")["message"])
    running.kube.remove("Job", JOB, NAMESPACE)
    await running.settle()
    assert await job(running) is not None
    assert running.version("v1")["reason"] == "Progressing"


async def test_a_control_api_that_is_away_holds_up_what_is_new_and_nothing_that_serves() -> None:
    running = await submitted()
    bundles(running).made[SHA256] = BUNDLE
    await running.settle()
    await running.play("v1")
    await running.settle()
    bundles(running).away = True
    before = await running.deployment("v1")
    await running.submit(a_model().versions(own(), own("v2")))
    await running.settle()
    assert (await running.deployment("v1"), running.traffic()) == (before, {"v1": 100})
    assert "control API cannot be asked" in str(running.version("v2")["message"])
    bundles(running).away = False
    await running.settle()
    assert running.kube.names("Deployment") == ("iris-v1", "iris-v2")


@pytest.mark.parametrize("again", [BUNDLE, digest_of("packed otherwise")])
async def test_a_bundle_that_is_gone_is_made_again_when_a_pod_needs_it(again: str) -> None:
    running = await serving()
    bundles(running).made.clear()
    await running.settle()
    assert await job(running) is None, "nobody needs it"
    await running.play("v1", lost())
    assert await running.reconcile() == 1.0
    assert await job(running) is not None
    version = running.version("v1")
    assert (version["message"], version.get("failed")) == ("v1 is preparing its environment.", None)
    bundles(running).made[SHA256] = again
    await running.settle()
    # Pods that know the same digest find it at their next try; another one takes other pods.
    env = (await running.deployment("v1"))["spec"]["template"]["spec"]["initContainers"][0]["env"]
    assert {"name": "MODELPORT_FETCH_BUNDLE_SHA256", "value": again} in env
    await running.play("v1")
    await running.settle()
    assert (running.version("v1")["reason"], running.version("v1")["bundle"]) == ("Serving", again)
    assert running.traffic() == {"v1": 100}


async def test_a_bundle_that_only_batch_jobs_miss_is_made_again_too() -> None:
    running = await serving()
    bundles(running).made.clear()
    built = lost().of("iris", "v1").called("iris-v1-batch-0").build()
    labels = built["metadata"]["labels"]
    labels[LABEL_BATCH_VERSION] = labels.pop(LABEL_MODEL_VERSION)
    running.kube.put(built)
    await running.reconcile()
    assert await job(running) is not None
    assert running.version("v1")["reason"] == "Serving"


async def test_it_is_not_made_again_where_the_model_itself_is_what_is_gone() -> None:
    running = await serving()
    await running.play("v1", lost(digest_of("model")))
    asked = bundles(running).asked
    await running.settle()
    assert (await job(running), bundles(running).asked) == (None, asked)
    assert running.version("v1")["reason"] == "ArtifactNotFound"


async def test_an_operator_that_is_killed_between_any_two_writes_comes_to_the_same_end() -> None:
    whole = await submitted()
    bundles(whole).made[SHA256] = BUNDLE
    await whole.settle()
    for writes in range(12):
        running = harness()
        await running.submit(a_model().versions(own()))
        running.kube.fail_at = writes
        for made in ({}, {SHA256: BUNDLE}):
            bundles(running).made = dict(made)
            try:
                await running.settle()
            except KubeError:
                running.kube.fail_at = None
                await running.settle()
        running.kube.fail_at = None
        await running.settle()
        assert running.kube.state() == whole.kube.state(), writes


class _Refusing(FakeKube):
    async def create(self, obj: Object, *, field_manager: str) -> Object:
        if obj["kind"] == "Job":
            raise Rejected("PATCH /apis/batch/v1/x: 403 jobs.batch is forbidden: exceeded quota")
        return await super().create(obj, field_manager=field_manager)


async def test_a_cluster_that_takes_no_job_says_why() -> None:
    running = await submitted(_Refusing())
    assert running.version("v1")["reason"] == "EnvironmentUnavailable"
    assert "exceeded quota" in str(running.version("v1")["message"])


async def test_the_client_believes_a_digest_and_nothing_else() -> None:
    answers = {"1" * 64: (200, BUNDLE), "2" * 64: (404, "{}"), "3" * 64: (200, "<html>"), "4" * 64: (503, "")}
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["headers"])[b"authorization"].decode())
        status, text = answers[scope["path"].rpartition("/")[2]]
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    with running_server(app) as server:
        key = SecretStr("sixteen characters or more")
        client = BundleClient(f"http://127.0.0.1:{server.port}/bundles/{{lock}}", key)
        assert (await client.find("1" * 64), await client.find("2" * 64)) == (BUNDLE, None)
        for lock in ("3" * 64, "4" * 64):
            with pytest.raises(CannotAsk):
                await client.find(lock)
        assert key.get_secret_value() not in " ".join(seen)
        assert seen[0] == f"Bearer {client.token('1' * 64)}"
    with pytest.raises(CannotAsk):
        await client.find("1" * 64)


def test_without_an_index_or_a_key_none_are_made() -> None:
    whole = harness().settings
    assert open_bundles(whole) is not None
    for change in ({"package_index": ""}, {"internal_key": None}, {"bundles_base_url": ""}):
        assert open_bundles(whole.model_copy(update=change)) is None
