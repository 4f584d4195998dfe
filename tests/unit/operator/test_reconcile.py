"""The shell over a cluster in memory: from a model to traffic, and through every interruption."""

import pytest
from modelport_crds.reasons import Reason
from modelport_kube.kube import KubeError, Object, Rejected
from modelport_operator.core.observed.probe_results import RuntimeStatus, SampleRefused

from tests.support.builders import PodBuilder, a_model, a_pod, a_version
from tests.support.fake_kube import FakeKube
from tests.unit.operator.world import KEY, World


async def _serving(world: World) -> None:
    await world.submit(a_model())
    await world.settle()
    await world.play("v1")
    await world.settle()


async def test_a_new_model_gets_its_objects_and_says_that_it_is_on_its_way() -> None:
    world = World()
    await world.submit(a_model())
    await world.settle()
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy"):
        assert world.kube.names(kind) == ("iris-v1",)
    assert world.kube.names("PodDisruptionBudget") == ()
    assert world.traffic() == {}
    assert world.condition("Ready")["reason"] == "Progressing"
    assert world.kube.status()["url"] == "/predict/iris"


async def test_one_pass_after_the_pod_is_ready_the_version_serves() -> None:
    world = World()
    await world.submit(a_model())
    await world.settle()
    await world.play("v1")
    await world.reconcile()
    assert world.traffic() == {"v1": 100}
    assert world.version("v1")["ready"] is True
    assert world.version("v1")["signature"] == {"task": "classifier"}
    assert world.condition("Ready")["status"] == "True"
    assert world.runtimes.asked == [b'{"input":[1.0,2.0]}']


async def test_a_second_pass_calls_no_write_and_asks_no_sample_again() -> None:
    world = World()
    await _serving(world)
    world.kube.calls.clear()
    assert await world.reconcile() is None
    assert world.kube.calls == []
    assert len(world.runtimes.asked) == 1


async def test_the_old_version_serves_until_the_new_one_has_answered() -> None:
    world = World()
    await _serving(world)
    await world.submit(a_model().versions("v1", "v2").traffic(v2=100))
    await world.settle()
    assert world.traffic() == {"v1": 100}
    await world.play("v2", address="10.0.0.2")
    await world.reconcile()
    assert world.traffic() == {"v2": 100}


async def test_a_new_version_that_fails_leaves_the_old_one_serving_and_says_why() -> None:
    world = World()
    await _serving(world)
    world.runtimes.statuses["10.0.0.2"] = RuntimeStatus(
        state="failed", reason=Reason.MISSING_MODULE, message="No module named 'mine'."
    )
    await world.submit(a_model().versions("v1", "v2").traffic(v2=100))
    await world.settle()
    await world.play("v2", a_pod().started(), address="10.0.0.2")
    await world.settle()
    assert world.traffic() == {"v1": 100}
    assert world.condition("Ready")["status"] == "True"
    assert world.condition("Degraded")["status"] == "True"
    assert world.condition("Degraded")["reason"] == "MissingModule"
    assert "No module named 'mine'. Define custom classes" in str(world.version("v2")["message"])


async def test_a_version_that_failed_for_good_runs_no_pod() -> None:
    world = World()
    world.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await _serving(world)
    deployment = await world.kube.get("Deployment", KEY.namespace, "iris-v1")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 0
    assert world.version("v1")["failed"] is True
    assert world.traffic() == {}


async def _failed(world: World, pod: PodBuilder | None = None) -> None:
    world.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await world.submit(a_model())
    await world.settle()
    await world.play("v1", pod)
    await world.settle()


async def test_what_a_failed_version_printed_is_kept_by_the_one_write_of_its_failure() -> None:
    world = World()
    world.kube.logs["iris-v1-0"] = "loading\nValueError: \x1b[31mno"
    await _failed(world)
    assert (world.version("v1")["failed"], world.version("v1")["lastLog"]) == (
        True,
        "loading\nValueError: [31mno",
    )
    assert world.kube.writes[-2:] == ["status MLModel iris", "apply Deployment iris-v1"]
    world.kube.remove("Pod", "iris-v1-0")
    world.kube.calls.clear()
    await world.reconcile()
    assert (world.kube.calls, world.kube.read_logs) == ([], ["iris-v1-0"])


