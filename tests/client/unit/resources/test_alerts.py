"""`modelport events` and `modelport webhooks`, and the SDK behind them."""

import json
from datetime import UTC, datetime
from typing import Any

from modelport import Modelport

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

EVENTS, HOOKS, ONE = "GET /api/v1/events", "GET /api/v1/webhooks", "/api/v1/webhooks/h1"
EVENT = {
    "id": "e1", "type": "rollout.rolled_back", "at": "2026-12-01T02:00:00Z", "read": False,
    "data": {
        "model_id": "iris", "model_name": "Iris", "version": "v2", "summary": "v1 serves on.", "rollout": 3
    },
}  # fmt: skip
HOOK = {
    "id": "h1", "url": "https://example.com/", "events": ["rollout.*"], "model_id": None, "description": "",
    "enabled": True, "created_at": "2026-12-01T02:00:00Z",
}  # fmt: skip
DELIVERY = {
    "id": "d1", "type": "webhook.test", "event_id": None, "state": "waiting", "attempts": 1,
    "last_status": 500, "last_error": "It answered with status 500.",
    "next_try_at": "2026-12-01T02:00:10Z", "delivered_at": None, "created_at": "2026-12-01T02:00:00Z",
}  # fmt: skip


def page(*items: Any) -> Answer:
    return Answer(200, {"items": list(items), "next_cursor": None, "unread": 1})


def test_events_are_listed_and_marked(client: Modelport, platform: Platform) -> None:
    platform.on(EVENTS, page(EVENT))
    platform.on("POST /api/v1/events/read", Answer(204))
    (event,) = client.events(unread=True, model_id="iris", limit=7)
    assert (event.type, event.model_name, event.version) == ("rollout.rolled_back", "Iris", "v2")
    assert (event.summary, event.data["rollout"], event.read) == ("v1 serves on.", 3, False)
    assert event.at == datetime(2026, 12, 1, 2, tzinfo=UTC)
    client.events.mark_read("e1")
    client.events.mark_read()
    assert [asked.json for asked in platform.calls("POST /api/v1/events/read")] == [{"id": "e1"}, {}]


def test_a_webhook_from_its_making_to_its_end(client: Modelport, platform: Platform) -> None:
    platform.on("POST /api/v1/webhooks", Answer(201, {**HOOK, "secret": "whsec_x"}))
    platform.on(HOOKS, page(HOOK))
    platform.on(f"GET {ONE}", Answer(200, HOOK))
    platform.on(f"PATCH {ONE}", Answer(200, {**HOOK, "enabled": False}))
    platform.on(f"POST {ONE}/rotate", Answer(200, {**HOOK, "secret": "whsec_y"}))
    platform.on(f"POST {ONE}/test", Answer(202, {**DELIVERY, "attempts": 0, "last_error": None}))
    platform.on(f"GET {ONE}/deliveries", page(DELIVERY))
    platform.on(f"DELETE {ONE}", Answer(204))
    made = client.webhooks.create("https://example.com/", events=["rollout.*"], model_id="iris")
    assert (made.secret, made.events, "whsec_x" in repr(made)) == ("whsec_x", ("rollout.*",), False)
    (asked,) = platform.calls("POST /api/v1/webhooks")
    assert asked.json == {
        "url": "https://example.com/", "events": ["rollout.*"], "model_id": "iris", "description": ""
    }  # fmt: skip
    assert [client.webhooks.get("h1")] == client.webhooks()
    assert client.webhooks.get("h1").secret is None
    assert client.webhooks.update("h1", enabled=False).enabled is False
    assert [each.json for each in platform.calls(f"PATCH {ONE}")] == [{"enabled": False}]
    assert client.webhooks.rotate_secret("h1").secret == "whsec_y"
    assert client.webhooks.test("h1").state == "waiting"
    (message,) = client.webhooks.deliveries("h1")
    assert (message.attempts, message.last_status, message.last_error) == (
        1, 500, "It answered with status 500."
    )  # fmt: skip
    client.webhooks.delete("h1")
    assert len(platform.calls(f"DELETE {ONE}")) == 1


def test_the_command_shows_what_happened(cli: Cli, platform: Platform) -> None:
    platform.on(EVENTS, page(EVENT))
    platform.on("POST /api/v1/events/read", Answer(204))
    shown = cli("events", "--unread", "--mark-read")
    assert shown.code == 0
    assert "rollout.rolled_back" in shown.out
    assert "v1 serves on." in shown.out
    assert len(platform.calls("POST /api/v1/events/read")) == 1
    assert json.loads(cli("events", "--json").out) == [EVENT]


def test_the_secret_is_printed_alone(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/webhooks", Answer(201, {**HOOK, "secret": "whsec_x"}))
    made = cli("webhooks", "create", "https://example.com/", "--event", "rollout.*")
    assert made.out.strip() == "whsec_x"
    platform.on(HOOKS, page(HOOK))
    assert "https://example.com/" in cli("webhooks", "list").out
    platform.on(f"GET {ONE}/deliveries", page(DELIVERY))
    assert "It answered with status 500." in cli("webhooks", "deliveries", "h1").out


def test_what_the_platform_refuses_is_said(cli: Cli, platform: Platform) -> None:
    platform.on("POST /api/v1/webhooks", problem(422, "events may list *, and not nope."))
    refused = cli("webhooks", "create", "https://example.com/", "--event", "nope")
    assert refused.code == 5
    assert "and not nope" in refused.err
