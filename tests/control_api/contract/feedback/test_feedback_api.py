"""What turned out to be true, told by the API, on SQLite and on PostgreSQL."""

import json
import pickle
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from modelport_control_api.feedback.retention import FeedbackRetention
from modelport_control_api.ground_truth import reading
from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.ground_truth.tables import FeedbackRow, ObservedPrediction
from modelport_control_api.usage import ledger
from modelport_crds.mlmodel import Feedback
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.wire import UsageBatch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sqlalchemy import func, select

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at

NOW = time.time()
ON = {"feedback": {"retention_days": 7}}
LINES, CSV = "application/x-ndjson", "text/csv"


@dataclass
class Scene:
    platform: Platform
    ann: Account
    model_id: str

    @property
    def url(self) -> str:
        return f"/api/v1/models/{self.model_id}/feedback"

    async def tell(self, *items: Any) -> httpx.Response:
        return await self.ann.http.post(self.url, json={"items": items})

    async def send(self, body: str | bytes, content_type: str) -> httpx.Response:
        return await self.ann.http.post(self.url, content=body, headers={"Content-Type": content_type})

    async def configure(self, setting: dict[str, Any]) -> httpx.Response:
        return await self.ann.http.patch(f"/api/v1/models/{self.model_id}", json=setting)

    def arrive(self, *ids: str, **changed: Any) -> None:
        """Predictions come as gateways send them."""
        observed = [
            wire.ObservedPrediction(self.model_id, id_, 0, "v1", changed.get("at", NOW), "", '"setosa"', None)
            for id_ in ids
        ]
        batch = wire.decode(wire.encode(UsageBatch(str(uuid4()), "gateway", [], observed=observed)))
        for _ in range(2):
            with self.platform.plane.context.database.transaction() as session:
                ledger.write(session, [batch])

    def seen(self) -> list[Observation]:
        with self.platform.plane.context.database.transaction(read_only=True) as session:
            start = datetime.fromtimestamp(NOW - 86_400 * 30, UTC)
            return list(reading.observations(session, self.model_id, start, start + timedelta(days=60)))

    def rows(self) -> tuple[int, int]:
        with self.platform.plane.context.database.transaction(read_only=True) as session:
            of = [
                session.scalar(select(func.count()).select_from(t)) for t in (ObservedPrediction, FeedbackRow)
            ]
            return of[0] or 0, of[1] or 0

    def sweep(self) -> int:
        return FeedbackRetention(self.platform.plane.context.database, every_seconds=60).sweep()


@pytest.fixture(scope="module")
def model_bytes() -> bytes:
    features, target = load_iris(return_X_y=True)
    return pickle.dumps(LogisticRegression(max_iter=500).fit(features, target))


@pytest.fixture
async def scene(database_url: str, tmp_path: Path, model_bytes: bytes) -> AsyncIterator[Scene]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        ann = await running.account("ann")
        yield Scene(running, ann, (await ann.upload(model_bytes)).json()["id"])


async def test_the_setting_is_off_until_it_is_set_and_reaches_the_cluster(scene: Scene) -> None:
    assert (await scene.configure({})).json()["feedback"] is None
    model = (await scene.configure({"feedback": {"percent": 20, "id_field": "order"}})).json()
    assert model["feedback"] == {"percent": 20, "retention_days": 90, "id_field": "order"}
    wanted = Feedback(percent=20, id_field="order")
    await scene.platform.heard(scene.model_id, lambda live: live and live.spec.feedback == wanted)
    scene.platform.settle()
    assert not (await scene.configure({})).json()["out_of_sync"]
    assert (await scene.configure({"feedback": None})).json()["feedback"] is None


WRONG_SETTINGS = [
    ({"percent": 0}, "feedback.percent"),
    ({"percent": 101}, "feedback.percent"),
    ({"retention_days": 0}, "feedback.retention_days"),
    ({"id_field": ""}, "feedback.id_field"),
    ({"fields": []}, "feedback.fields"),
]


async def test_a_bad_setting_is_named(scene: Scene) -> None:
    for setting, field in WRONG_SETTINGS:
        answer = await scene.configure({"feedback": setting})
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_field_that_history_hides_is_no_id(scene: Scene) -> None:
    await scene.configure({"history": {"percent": 5, "redact_fields": ["name"]}})
    answer = await scene.configure({"feedback": {"id_field": "name"}})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "feedback.id_field must not be name, which history.redact_fields hides."
    await scene.configure({"history": None, "feedback": {"id_field": "name"}})
    assert (await scene.configure({"history": {"percent": 5, "redact_fields": ["name"]}})).status_code == 422


