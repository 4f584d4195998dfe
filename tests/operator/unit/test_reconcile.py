"""The shell over a cluster in memory: from a model to traffic, and through every interruption."""

import pytest
from modelport_crds.reasons import Reason
from modelport_kube.kube import KubeError, Object, Rejected
from modelport_operator.core.observed.probe_results import RuntimeStatus, SampleRefused

from tests.operator.unit.harness import KEY, Harness
from tests.support.builders import PodBuilder, a_model, a_pod, a_version
from tests.support.fake_kube import FakeKube


async def _serving(harness: Harness) -> None:
    await harness.submit(a_model())
    await harness.settle()
    await harness.play("v1")
    await harness.settle()


async def test_a_new_model_gets_its_objects_and_says_that_it_is_on_its_way() -> None:
    harness = Harness()
    await harness.submit(a_model())
    await harness.settle()
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy"):
        assert harness.kube.names(kind) == ("iris-v1",)
    assert harness.kube.names("PodDisruptionBudget") == ()
    assert harness.traffic() == {}
    assert harness.condition("Ready")["reason"] == "Progressing"
    assert harness.kube.status()["url"] == "/predict/iris"


async def test_one_pass_after_the_pod_is_ready_the_version_serves() -> None:
    harness = Harness()
    await harness.submit(a_model())
    await harness.settle()
    await harness.play("v1")
    await harness.reconcile()
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v1")["ready"] is True
    assert harness.version("v1")["signature"] == {"task": "classifier"}
    assert harness.condition("Ready")["status"] == "True"
    assert harness.runtimes.asked == [b'{"input":[1.0,2.0]}']


async def test_a_second_pass_calls_no_write_and_probes_no_sample_again() -> None:
    harness = Harness()
    await _serving(harness)
    harness.kube.calls.clear()
    assert await harness.reconcile() is None
    assert harness.kube.calls == []
    assert len(harness.runtimes.asked) == 1


async def test_the_old_version_serves_until_the_new_one_has_predicted() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.submit(a_model().versions("v1", "v2").traffic(v2=100))
    await harness.settle()
    assert harness.traffic() == {"v1": 100}
    await harness.play("v2", address="10.0.0.2")
    await harness.reconcile()
    assert harness.traffic() == {"v2": 100}


async def test_a_new_version_that_fails_leaves_the_old_one_serving_and_says_why() -> None:
    harness = Harness()
    await _serving(harness)
    harness.runtimes.statuses["10.0.0.2"] = RuntimeStatus(
        state="failed", reason=Reason.MISSING_MODULE, message="No module named 'mine'."
    )
    await harness.submit(a_model().versions("v1", "v2").traffic(v2=100))
    await harness.settle()
    await harness.play("v2", a_pod().started(), address="10.0.0.2")
    await harness.settle()
    assert harness.traffic() == {"v1": 100}
    assert harness.condition("Ready")["status"] == "True"
    assert harness.condition("Degraded")["status"] == "True"
    assert harness.condition("Degraded")["reason"] == "MissingModule"
    assert "No module named 'mine'. If a package has it, upload the file with" in str(
        harness.version("v2")["message"]
    )


async def test_a_version_that_failed_for_good_runs_no_pod() -> None:
    harness = Harness()
    harness.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await _serving(harness)
    deployment = await harness.kube.get("Deployment", KEY.namespace, "iris-v1")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 0
    assert harness.version("v1")["failed"] is True
    assert harness.traffic() == {}


async def _failed(harness: Harness, pod: PodBuilder | None = None) -> None:
    harness.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await harness.submit(a_model())
    await harness.settle()
    await harness.play("v1", pod)
    await harness.settle()


async def test_what_a_failed_version_printed_is_kept_by_the_one_write_of_its_failure() -> None:
    harness = Harness()
    harness.kube.logs["iris-v1-0"] = "loading\nValueError: \x1b[31mno"
    await _failed(harness)
    assert (harness.version("v1")["failed"], harness.version("v1")["lastLog"]) == (
        True,
        "loading\nValueError: [31mno",
    )
    assert harness.kube.writes[-2:] == ["status MLModel iris", "apply Deployment iris-v1"]
    harness.kube.remove("Pod", "iris-v1-0")
    harness.kube.calls.clear()
    await harness.reconcile()
    assert (harness.kube.calls, harness.kube.read_logs) == ([], ["iris-v1-0"])


