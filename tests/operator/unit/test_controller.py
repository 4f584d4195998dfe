"""The controller on a cluster in memory: it reacts to events, survives failures and stops."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from modelport_crds.mlmodel import AccelerationProof, SampleAnswer
from modelport_kube.kube import KubeError, Object, WatchEvent
from modelport_operator.core.observed.probe_results import RuntimeStatus
from modelport_operator.shell.controller import Controller
from modelport_operator.shell.event_recorder import EventRecorder
from modelport_operator.shell.watching import OnKey, model_key

from tests.operator.unit.harness import KEY, PREDICTION, Harness, StandingClock, settings
from tests.support.builders import a_model
from tests.support.fake_kube import FakeKube


@asynccontextmanager
async def _running(harness: Harness, **how: Any) -> AsyncIterator[Controller]:
    controller = Controller(
        harness.kube, harness.settings, runtimes=harness.runtimes, clock=StandingClock(), **how
    )
    task = asyncio.create_task(controller.run())
    try:
        yield controller
    finally:
        controller.stop()
        await asyncio.wait_for(task, 60)


async def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        await asyncio.sleep(0.005)


def _has_deployment(harness: Harness) -> Callable[[], bool]:
    return lambda: harness.kube.names("Deployment") == ("iris-v1",)


async def test_a_model_is_served_by_events_alone() -> None:
    harness = Harness()
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        await harness.play("v1")
        await _until(lambda: harness.traffic() == {"v1": 100})


async def test_what_was_there_before_the_start_is_served_too() -> None:
    harness = Harness()
    await harness.submit(a_model())
    async with _running(harness):
        await _until(_has_deployment(harness))


async def test_a_ready_pod_serves_within_a_tenth_of_a_second() -> None:
    harness = Harness()
    took = []
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        for _ in range(5):
            # The best of five: the machine may be busy, the controller must not be slow.
            await harness.kube.delete("MLModel", KEY.namespace, KEY.name)
            await harness.submit(a_model())
            await _until(_has_deployment(harness))
            start = time.monotonic()
            await harness.play("v1")
            await _until(lambda: harness.traffic() == {"v1": 100})
            took.append(time.monotonic() - start)
    assert min(took) < 0.1


async def test_a_cluster_that_fails_for_a_while_is_tried_again() -> None:
    harness = Harness()
    await harness.submit(a_model())
    harness.kube.fail_at = 0
    async with _running(harness):
        await asyncio.sleep(0.05)
        assert harness.kube.names("Deployment") == ()
        harness.kube.fail_at = None
        await _until(_has_deployment(harness))


async def test_one_model_that_cannot_be_read_does_not_stop_the_others() -> None:
    harness = Harness()
    broken = a_model().named("broken").manifest()
    broken["spec"]["traffic"] = "all of it"
    harness.kube.put(broken)
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))


async def test_a_runtime_that_responds_late_is_probed_again_without_an_event() -> None:
    harness = Harness()
    harness.runtimes.samples["10.0.0.1"] = None
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        await harness.play("v1")
        await _until(lambda: len(harness.runtimes.asked) >= 1)
        harness.runtimes.samples.clear()
        await _until(lambda: harness.traffic() == {"v1": 100})


async def test_a_runtime_that_went_back_to_its_model_is_reported_within_a_resync() -> None:
    harness = Harness(settings=settings(resync_seconds=0.2))
    numpy = RuntimeStatus(state="ready", engine="numpy")
    native = RuntimeStatus(
        state="ready", engine="native", acceleration=AccelerationProof(detail="It differed.")
    )
    harness.runtimes.statuses["10.0.0.1"] = numpy
    async with _running(harness, record=EventRecorder(harness.kube, StandingClock())):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        await harness.play("v1")
        await _until(lambda: harness.traffic() == {"v1": 100})
        assert harness.version("v1")["engine"] == "numpy"
        # No event of the cluster tells of this.
        harness.runtimes.statuses["10.0.0.1"] = native
        await _until(lambda: harness.version("v1")["engine"] == "native")
        await _until(lambda: len(harness.kube.names("Event")) == 4)
        writes, asked = list(harness.kube.writes), len(harness.runtimes.statuses_asked)
        await _until(lambda: len(harness.runtimes.statuses_asked) >= asked + 2)
        assert harness.kube.writes == writes
    events = await harness.kube.list("Event", KEY.namespace)
    reported = [event["message"] for event in events if event["reason"] == "AccelerationEnded"]
    assert reported == ["v1 answers from the model itself again. It differed."]


class _BreakingKube(FakeKube):
    """Its first watch of each kind ends at once, with an error."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        if kind not in self.broken:
            self.broken.add(kind)
            raise KubeError("the connection was reset")
        async for event in super().watch(kind, namespace):
            yield event