async def test_labels_join_predictions_by_each_way_and_in_each_order(scene: Scene) -> None:
    answer = await scene.tell(
        {"request_id": "a", "label": "setosa", "at": "2026-11-01T10:00:00Z"},
        {"request_id": "b", "reward": 2.5},
    )
    assert answer.json() == {"accepted": 2, "rejected": 0, "errors": []}
    scene.arrive("a", "b", "c", "d", "e", "7")
    lines = [{"request_id": "c", "label": 3}, {"request_id": "d", "label": False}]
    answer = await scene.send("\n\n".join(map(json.dumps, lines)), LINES)
    assert answer.json()["accepted"] == 2
    answer = await scene.send('\ufefflabel,request_id,reward\r\n"a, b",e,\r\n1.5,7,0\r\n\r\n', CSV)
    assert answer.json()["accepted"] == 2
    told = {(each.label, each.reward) for each in scene.seen()}
    assert told == {("setosa", None), (None, 2.5), (3, None), (False, None), ("a, b", None), (1.5, 0.0)}


async def test_a_correction_replaces_and_an_older_word_does_not(scene: Scene) -> None:
    scene.arrive("a")
    for label, day in (("first", 2), ("corrected", 4), ("late", 3), ("corrected", 4)):
        item = {"request_id": "a", "label": label, "at": f"2026-11-0{day}T00:00:00+02:00"}
        assert (await scene.tell(item)).status_code == 200
    assert [each.label for each in scene.seen()] == ["corrected"]


async def test_an_item_that_is_wrong_is_named_and_the_others_count(scene: Scene) -> None:
    wrong = {"request_id": "a", "lable": 1}
    answer = await scene.tell({"request_id": "good", "label": 1}, wrong)
    error = {"item": 2, "message": "Object contains unknown field `lable`"}
    assert answer.json() == {"accepted": 1, "rejected": 1, "errors": [error]}
    alone = await scene.tell(wrong)
    assert alone.status_code == 422
    assert alone.json()["errors"] == [{"field": "items[1]", "message": error["message"]}]


WRONG_BODIES = [
    ("{}", "application/json", 422, "items must be a list of items"),
    ('{"items": []}', "application/json", 422, "items must be a list of items"),
    ("[]", "application/json", 422, "items must be a list of items"),
    ("{", "application/json", 400, "The body is not JSON"),
    ("a", "text/plain", 415, "application/x-ndjson (an item a line) or text/csv"),
    ("id,label\na,1", CSV, 422, "request_id, row, label, reward, at"),
    ("", CSV, 422, "The first line must name the columns"),
    ("request_id,label\na", CSV, 422, "item 2: the line has 1 cell, the first line has 2"),
    ("request_id,reward\na,much", CSV, 422, "item 2: Expected `float | null`, got `str` - at `reward`"),
    ("request_id,reward\na,1e999", CSV, 422, "item 2:"),
    ('{"request_id": "a"', LINES, 422, "item 1: Input data was truncated"),
    ("x" * 70_000, LINES, 422, "A line may have 65,536 bytes at most"),
]


async def test_a_body_that_is_wrong_is_refused_in_words(scene: Scene) -> None:
    for body, content_type, status, words in WRONG_BODIES:
        answer = await scene.send(body, content_type)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert scene.rows() == (0, 0)


async def test_lines_are_numbered_and_written_block_by_block(scene: Scene) -> None:
    rows = [f"id{number},{number % 3}" for number in range(2500)]
    rows[1700] = "id1700,3,4"
    answer = await scene.send("request_id,label\n" + "\n".join(rows) + "\n", CSV)
    assert answer.json() == {
        "accepted": 2499,
        "rejected": 1,
        "errors": [{"item": 1702, "message": "the line has 3 cells, the first line has 2"}],
    }
    assert scene.rows() == (0, 2499)


async def test_only_the_owner_tells_and_forgets(scene: Scene) -> None:
    bob = await scene.platform.account("bob")
    assert (
        await bob.http.post(scene.url, json={"items": [{"request_id": "a", "label": 1}]})
    ).status_code == 404
    assert (await bob.http.delete(scene.url)).status_code == 404
    await scene.tell({"request_id": "a", "label": 1})
    scene.arrive("a")
    assert scene.rows() == (1, 1)
    assert (await scene.ann.http.delete(scene.url)).status_code == 204
    assert scene.rows() == (0, 0)


async def test_rows_go_with_their_days_and_with_their_model(scene: Scene) -> None:
    await scene.configure(ON)
    scene.arrive("new")
    scene.arrive("old", at=NOW - 8 * 86_400)
    at = datetime.fromtimestamp(NOW - 8 * 86_400, UTC).isoformat()
    await scene.tell({"request_id": "new", "label": 1}, {"request_id": "old", "label": 1, "at": at})
    assert scene.sweep() == 2
    assert scene.rows() == (1, 1)
    assert (await scene.ann.http.delete(f"/api/v1/models/{scene.model_id}")).status_code == 204
    assert scene.rows() == (0, 0)
    scene.arrive("of a gateway that has not heard of it")
    assert scene.sweep() == 1
    assert scene.rows() == (0, 0)
