"""Stored predictions from their arrival to their end, on SQLite and on PostgreSQL."""

import csv
import io
import json
import pickle
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from modelport_control_api.disk import NO_RESERVE
from modelport_control_api.history.retention import Retention
from modelport_control_api.history.rows import newest_rows
from modelport_control_api.history.tables import KeptPrediction as Row
from modelport_control_api.process import app
from modelport_control_api.usage.samples import dispatch
from modelport_crds.mlmodel import History
from modelport_telemetry.usage import kept_prediction
from modelport_telemetry.usage.kept_prediction import KeptPrediction
from modelport_telemetry.usage.samples import Sample
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sqlalchemy import func, select

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at

NOW = time.time()
PREDICTIONS = "/api/v1/predictions"
ON = {"history": {"percent": 100, "retention_days": 7, "redact_fields": ["name"]}}


@dataclass
class Scene:
    platform: Platform
    ann: Account
    model_id: str

    async def configure(self, setting: dict[str, Any]) -> dict[str, Any]:
        answer = await self.ann.http.patch(f"/api/v1/models/{self.model_id}", json=setting)
        assert answer.status_code == 200, answer.text
        model: dict[str, Any] = answer.json()
        return model

    def arrive(self, *kept: KeptPrediction) -> None:
        context = self.platform.plane.context
        samples = [Sample(kept_prediction.KIND, kept_prediction.encode(each)) for each in kept]
        dispatch(context.database, app.sample_handlers(NO_RESERVE), samples)

    def kept(self, seconds_ago: float = 0, **changed: Any) -> KeptPrediction:
        usual = KeptPrediction(
            model=self.model_id, version="v1", at=NOW - seconds_ago, caller="u1", api_key="", request_id="r",
            status=200, reason="", cache="miss", seconds=0.002, request='{"input": [5.10, 3.5, 1.4, 0.2]}',
            request_bytes=32, answer='{"prediction": "setosa"}', truncated=False, redacted_fields=["name"],
        )  # fmt: skip
        return msgspec.structs.replace(usual, **changed)

    async def listed(self, **query: Any) -> httpx.Response:
        return await self.ann.http.get(PREDICTIONS, params={"model_id": self.model_id, **query})

    async def request_ids(self, **query: Any) -> list[str]:
        return [each["request_id"] for each in (await self.listed(**query)).json()["items"]]

    def rows(self) -> int:
        with self.platform.plane.context.database.transaction(read_only=True) as session:
            return session.scalar(select(func.count()).select_from(Row)) or 0

    def sweep(self, max_rows: int = 100_000) -> int:
        database = self.platform.plane.context.database
        return Retention(database, max_rows=max_rows, every_seconds=60).sweep()


@pytest.fixture(scope="module")
def model_bytes() -> bytes:
    features, target = load_iris(return_X_y=True)
    return pickle.dumps(LogisticRegression(max_iter=500).fit(features, target))


@pytest.fixture
async def scene(database_url: str, tmp_path: Path, model_bytes: bytes) -> AsyncIterator[Scene]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        ann = await running.account("ann")
        made = Scene(running, ann, (await ann.upload(model_bytes)).json()["id"])
        await made.configure(ON)
        yield made