async def test_what_was_kept_is_not_lost_to_a_pod_that_somebody_starts_again() -> None:
    harness = Harness()
    harness.kube.logs["iris-v1-0"] = "ValueError: no"
    await _failed(harness)
    deployment = await harness.deployment("v1")
    deployment["spec"]["replicas"] = 1
    harness.kube.put(deployment)
    harness.kube.logs["iris-v1-0"] = "something else"
    await harness.settle()
    assert (await harness.deployment("v1"))["spec"]["replicas"] == 0
    assert harness.version("v1")["lastLog"] == "ValueError: no"


async def test_a_failed_version_tried_again_has_no_log_of_its_failure() -> None:
    harness = Harness()
    harness.kube.logs["iris-v1-0"] = "ValueError: no"
    await _failed(harness)
    harness.settings = harness.settings.model_copy(update={"load_timeout_seconds": 120})
    await harness.reconcile()
    assert harness.version("v1").get("lastLog", "") == ""


async def test_a_log_that_cannot_be_read_keeps_no_version_from_being_stopped() -> None:
    harness = Harness()
    harness.kube.logs["iris-v1-0"] = KubeError("GET /log: 403 pods/log is forbidden")
    await _failed(harness)
    assert harness.version("v1")["failed"] is True
    assert harness.version("v1").get("lastLog", "") == ""
    assert (await harness.deployment("v1"))["spec"]["replicas"] == 0


async def test_a_version_whose_init_container_failed_has_no_log_and_is_stopped() -> None:
    harness = Harness()
    await _failed(harness, a_pod().fetch_ended(1, '{"reason": "DigestMismatch", "message": "other bytes"}'))
    assert (harness.version("v1")["reason"], harness.kube.read_logs) == ("DigestMismatch", ["iris-v1-0"])
    assert harness.version("v1").get("lastLog", "") == ""
    assert (await harness.deployment("v1"))["spec"]["replicas"] == 0


async def test_no_log_is_read_of_a_version_that_has_not_failed() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.play("v1", a_pod().ended(exitCode=3))
    await harness.settle()
    assert harness.kube.read_logs == []


async def test_a_version_without_a_sample_gets_no_requests() -> None:
    harness = Harness()
    await harness.submit(a_model().versions(a_version(sample=None)))
    await harness.settle()
    await harness.play("v1")
    await harness.settle()
    assert harness.traffic() == {}
    assert harness.version("v1")["reason"] == "SampleInvalid"


async def test_a_changed_template_gives_a_failed_version_another_try() -> None:
    harness = Harness()
    harness.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await _serving(harness)
    harness.settings = harness.settings.model_copy(update={"load_timeout_seconds": 120})
    harness.runtimes.samples.clear()
    await harness.settle()
    assert harness.version("v1").get("failed", False) is False
    await harness.play("v1")
    await harness.settle()
    assert harness.traffic() == {"v1": 100}


async def test_a_changed_template_of_a_serving_version_never_takes_its_traffic() -> None:
    harness = Harness()
    await _serving(harness)
    old = await harness.template("v1")
    harness.settings = harness.settings.model_copy(update={"load_timeout_seconds": 120})
    await harness.settle()
    assert await harness.template("v1") != old
    assert harness.traffic() == {"v1": 100}
    await harness.play("v1")
    await harness.settle()
    assert harness.version("v1")["template"] == await harness.template("v1")
    assert len(harness.runtimes.asked) == 2


async def test_a_pod_that_is_down_keeps_its_traffic_and_says_so() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.play("v1", a_pod().ended(exitCode=3))
    await harness.settle()
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v1").get("ready", False) is False
    assert harness.condition("Ready")["reason"] == "NoReadyVersion"
    await harness.play("v1")
    await harness.settle()
    assert harness.condition("Ready")["status"] == "True"


async def test_a_runtime_that_does_not_respond_is_probed_again_soon() -> None:
    harness = Harness()
    await harness.submit(a_model())
    await harness.settle()
    harness.runtimes.samples["10.0.0.1"] = None
    await harness.play("v1")
    assert await harness.reconcile() == 1.0
    assert harness.traffic() == {}


async def test_a_removed_version_goes_only_after_traffic_has_left_it() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.submit(a_model().versions("v2").traffic(v2=100))
    await harness.settle()
    assert harness.kube.names("Deployment") == ("iris-v1", "iris-v2")
    assert harness.traffic() == {"v1": 100}
    await harness.play("v2", address="10.0.0.2")
    again = await harness.reconcile()
    assert harness.traffic() == {"v2": 100}
    assert harness.kube.names("Deployment") == ("iris-v1", "iris-v2")
    assert again is not None
    await harness.settle()
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy"):
        assert harness.kube.names(kind) == ("iris-v2",)


