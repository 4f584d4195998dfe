"""What of a change is reported in Kubernetes Events, and how often."""

from datetime import timedelta
from itertools import pairwise

from modelport_crds.mlmodel import MLModelStatus, RolloutStatus, VersionStatus
from modelport_kube.kube import Object
from modelport_operator.core.events import Event, build_event, event_name, events_of
from modelport_operator.shell.event_recorder import EventRecorder
from msgspec.structs import replace

from tests.operator.unit.harness import NOW, StandingClock
from tests.support.builders import a_model, targets
from tests.support.fake_kube import FakeKube

STARTING = VersionStatus(name="v1", reason="Progressing", message="v1 is loading the model.")
SERVING = VersionStatus(name="v1", reason="Serving", ready=True)
FAILED = VersionStatus(name="v1", reason="LoadFailed", failed=True, message="No module named 'mine'.")
NOTHING = MLModelStatus()


def _status(version: VersionStatus, **traffic: int) -> MLModelStatus:
    return MLModelStatus(versions=(version,), traffic=targets(**traffic))


def test_a_new_version_is_reported() -> None:
    assert events_of(NOTHING, _status(STARTING)) == (Event("Normal", "Progressing", "v1 is starting."),)


def test_a_version_that_serves_and_its_traffic_are_reported() -> None:
    assert events_of(_status(STARTING), _status(SERVING, v1=100)) == (
        Event("Normal", "Serving", "v1 is ready."),
        Event("Normal", "TrafficMoved", "Requests go to v1."),
    )


def test_a_version_that_is_held_is_a_warning_with_what_differs() -> None:
    held = VersionStatus(name="v2", reason="SignatureChanged", ready=True, message="Input age is gone.")
    (reported,) = events_of(_status(STARTING), _status(held))
    assert reported == Event("Warning", "SignatureChanged", "v2: Input age is gone.")


def test_a_failure_is_a_warning_with_its_message() -> None:
    (reported,) = events_of(_status(STARTING), _status(FAILED))
    assert reported == Event("Warning", "LoadFailed", "v1: No module named 'mine'.")


def test_how_far_a_start_has_come_is_no_happening() -> None:
    later = VersionStatus(name="v1", reason="Progressing", message="v1 is fetching the model file.")
    assert events_of(_status(STARTING), _status(later)) == ()


SHADOWING = RolloutStatus(id=1, version="v2", baseline="v1", state="Shadowing", step="shadow")


def _rolling(**changes: object) -> MLModelStatus:
    return MLModelStatus(rollout=replace(SHADOWING, **changes))


def test_the_steps_of_a_rollout_are_reported_and_not_what_is_counted_meanwhile() -> None:
    assert events_of(NOTHING, _rolling()) == (Event("Normal", "RolloutStep", "v2 gets copies of requests."),)
    assert events_of(_rolling(), _rolling(held="10 rows of 200 are compared.")) == ()
    assert events_of(_rolling(), _rolling(state="Canary", step="5", weight=5)) == (
        Event("Normal", "RolloutStep", "v2 gets 5 % of the requests."),
    )


def test_a_rollout_that_was_rolled_back_is_a_warning_with_its_verdict() -> None:
    verdict = "v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated); v1 serves on."
    (reported,) = events_of(_rolling(), _rolling(state="RolledBack", verdict=verdict))
    assert reported == Event("Warning", "RolloutRolledBack", verdict)


def test_that_nothing_changed_is_no_happening() -> None:
    status = _status(SERVING, v1=100)
    assert events_of(status, status) == ()


def test_an_event_is_about_its_model() -> None:
    model = a_model().build()
    event = build_event(model, Event("Normal", "Serving", "v1 is ready."), None, NOW)
    assert event["involvedObject"]["uid"] == "uid-iris"
    assert event["involvedObject"]["namespace"] == event["metadata"]["namespace"] == "modelport-models"
    assert (event["count"], event["firstTimestamp"]) == (1, "2026-01-01T12:00:00Z")


def test_what_happens_again_is_counted() -> None:
    model, event = a_model().build(), Event("Warning", "RuntimeCrashed", "v1: exit code 3")
    first = build_event(model, event, None, NOW)
    again = build_event(model, event, first, NOW + timedelta(minutes=1))
    assert again["metadata"]["name"] == first["metadata"]["name"] == event_name(model, event)
    assert (again["count"], again["firstTimestamp"]) == (2, "2026-01-01T12:00:00Z")
    assert again["lastTimestamp"] == "2026-01-01T12:01:00Z"


async def _recorded(kube: FakeKube, *statuses: MLModelStatus) -> list[Object]:
    record = EventRecorder(kube, StandingClock())
    for before, after in pairwise(statuses):
        builder = a_model().known(*before.versions)
        await record(builder.build(), after)
    return await kube.list("Event", "modelport-models")


async def test_events_are_written_and_folded() -> None:
    kube = FakeKube()
    events = await _recorded(
        kube, _status(SERVING), _status(FAILED), _status(SERVING), _status(FAILED), _status(FAILED)
    )
    assert {event["reason"]: event["count"] for event in events} == {"LoadFailed": 2, "Serving": 1}


async def test_an_event_that_cannot_be_written_fails_no_pass() -> None:
    kube = FakeKube()
    kube.fail_at = 0
    assert await _recorded(kube, _status(SERVING), _status(FAILED)) == []
