"""Ready, Progressing and Degraded, for users and for `kubectl wait`."""

from datetime import UTC, datetime

import pytest
from modelport_crds.mlmodel import MLModel, MLModelStatus, VersionStatus
from modelport_operator.core.conditions import decide_conditions, deleting_conditions
from msgspec.structs import replace

from tests.support.builders import a_model, targets

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
READY = VersionStatus(name="v1", answered=True, ready=True, reason="Serving")
NEW_READY = replace(READY, name="v2")
STARTING = VersionStatus(name="v2", reason="Progressing", message="v2 is loading the model.")
FAILED = VersionStatus(name="v2", failed=True, reason="LoadTimeout", message="Too slow.")
HELD = replace(NEW_READY, reason="SignatureChanged", message="Input age is gone.")
DOWN = VersionStatus(name="v1", answered=True, reason="RuntimeCrashed", message="Signal 9.")

# wanted, versions, served → status and reason of Ready, Progressing, Degraded
Row = tuple[dict[str, int], list[VersionStatus], dict[str, int], list[tuple[str, str]]]
CASES: dict[str, Row] = {
    "all is as specified": (
        {"v1": 100},
        [READY],
        {"v1": 100},
        [("True", "Serving"), ("False", "Serving"), ("False", "Serving")],
    ),
    "the first is starting": (
        {"v2": 100},
        [STARTING],
        {},
        [("False", "Progressing"), ("True", "Progressing"), ("False", "Progressing")],
    ),
    "the first has failed": (
        {"v2": 100},
        [FAILED],
        {},
        [("False", "LoadTimeout"), ("False", "LoadTimeout"), ("True", "LoadTimeout")],
    ),
    "a new one is starting beside the old": (
        {"v2": 100},
        [READY, STARTING],
        {"v1": 100},
        [("True", "Serving"), ("True", "Progressing"), ("False", "Progressing")],
    ),
    "a new one has failed beside the old": (
        {"v2": 100},
        [READY, FAILED],
        {"v1": 100},
        [("True", "Serving"), ("False", "LoadTimeout"), ("True", "LoadTimeout")],
    ),
    "a new one is held beside the old": (
        {"v2": 100},
        [READY, HELD],
        {"v1": 100},
        [("True", "Serving"), ("False", "SignatureChanged"), ("True", "SignatureChanged")],
    ),
    "one is held and another is starting": (
        {"v1": 80, "v2": 10, "v3": 10},
        [READY, HELD, replace(STARTING, name="v3")],
        {"v1": 100},
        [("True", "Serving"), ("True", "Progressing"), ("True", "SignatureChanged")],
    ),
    "the one that serves is down": (
        {"v1": 100},
        [DOWN],
        {"v1": 100},
        [("False", "NoReadyVersion"), ("True", "Progressing"), ("True", "RuntimeCrashed")],
    ),
    "one of two is down": (
        {"v1": 50, "v2": 50},
        [DOWN, NEW_READY],
        {"v1": 50, "v2": 50},
        [("True", "Serving"), ("True", "Progressing"), ("True", "RuntimeCrashed")],
    ),
    "it serves from old pods, since the new ones fail": (
        {"v1": 100},
        [replace(READY, reason="LoadTimeout", message="Too slow.")],
        {"v1": 100},
        [("True", "Serving"), ("False", "Serving"), ("True", "LoadTimeout")],
    ),
    "a version nobody wants has failed": (
        {"v1": 100},
        [READY, FAILED],
        {"v1": 100},
        [("True", "Serving"), ("False", "Serving"), ("False", "Serving")],
    ),
}


@pytest.mark.parametrize(("wanted", "versions", "served", "expected"), CASES.values(), ids=CASES.keys())
def test_conditions_when(
    wanted: dict[str, int],
    versions: list[VersionStatus],
    served: dict[str, int],
    expected: list[tuple[str, str]],
) -> None:
    model = a_model().traffic(**wanted).build()
    decided = decide_conditions(model, {each.name: each for each in versions}, targets(**served), NOW)
    assert [each.type for each in decided] == ["Ready", "Progressing", "Degraded"]
    assert [(each.status, each.reason) for each in decided] == expected
    assert all(each.message for each in decided)


def test_two_versions_serve_with_their_shares_named() -> None:
    model = a_model().traffic(v1=90, v2=10).build()
    ready = decide_conditions(model, {"v1": READY, "v2": NEW_READY}, targets(v2=10, v1=90), NOW)[0]
    assert ready.message == "v1 (90 %) and v2 (10 %) serve."


def _after(model: MLModel, version: VersionStatus, now: datetime) -> MLModel:
    conditions = decide_conditions(model, {"v1": version}, model.status.traffic, now)
    return replace(model, status=replace(model.status, conditions=conditions))


def test_the_time_of_a_condition_changes_only_with_its_status() -> None:
    model = replace(a_model().build(), status=MLModelStatus(traffic=targets(v1=100)))
    first = _after(model, READY, NOW)
    later = _after(first, replace(READY, message="with differences"), NOW.replace(hour=13))
    assert [each.last_transition_time for each in later.status.conditions] == ["2026-01-01T12:00:00Z"] * 3
    down = _after(later, DOWN, NOW.replace(hour=14))
    ready = down.status.condition("Ready")
    assert ready is not None
    assert (ready.status, ready.last_transition_time) == ("False", "2026-01-01T14:00:00Z")


def test_conditions_name_the_generation_that_they_are_about() -> None:
    model = a_model().generation(7).build()
    decided = decide_conditions(model, {"v1": READY}, targets(v1=100), NOW)
    assert {each.observed_generation for each in decided} == {7}


def test_a_model_that_is_being_deleted_says_so() -> None:
    decided = deleting_conditions(a_model().build(), NOW)
    assert {(each.status, each.reason) for each in decided} == {("False", "Deleting")}