async def test_the_setting_is_off_until_it_is_set_and_reaches_the_cluster(scene: Scene) -> None:
    model = await scene.configure({"history": None})
    assert model["history"] is None
    model = await scene.configure({"history": {"percent": 5, "redact_fields": ["a"], "max_row_bytes": 2048}})
    assert model["history"] == {
        "percent": 5, "retention_days": 30, "redact_fields": ["a"], "max_row_bytes": 2048,
    }  # fmt: skip
    reported = History(percent=5, redact_fields=("a",), max_row_bytes=2048)
    await scene.platform.heard(scene.model_id, lambda live: live and live.spec.history == reported)
    scene.platform.settle()
    seen = (await scene.ann.http.get(f"/api/v1/models/{scene.model_id}")).json()
    assert not seen["out_of_sync"]


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"percent": 0}, "history.percent"),
        ({"percent": 101}, "history.percent"),
        ({}, "history.percent"),
        ({"percent": 1, "retention_days": 0}, "history.retention_days"),
        ({"percent": 1, "redact_fields": [""]}, "history.redact_fields[0]"),
        ({"percent": 1, "max_row_bytes": 1_000_000}, "history.max_row_bytes"),
        ({"percent": 1, "share": 2}, "history.share"),
    ],
)
async def test_a_setting_that_is_none_names_the_field(scene: Scene, setting: Any, field: str) -> None:
    answer = await scene.ann.http.patch(f"/api/v1/models/{scene.model_id}", json={"history": setting})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_what_arrived_is_returned_as_it_was_sent(scene: Scene) -> None:
    deep = "[" * 500 + "]" * 500
    scene.arrive(scene.kept(request=deep, at=1_750_000_000.25, api_key="k1"))
    listed = (await scene.listed()).content
    # Byte for byte: 5.10 stays 5.10, and no depth is too deep.
    assert deep.encode() in listed
    scene.arrive(scene.kept(status=422, reason="SampleInvalid", request=None, answer=None, truncated=True))
    [newer, older] = json.loads((await scene.listed()).content)["items"]
    assert (older["at"], older["caller_id"], older["api_key_id"]) == (
        "2025-06-15T15:06:40.250000Z",
        "u1",
        "k1",
    )
    assert (newer["status"], newer["reason"], newer["truncated"]) == (422, "SampleInvalid", True)
    assert (newer["request"], newer["answer"]) == (None, None)
    one = await scene.ann.http.get(f"{PREDICTIONS}/{older['id']}")
    assert one.json() == older


async def test_filters_and_pages(scene: Scene) -> None:
    scene.arrive(*(scene.kept(seconds_ago=60 * i, request_id=f"r{i}") for i in range(5)))
    scene.arrive(
        scene.kept(seconds_ago=600, request_id="bad", status=500, reason="ModelError", version="v2"),
        scene.kept(seconds_ago=660, request_id="busy", status=503, reason="QueueFull"),
    )
    assert await scene.request_ids(outcome="ok") == ["r0", "r1", "r2", "r3", "r4"]
    assert await scene.request_ids(outcome="error") == ["bad", "busy"]
    assert await scene.request_ids(outcome="QueueFull") == ["busy"]
    assert await scene.request_ids(version="v2") == ["bad"]
    moment = datetime.fromtimestamp(NOW - 120, UTC)
    assert await scene.request_ids(**{"from": moment.isoformat()}) == ["r0", "r1", "r2"]
    assert await scene.request_ids(to=moment.isoformat()) == ["r3", "r4", "bad", "busy"]
    first = (await scene.listed(limit=4)).json()
    scene.arrive(scene.kept(request_id="late"))
    second = await scene.listed(limit=4, cursor=first["next_cursor"])
    found = [each["request_id"] for each in first["items"] + second.json()["items"]]
    assert found == ["r0", "r1", "r2", "r3", "r4", "bad", "busy"]
    assert second.json()["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"outcome": "fine"},
        {"from": "2026-01-01T00:00:00"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"cursor": "x"},
        {"model_id": "a\0b"},
    ],
)
async def test_a_filter_that_is_none_is_422(scene: Scene, query: dict[str, str]) -> None:
    answer = await scene.listed(**query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(query)))


@pytest.mark.parametrize("id_", ["no-uuid", "a%00b", "00000000-0000-4000-8000-000000000000"])
async def test_what_is_no_prediction_is_404(scene: Scene, id_: str) -> None:
    assert (await scene.ann.http.get(f"{PREDICTIONS}/{id_}")).status_code == 404
    assert (await scene.ann.http.delete(f"{PREDICTIONS}/{id_}")).status_code == 404


async def test_nothing_is_written_where_the_owner_does_not_want_it(scene: Scene) -> None:
    scene.arrive(scene.kept(model="no-such-model"))
    # From a gateway that has not heard of the field yet.
    scene.arrive(scene.kept(redacted_fields=[]))
    await scene.configure({"history": None})
    scene.arrive(scene.kept())
    assert scene.rows() == 0


async def test_a_payload_that_is_none_is_counted_and_harms_nobody(scene: Scene) -> None:
    context = scene.platform.plane.context
    dispatch(context.database, app.sample_handlers(NO_RESERVE), [Sample("history", b"\x93nonsense")])
    scene.arrive(scene.kept())
    assert scene.rows() == 1