async def test_what_was_kept_is_not_lost_to_a_pod_that_somebody_starts_again() -> None:
    world = World()
    world.kube.logs["iris-v1-0"] = "ValueError: no"
    await _failed(world)
    deployment = await world.deployment("v1")
    deployment["spec"]["replicas"] = 1
    world.kube.put(deployment)
    world.kube.logs["iris-v1-0"] = "something else"
    await world.settle()
    assert (await world.deployment("v1"))["spec"]["replicas"] == 0
    assert world.version("v1")["lastLog"] == "ValueError: no"


async def test_a_failed_version_tried_anew_has_no_log_of_its_failure() -> None:
    world = World()
    world.kube.logs["iris-v1-0"] = "ValueError: no"
    await _failed(world)
    world.settings = world.settings.model_copy(update={"load_timeout_seconds": 120})
    await world.reconcile()
    assert world.version("v1").get("lastLog", "") == ""


async def test_a_log_that_cannot_be_read_keeps_no_version_from_being_stopped() -> None:
    world = World()
    world.kube.logs["iris-v1-0"] = KubeError("GET /log: 403 pods/log is forbidden")
    await _failed(world)
    assert world.version("v1")["failed"] is True
    assert world.version("v1").get("lastLog", "") == ""
    assert (await world.deployment("v1"))["spec"]["replicas"] == 0


async def test_a_version_whose_init_container_failed_has_no_log_and_is_stopped() -> None:
    world = World()
    await _failed(world, a_pod().fetch_ended(1, '{"reason": "DigestMismatch", "message": "other bytes"}'))
    assert (world.version("v1")["reason"], world.kube.read_logs) == ("DigestMismatch", ["iris-v1-0"])
    assert world.version("v1").get("lastLog", "") == ""
    assert (await world.deployment("v1"))["spec"]["replicas"] == 0


async def test_no_log_is_read_of_a_version_that_has_not_failed() -> None:
    world = World()
    await _serving(world)
    await world.play("v1", a_pod().ended(exitCode=3))
    await world.settle()
    assert world.kube.read_logs == []


async def test_a_version_that_nothing_can_be_asked_of_gets_no_requests() -> None:
    world = World()
    await world.submit(a_model().versions(a_version(sample=None)))
    await world.settle()
    await world.play("v1")
    await world.settle()
    assert world.traffic() == {}
    assert world.version("v1")["reason"] == "SampleInvalid"