async def test_a_broken_watch_is_begun_again_and_misses_nothing() -> None:
    harness = Harness(kube=_BreakingKube())
    await harness.submit(a_model())
    async with _running(harness):
        await _until(_has_deployment(harness))


class _SilentKube(FakeKube):
    """Its watches never tell of anything."""

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        yield WatchEvent("SYNCED", {})
        await asyncio.sleep(3600)


async def test_missed_events_heal_by_looking_again() -> None:
    harness = Harness(kube=_SilentKube(), settings=settings(resync_seconds=0.05))
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))


class _ForgetfulKube(_SilentKube):
    """Its first listing of models fails."""

    failed = False

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        if kind == "MLModel" and not self.failed:
            self.failed = True
            raise KubeError("the connection was reset")
        return await super().list(kind, namespace, labels)


async def test_looking_again_goes_on_after_a_failure() -> None:
    harness = Harness(kube=_ForgetfulKube(), settings=settings(resync_seconds=0.05))
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))


async def test_it_stops_in_the_middle_of_a_pass() -> None:
    harness = Harness()
    asked = asyncio.Event()

    async def hang(address: str, body: bytes) -> None:
        asked.set()
        await asyncio.sleep(3600)

    harness.runtimes.predict = hang  # type: ignore[method-assign, assignment]  # a runtime that never answers
    async with _running(harness):
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        await harness.play("v1")
        await asyncio.wait_for(asked.wait(), 60)


def test_objects_lead_to_their_model() -> None:
    labels = {"serving.modelport.dev/model": "iris"}
    pod = {"metadata": {"name": "x", "namespace": "ns", "labels": labels}}
    model = {"metadata": {"name": "iris", "namespace": "ns"}}
    found = [model_key("Pod", pod), model_key("MLModel", model)]
    assert [(key.namespace, key.name) for key in found if key] == [("ns", "iris"), ("ns", "iris")]
    assert model_key("Pod", {"metadata": {"name": "x", "namespace": "ns"}}) is None
    assert model_key("MLModel", {}) is None


async def test_events_may_come_from_elsewhere() -> None:
    harness = Harness(kube=_SilentKube())
    await harness.submit(a_model())

    async def once(on_key: OnKey) -> None:
        on_key(KEY)
        await asyncio.sleep(3600)

    async with _running(harness, events=once):
        await _until(_has_deployment(harness))


async def test_the_end_of_its_events_ends_it() -> None:
    async def broken(_on_key: OnKey) -> None:
        raise ConnectionError("nothing is heard any more")

    controller = Controller(FakeKube(), settings(), events=broken)
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(controller.run(), 60)
    assert ended.group_contains(ConnectionError)


async def test_a_stop_lets_the_passes_in_flight_end() -> None:
    harness = Harness()
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait(address: str, body: bytes) -> SampleAnswer:
        asked.set()
        await may_answer.wait()
        return PREDICTION

    harness.runtimes.predict = wait  # type: ignore[method-assign, assignment]  # it answers when it may
    async with _running(harness, drain_seconds=5) as controller:
        await harness.submit(a_model())
        await _until(_has_deployment(harness))
        await harness.play("v1")
        await asyncio.wait_for(asked.wait(), 60)
        controller.stop()
        await asyncio.sleep(0.01)
        may_answer.set()
    assert harness.traffic() == {"v1": 100}
