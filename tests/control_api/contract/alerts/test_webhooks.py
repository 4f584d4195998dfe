"""The calls on webhooks: what they take, whom they serve, and that no secret is shown twice."""

from typing import Any

import pytest
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import ModelRow

from tests.support.control_api import Person, make_admin

HOOKS = "/api/v1/webhooks"
URL = "https://hooks.example.com/modelport"


async def make(person: Person, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = await person.api.post(HOOKS, headers=headers or person.bearer, json={"url": URL, **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{HOOKS}/{answer.json()['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


async def send(person: Person, method: str, path: str, **body: Any) -> Any:
    return await person.api.request(method, f"{HOOKS}{path}", headers=person.bearer, json=body or None)


def add_model(plane: ControlPlane, owner: Person, model_id: str) -> None:
    with plane.context.database.transaction() as session:
        session.add(ModelRow(id=model_id, owner_id=owner.id, name="Iris", traffic={"v1": 100}))


async def test_a_webhook_is_made_read_changed_and_deleted(ada: Person) -> None:
    made = await make(ada, events=["rollout.*", "model.failed", "rollout.*"], description="pager")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == made | {
        "url": URL,
        "events": ["rollout.*", "model.failed"],
        "model_id": None,
        "description": "pager",
        "enabled": True,
    }
    assert (await send(ada, "GET", f"/{made['id']}")).json() == made
    assert (await send(ada, "GET", "")).json() == {"items": [made], "next_cursor": None}
    changed = await send(ada, "PATCH", f"/{made['id']}", events=["*"], enabled=False)
    assert changed.json() == made | {"events": ["*"], "enabled": False}
    assert (await send(ada, "DELETE", f"/{made['id']}")).status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test")):
        assert (await send(ada, method, f"/{made['id']}{path}")).status_code == 404
    trail = (await ada.api.get("/api/v1/audit", headers=ada.bearer)).json()["items"]
    assert [entry["action"] for entry in trail][:3] == ["webhook.delete", "webhook.change", "webhook.create"]
    assert trail[1]["detail"]["before"] == {"events": ["rollout.*", "model.failed"], "enabled": True}
    assert secret not in str(trail)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:secret@example.com/"}, "url"),
        ({"url": "http://example.com:22/"}, "url"),
        ({"url": "https://ex\u00e4mple.com/"}, "url"),
        ({}, "url"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["rollout.exploded"]}, "events"),
        ({"url": URL, "events": "*"}, "events"),
        ({"url": URL, "description": "x" * 201}, "description"),
        ({"url": URL, "description": "a\x00b"}, "description"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
    ],
)
async def test_what_is_no_webhook_is_refused_by_name(ada: Person, body: dict[str, Any], field: str) -> None:
    answer = await ada.api.post(HOOKS, headers=ada.bearer, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    if field == "events" and body["events"] == ["rollout.exploded"]:
        assert "rollout.rolled_back" in answer.json()["detail"]


async def test_only_ones_own_models_can_be_listened_to(
    control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    add_model(control_plane, ada, "iris")
    made = await make(ada, model_id="iris")
    assert made["model_id"] == "iris"
    make_admin(control_plane, bob)
    for model_id in ("iris", "none", "a%00b", "x" * 127):
        # An administrator may manage the model, and yet is not told of it.
        answer = await send(bob, "POST", "", url=URL, model_id=model_id)
        assert answer.status_code == 404, model_id
    assert [each["id"] for each in (await send(ada, "GET", "?model_id=iris")).json()["items"]] == [made["id"]]
    assert (await send(ada, "GET", "?model_id=other")).json()["items"] == []
    # Gone with the model.
    gone = await ada.api.delete("/api/v1/models/iris", headers=ada.bearer)
    assert gone.status_code == 204, gone.text
    assert (await send(ada, "GET", "")).json()["items"] == []


async def test_somebody_elses_webhook_does_not_exist(ada: Person, bob: Person) -> None:
    made = await make(ada)
    calls = ["GET", "PATCH", "DELETE", "POST /rotate", "POST /test", "GET /deliveries"]
    for method, _, path in (call.partition(" ") for call in calls):
        body = {"enabled": False} if method == "PATCH" else {}
        assert (await send(bob, method, f"/{made['id']}{path}", **body)).status_code == 404, path
    assert (await send(bob, "GET", "")).json()["items"] == []
    assert (await send(ada, "GET", f"/{made['id']}")).json()["enabled"] is True


async def test_a_key_for_some_models_hears_of_no_others(control_plane: ControlPlane, ada: Person) -> None:
    add_model(control_plane, ada, "mine")
    add_model(control_plane, ada, "other")
    everything, of_other = await make(ada), await make(ada, model_id="other")
    key = await ada.make_key(scopes=["models:read", "models:write"], model_ids=["mine"])
    shown = {"X-API-Key": key["key"]}
    refused = await ada.api.post(HOOKS, headers=shown, json={"url": URL})
    assert (refused.status_code, "model_id" in refused.json()["detail"]) == (403, True)
    assert (
        await ada.api.post(HOOKS, headers=shown, json={"url": URL, "model_id": "other"})
    ).status_code == 404
    made = await make(ada, shown, model_id="mine")
    listed = (await ada.api.get(HOOKS, headers=shown)).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    for each in (everything, of_other):
        path = f"{HOOKS}/{each['id']}"
        assert (await ada.api.get(path, headers=shown)).status_code == 404
        assert (await ada.api.patch(path, headers=shown, json={"url": URL})).status_code == 404
        assert (await ada.api.post(f"{path}/rotate", headers=shown)).status_code == 404


async def test_a_rotated_secret_is_another_and_shown_once(ada: Person) -> None:
    made = await make(ada)
    rotated = await send(ada, "POST", f"/{made['id']}/rotate")
    assert rotated.headers["Cache-Control"] == "no-store"
    assert rotated.json() == made | {"secret": rotated.json()["secret"]}
    assert rotated.json()["secret"] != made["secret"]
    assert "secret" not in (await send(ada, "GET", f"/{made['id']}")).json()


async def test_a_test_is_a_message_that_waits(ada: Person) -> None:
    made = await make(ada)
    sent = await send(ada, "POST", f"/{made['id']}/test")
    assert sent.status_code == 202
    message = sent.json()
    assert (message["type"], message["state"], message["attempts"]) == ("webhook.test", "waiting", 0)
    assert (message["event_id"], message["last_status"], message["last_error"]) == (None, None, None)
    page = (await send(ada, "GET", f"/{made['id']}/deliveries")).json()
    assert page == {"items": [message], "next_cursor": None}
    assert (await send(ada, "PATCH", f"/{made['id']}", enabled=False)).status_code == 200
    refused = await send(ada, "POST", f"/{made['id']}/test")
    assert (refused.status_code, "enabled" in refused.json()["detail"]) == (409, True)


async def test_tests_and_webhooks_are_limited(control_plane: ControlPlane, ada: Person) -> None:
    settings = control_plane.context.settings
    made = [await make(ada) for _ in range(settings.user_max_webhooks)]
    refused = await send(ada, "POST", "", url=URL)
    assert (refused.status_code, "20 webhooks" in refused.json()["detail"]) == (409, True)
    path = f"/{made[0]['id']}/test"
    tried = [(await send(ada, "POST", path)).status_code for _ in range(61)]
    assert tried == [202] * 60 + [429]
