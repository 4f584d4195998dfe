"""What happened is told once, to whom it concerns, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.alerts.tables import EventRow
from modelport_control_api.alerts.types import EventType
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import ModelRow

from tests.support.control_api import Person

EVENTS = "/api/v1/events"


def tell(
    plane: ControlPlane,
    person: Person,
    type_: EventType = "drift.started",
    key: str = "1",
    model_id: str = "iris-1",
) -> bool:
    fact = Fact(type_, key, f"{model_id} drifts.", version="v2", more={"features": ["age"]})
    with plane.context.database.transaction() as session:
        return events.record(session, Subject(person.id, model_id, "Iris"), fact)


async def listed(person: Person, query: str = "", **headers: str) -> dict[str, Any]:
    answer = await person.api.get(f"{EVENTS}{query}", headers=headers or person.bearer)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read(person: Person, headers: dict[str, str] | None = None, **body: Any) -> int:
    answer = await person.api.post(f"{EVENTS}/read", headers=headers or person.bearer, json=body)
    return answer.status_code


async def test_an_event_is_shown_to_its_user_alone(
    control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    assert tell(control_plane, ada)
    page = await listed(ada)
    assert (page["unread"], page["next_cursor"]) == (1, None)
    event = page["items"][0]
    assert (event["type"], event["read"]) == ("drift.started", False)
    assert event["data"] == {
        "model_id": "iris-1",
        "model_name": "Iris",
        "version": "v2",
        "summary": "iris-1 drifts.",
        "features": ["age"],
    }
    assert await listed(bob) == {"items": [], "next_cursor": None, "unread": 0}
    assert await read(bob, id=event["id"]) == 204
    assert (await listed(ada))["unread"] == 1


async def test_the_same_fact_told_by_many_at_once_is_one_event(
    control_plane: ControlPlane, ada: Person
) -> None:
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: tell(control_plane, ada), range(24)))
    assert told.count(True) == 1
    # Another key, type or model is another fact.
    assert tell(control_plane, ada, key="2")
    assert tell(control_plane, ada, type_="drift.ended")
    assert tell(control_plane, ada, model_id="iris-2")
    assert (await listed(ada))["unread"] == 4


async def test_pages_and_filters(control_plane: ControlPlane, ada: Person) -> None:
    for number in range(5):
        tell(control_plane, ada, key=str(number), model_id=f"m-{number % 2}")
    first = await listed(ada, "?limit=2")
    rest = await listed(ada, f"?limit=200&cursor={first['next_cursor']}")
    models = [event["data"]["model_id"] for event in first["items"] + rest["items"]]
    assert models == ["m-0", "m-1", "m-0", "m-1", "m-0"]
    assert len((await listed(ada, "?model_id=m-1"))["items"]) == 2
    assert (await listed(ada, "?model_id=m%00"))["items"] == []


async def test_events_are_marked_one_by_one_by_time_and_all(control_plane: ControlPlane, ada: Person) -> None:
    for number in range(3):
        tell(control_plane, ada, key=str(number))
    newest, middle, oldest = (await listed(ada))["items"]
    assert await read(ada, id=newest["id"]) == 204
    page = await listed(ada, "?unread=true")
    assert [event["id"] for event in page["items"]] == [middle["id"], oldest["id"]]
    assert await read(ada, up_to=oldest["at"]) == 204
    assert [event["read"] for event in (await listed(ada))["items"]] == [True, False, True]
    assert await read(ada) == 204
    assert (await listed(ada))["unread"] == 0


@pytest.mark.parametrize(
    ("body", "field"), [({"id": 7}, "id"), ({"up_to": "yesterday"}, "up_to"), ({"all": True}, "all")]
)
async def test_what_cannot_be_marked_is_refused(ada: Person, body: dict[str, Any], field: str) -> None:
    answer = await ada.api.post(f"{EVENTS}/read", headers=ada.bearer, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_key_for_one_model_sees_and_marks_its_events_alone(
    control_plane: ControlPlane, ada: Person
) -> None:
    tell(control_plane, ada, model_id="mine")
    tell(control_plane, ada, model_id="other")
    with control_plane.context.database.transaction() as session:
        session.add(_model(ada.id, "mine"))
    key = await ada.make_key(scopes=["models:read", "models:write"], model_ids=["mine"])
    shown = {"X-API-Key": key["key"]}
    page = await listed(ada, **shown)
    assert ([event["data"]["model_id"] for event in page["items"]], page["unread"]) == (["mine"], 1)
    assert await read(ada, headers=shown) == 204
    unread = (await listed(ada, "?unread=true"))["items"]
    assert [event["data"]["model_id"] for event in unread] == ["other"]


async def test_a_deleted_model_takes_its_events_along(control_plane: ControlPlane, ada: Person) -> None:
    with control_plane.context.database.transaction() as session:
        session.add(_model(ada.id, "mine"))
    tell(control_plane, ada, model_id="mine")
    tell(control_plane, ada, model_id="other")
    gone = await ada.api.delete("/api/v1/models/mine", headers=ada.bearer)
    assert gone.status_code == 204, gone.text
    assert [event["data"]["model_id"] for event in (await listed(ada))["items"]] == ["other"]


async def test_a_deleted_account_takes_its_events_along(control_plane: ControlPlane, ada: Person) -> None:
    tell(control_plane, ada)
    body = {"current_password": "SecureP@ss123"}
    answer = await ada.api.post("/api/v1/auth/me/delete", headers=ada.bearer, json=body)
    assert answer.status_code == 204, answer.text
    with control_plane.context.database.transaction() as session:
        assert session.query(EventRow).count() == 0


def _model(owner_id: str, model_id: str) -> ModelRow:
    return ModelRow(id=model_id, owner_id=owner_id, name="Iris", traffic={"v1": 100})