async def test_the_export_is_whole_and_no_cell_is_a_formula(scene: Scene) -> None:
    evil = ["=1+1", "+1", "-1", "@x"]
    scene.arrive(*(scene.kept(seconds_ago=i, request_id=text) for i, text in enumerate(evil)))
    scene.arrive(*(scene.kept(seconds_ago=10 + i, request='{"input": "a,\\"b\\"\\nc"}') for i in range(250)))
    answer = await scene.ann.http.get(f"{PREDICTIONS}/export", params={"model_id": scene.model_id})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{scene.model_id}-predictions.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["request_id"] for row in rows[:4]] == [f"'{text}" for text in evil]
    assert len({row["id"] for row in rows}) == 254
    assert json.loads(rows[-1]["request"]) == {"input": 'a,"b"\nc'}
    only = await scene.ann.http.get(
        f"{PREDICTIONS}/export", params={"model_id": scene.model_id, "outcome": "error"}
    )
    assert len(only.text.splitlines()) == 1


async def test_nobody_but_the_owner_sees_or_deletes_them(scene: Scene) -> None:
    scene.arrive(scene.kept())
    [row] = (await scene.listed()).json()["items"]
    for other in (await scene.platform.account("bob"), await scene.platform.admin()):
        query = {"model_id": scene.model_id}
        for path in (PREDICTIONS, f"{PREDICTIONS}/export", f"{PREDICTIONS}/{row['id']}"):
            assert (await other.http.get(path, params=query)).status_code == 404
        for path in (PREDICTIONS, f"{PREDICTIONS}/{row['id']}"):
            assert (await other.http.delete(path, params=query)).status_code == 404
    assert scene.rows() == 1


async def test_deleting_one_all_and_the_model(scene: Scene) -> None:
    scene.arrive(*(scene.kept(seconds_ago=i) for i in range(1200)))
    [row] = (await scene.listed(limit=1)).json()["items"]
    assert (await scene.ann.http.delete(f"{PREDICTIONS}/{row['id']}")).status_code == 204
    assert (await scene.ann.http.get(f"{PREDICTIONS}/{row['id']}")).status_code == 404
    gone = await scene.ann.http.delete(PREDICTIONS, params={"model_id": scene.model_id})
    assert (gone.status_code, scene.rows()) == (204, 0)
    scene.arrive(scene.kept())
    assert (await scene.ann.http.delete(f"/api/v1/models/{scene.model_id}")).status_code == 204
    assert scene.rows() == 0


async def test_rows_go_when_they_are_too_old_or_too_many(scene: Scene) -> None:
    day = timedelta(days=1).total_seconds()
    scene.arrive(*(scene.kept(seconds_ago=8 * day + i) for i in range(1100)))
    scene.arrive(*(scene.kept(seconds_ago=i, request_id=f"r{i}") for i in range(6)))
    # What is there keeps its days when no more is kept.
    await scene.configure({"history": None})
    assert (scene.sweep(), scene.rows()) == (1100, 6)
    assert scene.sweep(max_rows=4) == 2
    assert await scene.request_ids() == ["r0", "r1", "r2", "r3"]
    assert scene.sweep(max_rows=4) == 0


async def test_rows_to_be_replayed_are_the_newest_in_which_nothing_was_hidden(scene: Scene) -> None:
    await scene.configure(ON)
    scene.arrive(
        scene.kept(5, request='{"input": [1]}'),
        scene.kept(4, request='{"inputs": [[2], [3]]}', version="v2"),
        scene.kept(3, request='{"input": {"name": "[redacted]"}}'),
        scene.kept(2, request='{"input": [4]}', status=422),
        scene.kept(1, request='{"input": [5]}'),
    )
    with scene.platform.plane.context.database.transaction(read_only=True) as session:
        assert newest_rows(session, scene.model_id, limit=10) == [[5], [2], [3], [1]]
        assert newest_rows(session, scene.model_id, limit=2) == [[5], [2]]
        assert newest_rows(session, scene.model_id, limit=10, of_each=1) == [[5], [2], [1]]
        assert newest_rows(session, scene.model_id, limit=10, version="v2") == [[2], [3]]
        assert newest_rows(session, "another", limit=10) == []