async def test_a_changed_template_gives_a_failed_version_another_try() -> None:
    world = World()
    world.runtimes.samples["10.0.0.1"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await _serving(world)
    world.settings = world.settings.model_copy(update={"load_timeout_seconds": 120})
    world.runtimes.samples.clear()
    await world.settle()
    assert world.version("v1").get("failed", False) is False
    await world.play("v1")
    await world.settle()
    assert world.traffic() == {"v1": 100}


async def test_a_changed_template_of_a_serving_version_never_takes_its_traffic() -> None:
    world = World()
    await _serving(world)
    old = await world.template("v1")
    world.settings = world.settings.model_copy(update={"load_timeout_seconds": 120})
    await world.settle()
    assert await world.template("v1") != old
    assert world.traffic() == {"v1": 100}
    await world.play("v1")
    await world.settle()
    assert world.version("v1")["template"] == await world.template("v1")
    assert len(world.runtimes.asked) == 2


async def test_a_pod_that_is_down_keeps_its_traffic_and_says_so() -> None:
    world = World()
    await _serving(world)
    await world.play("v1", a_pod().ended(exitCode=3))
    await world.settle()
    assert world.traffic() == {"v1": 100}
    assert world.version("v1").get("ready", False) is False
    assert world.condition("Ready")["reason"] == "NoReadyVersion"
    await world.play("v1")
    await world.settle()
    assert world.condition("Ready")["status"] == "True"


async def test_a_runtime_that_does_not_answer_is_asked_again_soon() -> None:
    world = World()
    await world.submit(a_model())
    await world.settle()
    world.runtimes.samples["10.0.0.1"] = None
    await world.play("v1")
    assert await world.reconcile() == 1.0
    assert world.traffic() == {}


async def test_a_removed_version_goes_only_after_traffic_has_left_it() -> None:
    world = World()
    await _serving(world)
    await world.submit(a_model().versions("v2").traffic(v2=100))
    await world.settle()
    assert world.kube.names("Deployment") == ("iris-v1", "iris-v2")
    assert world.traffic() == {"v1": 100}
    await world.play("v2", address="10.0.0.2")
    again = await world.reconcile()
    assert world.traffic() == {"v2": 100}
    assert world.kube.names("Deployment") == ("iris-v1", "iris-v2")
    assert again is not None
    await world.settle()
    for kind in ("Deployment", "Service", "ServiceAccount", "NetworkPolicy"):
        assert world.kube.names(kind) == ("iris-v2",)


async def test_a_changed_object_is_put_right() -> None:
    world = World()
    await _serving(world)
    service = await world.kube.get("Service", KEY.namespace, "iris-v1")
    assert service is not None
    service["spec"]["selector"] = {"app": "someone-else"}
    world.kube.put(service)
    await world.settle()
    mended = await world.kube.get("Service", KEY.namespace, "iris-v1")
    assert mended is not None
    assert mended["spec"]["selector"] == {
        "serving.modelport.dev/model": "iris",
        "serving.modelport.dev/version": "v1",
    }


async def test_fewer_replicas_take_the_disruption_budget_away() -> None:
    world = World()
    await world.submit(a_model().replicas(2))
    await world.settle()
    assert world.kube.names("PodDisruptionBudget") == ("iris-v1",)
    await world.submit(a_model().replicas(1))
    await world.settle()
    assert world.kube.names("PodDisruptionBudget") == ()


async def test_a_model_that_is_gone_needs_nothing() -> None:
    assert await World().reconcile() is None


async def test_deleting_a_model_takes_all_its_objects_with_it() -> None:
    world = World()
    await _serving(world)
    await world.kube.delete("MLModel", KEY.namespace, KEY.name)
    assert await world.reconcile() is None
    assert [kind for kind in ("Deployment", "Service", "NetworkPolicy") if world.kube.names(kind)] == []


async def _change_of_versions(world: World, fail_at: int | None) -> None:
    """Serve v1, then exchange it for v2 while v3 fails; `fail_at` counts the writes of the exchange."""
    await _serving(world)
    world.kube.logs["iris-v3-0"] = "ValueError"
    world.runtimes.samples["10.0.0.3"] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    await world.submit(a_model().versions("v2", "v3").traffic(v2=100))
    world.kube.fail_at = fail_at
    await _settle_through_failures(world)
    for version, address in (("v2", "10.0.0.2"), ("v3", "10.0.0.3")):
        await world.play(version, address=address)
    await _settle_through_failures(world)
    world.kube.remove("Pod", "iris-v3-0")
    await _settle_through_failures(world)


async def _settle_through_failures(world: World) -> None:
    try:
        await world.settle()
    except KubeError:
        world.kube.fail_at = None
        await world.settle()


async def test_a_pass_broken_off_before_any_of_its_writes_ends_in_the_same_state() -> None:
    undisturbed = World()
    await _change_of_versions(undisturbed, None)
    writes = len(undisturbed.kube.writes)
    assert writes > 10
    for broken_before in range(writes):
        world = World()
        await _change_of_versions(world, broken_before)
        assert world.kube.state() == undisturbed.kube.state(), f"broken off before write {broken_before}"


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


async def test_what_the_api_server_does_not_take_is_told_and_stops_no_other_version() -> None:
    world = World(kube=_StrictKube())
    await world.submit(a_model().versions("v1", "v2"))
    with pytest.raises(Rejected):
        await world.reconcile()
    assert world.kube.names("Deployment") == ("iris-v1",), "no pod without its NetworkPolicy"
    assert world.version("v2")["reason"] == "PodRefused"
    assert str(world.version("v2")["message"]).startswith("NetworkPolicy.networking.k8s.io")
    assert world.version("v1")["reason"] == "Progressing"


async def test_a_quota_on_objects_is_told() -> None:
    kube = _StrictKube()
    kube.error = KubeError('PATCH /apis/x: 403 services "iris-v2" is forbidden: exceeded quota: team')
    world = World(kube=kube)
    await world.submit(a_model().versions("v1", "v2"))
    with pytest.raises(KubeError):
        await world.reconcile()
    assert world.version("v2")["reason"] == "QuotaExceeded"


async def test_an_api_server_that_is_away_is_no_refusal() -> None:
    kube = _StrictKube()
    kube.error = KubeError("PATCH /apis/x: 503 try again")
    world = World(kube=kube)
    await world.submit(a_model().versions("v1", "v2"))
    with pytest.raises(KubeError):
        await world.reconcile()
    assert world.kube.status() == {}