async def test_a_changed_object_is_put_right() -> None:
    harness = Harness()
    await _serving(harness)
    service = await harness.kube.get("Service", KEY.namespace, "iris-v1")
    assert service is not None
    service["spec"]["selector"] = {"app": "someone-else"}
    harness.kube.put(service)
    await harness.settle()
    mended = await harness.kube.get("Service", KEY.namespace, "iris-v1")
    assert mended is not None
    assert mended["spec"]["selector"] == {
        "serving.modelport.dev/model": "iris",
        "serving.modelport.dev/version": "v1",
    }


async def test_fewer_replicas_take_the_disruption_budget_away() -> None:
    harness = Harness()
    await harness.submit(a_model().replicas(2))
    await harness.settle()
    assert harness.kube.names("PodDisruptionBudget") == ("iris-v1",)
    await harness.submit(a_model().replicas(1))
    await harness.settle()
    assert harness.kube.names("PodDisruptionBudget") == ()


async def test_a_model_that_is_gone_needs_nothing() -> None:
    assert await Harness().reconcile() is None


async def test_deleting_a_model_takes_all_its_objects_with_it() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.kube.delete("MLModel", KEY.namespace, KEY.name)
    assert await harness.reconcile() is None
    assert [kind for kind in ("Deployment", "Service", "NetworkPolicy") if harness.kube.names(kind)] == []


async def _change_of_versions(harness: Harness, fail_at: int | None) -> None:
    """Serve v1, then exchange it for v2 while v3 fails; `fail_at` counts the writes of the exchange."""
    await _serving(harness)
    harness.kube.logs["iris-v3-0"] = "ValueError"
    harness.runtimes.samples["10.0.0.3"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await harness.submit(a_model().versions("v2", "v3").traffic(v2=100))
    harness.kube.fail_at = fail_at
    await _settle_through_failures(harness)
    for version, address in (("v2", "10.0.0.2"), ("v3", "10.0.0.3")):
        await harness.play(version, address=address)
    await _settle_through_failures(harness)
    harness.kube.remove("Pod", "iris-v3-0")
    await _settle_through_failures(harness)


async def _settle_through_failures(harness: Harness) -> None:
    try:
        await harness.settle()
    except KubeError:
        harness.kube.fail_at = None
        await harness.settle()


async def test_a_pass_broken_off_before_any_of_its_writes_ends_in_the_same_state() -> None:
    undisturbed = Harness()
    await _change_of_versions(undisturbed, None)
    writes = len(undisturbed.kube.writes)
    assert writes > 10
    for broken_before in range(writes):
        harness = Harness()
        await _change_of_versions(harness, broken_before)
        assert harness.kube.state() == undisturbed.kube.state(), f"broken off before write {broken_before}"


class _StrictKube(FakeKube):
    """Takes no objects of a version whose name is in `refuses`; the words are a real API server's."""

    refuses = ("NetworkPolicy", "iris-v2")
    error: KubeError = Rejected(
        'PATCH /apis/x/iris-v2: 422 NetworkPolicy.networking.k8s.io "iris-v2" is invalid: spec.egress'
    )

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        if (obj["kind"], obj["metadata"]["name"]) == self.refuses:
            raise self.error
        return await super().apply(obj, field_manager=field_manager)


async def test_what_the_api_server_rejects_is_reported_and_stops_no_other_version() -> None:
    harness = Harness(kube=_StrictKube())
    await harness.submit(a_model().versions("v1", "v2"))
    with pytest.raises(Rejected):
        await harness.reconcile()
    assert harness.kube.names("Deployment") == ("iris-v1",), "no pod without its NetworkPolicy"
    assert harness.version("v2")["reason"] == "PodRefused"
    assert str(harness.version("v2")["message"]).startswith("NetworkPolicy.networking.k8s.io")
    assert harness.version("v1")["reason"] == "Progressing"


async def test_an_exceeded_quota_on_objects_is_reported() -> None:
    kube = _StrictKube()
    kube.error = KubeError('PATCH /apis/x: 403 services "iris-v2" is forbidden: exceeded quota: team')
    harness = Harness(kube=kube)
    await harness.submit(a_model().versions("v1", "v2"))
    with pytest.raises(KubeError):
        await harness.reconcile()
    assert harness.version("v2")["reason"] == "QuotaExceeded"


async def test_an_api_server_that_is_away_is_no_refusal() -> None:
    kube = _StrictKube()
    kube.error = KubeError("PATCH /apis/x: 503 try again")
    harness = Harness(kube=kube)
    await harness.submit(a_model().versions("v1", "v2"))
    with pytest.raises(KubeError):
        await harness.reconcile()
    assert harness.kube.status() == {}
