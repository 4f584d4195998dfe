"""References and counts from their arrival to their end, on SQLite and on PostgreSQL."""

import asyncio
import pickle
import random
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from modelport_control_api.disk import NO_RESERVE
from modelport_control_api.drift.tables import DriftCountsRow, DriftReferenceRow, DriftStateRow
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.evaluator import Evaluator
from modelport_control_api.monitoring.wiring import DriftServices
from modelport_control_api.process import app
from modelport_control_api.usage.samples import dispatch
from modelport_telemetry.drift import bins as wire
from modelport_telemetry.drift.bins import ReferenceBins
from modelport_telemetry.drift.counting import RowCounter
from modelport_telemetry.usage import drift_counts
from modelport_telemetry.usage.drift_counts import DriftCounts
from modelport_telemetry.usage.samples import Sample
from sqlalchemy import func, select

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.support.models import iris_logistic

MINUTE = int(time.time()) // 60 - 100
COLUMNS = [{"name": "size", "kind": "number"}, {"name": "hue", "kind": "string"}]
SIGNATURE = {"task": "classifier", "columns": COLUMNS}


def rows(count: int, *, shift: float = 0.0, seed: int = 0) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    return [{"size": draw.gauss(shift), "hue": draw.choice(["red", "blue"])} for _ in range(count)]


def as_csv(table: Sequence[dict[str, Any]]) -> str:
    return "\n".join(["size,hue,target", *(f"{row['size']!r},{row['hue']},1" for row in table)])


@dataclass
class Scene:
    platform: Platform
    ann: Account
    model_id: str

    @property
    def version(self) -> str:
        return f"/api/v1/models/{self.model_id}/versions/v1"

    async def put(self, table: Sequence[dict[str, Any]]) -> dict[str, Any]:
        response = await self.ann.http.put(f"{self.version}/reference", content=as_csv(table))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def bins(self) -> ReferenceBins:
        """As a gateway learns them."""
        async with self.platform.internal() as internal:
            known = (await internal.get("/internal/v1/drift/references")).json()["references"]
            [mine] = [each for each in known if each["model"] == self.model_id]
            return wire.decode((await internal.get(f"/internal/v1/drift/bins/{mine['reference']}")).content)

    def payload(self, bins: ReferenceBins, table: Sequence[dict[str, Any]], minute: int) -> Sample:
        counter = RowCounter(bins)
        for row in table:
            counter.add(row, crc32(repr(row).encode()))
        taken = counter.take()
        counts = DriftCounts(
            model=self.model_id,
            version="v1",
            reference=bins.reference,
            minute=minute,
            rows=taken.rows,
            counted=taken.counted,
            features=taken.features,
            predictions={"=a": len(table)},
            values=taken.values,
            blocks=taken.blocks,
        )
        return Sample(drift_counts.KIND, drift_counts.encode(counts))

    def arrive(self, *samples: Sample) -> None:
        context = self.platform.plane.context
        dispatch(context.database, app.sample_handlers(NO_RESERVE), samples)

    def evaluate(self) -> None:
        context = self.platform.plane.context
        part = DriftServices.build(context.settings, self.platform.plane.models)
        Evaluator(context.database, part, retention_days=14).evaluate_pending()

    async def drift(self) -> dict[str, Any]:
        response = await self.ann.http.get(f"{self.version}/drift")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def told(self) -> list[dict[str, Any]]:
        """Events of drift, the oldest first."""
        page = (await self.ann.http.get("/api/v1/events")).json()
        return [event for event in page["items"][::-1] if event["type"].startswith("drift.")]

    def stored(self) -> tuple[int, ...]:
        with self.platform.plane.context.database.transaction(read_only=True) as session:
            tables = (DriftReferenceRow, DriftCountsRow, DriftStateRow)
            return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        ann = await running.account("ann")
        made = Scene(running, ann, (await ann.upload(pickle.dumps(iris_logistic().model))).json()["id"])
        ready = {"ready": True, "answered": True, "replicas": 1, "signature": SIGNATURE}
        await running.serve(made.model_id, {"v1": 100}, v1=ready)
        yield made


async def test_from_nothing_over_drift_to_ok_again(scene: Scene) -> None:
    assert (await scene.drift())["state"] == "no_reference"
    reference = await scene.put(rows(300))
    assert reference == reference | {"rows": 300, "features": 2, "unmatched": []}
    # Before anything was evaluated: what is wanted is known, and what is counted is said at once.
    assert (await scene.drift())["message"] == "Collecting: 0 of 500 sampled rows."
    bins = await scene.bins()
    scene.arrive(scene.payload(bins, rows(400, seed=1), MINUTE))
    assert (await scene.drift())["message"] == "Collecting: 400 of 500 sampled rows."
    scene.evaluate()
    found = await scene.drift()
    assert (found["state"], found["rows"], found["window"]) == ("collecting", 400, None)
    assert found["message"] == "Collecting: 400 of 500 sampled rows."

    scene.arrive(scene.payload(bins, rows(200, seed=2), MINUTE + 1))
    scene.evaluate()
    assert (await scene.drift())["state"] == "ok"

    scene.arrive(scene.payload(bins, rows(600, shift=1, seed=3), MINUTE + 2))
    scene.evaluate()
    found = await scene.drift()
    assert (found["state"], found["window"]["rows"], found["predictions"]["rows"]) == ("drift", 600, 600)
    assert [each["name"] for each in found["features"] if each["drifts"]] == ["size"]
    assert found["features"][0]["summary"].startswith(
        "Beyond all values of the reference in 4.83 % of rows, was 0 %; half"
    )

    # Clean rows, but the window reaches back into the minute that drifted, and drifts itself.
    scene.arrive(scene.payload(bins, rows(450, seed=4), MINUTE + 3))
    scene.evaluate()
    assert (await scene.drift())["state"] == "drift"
    # A clean window, of which a part was in the one before.
    scene.arrive(scene.payload(bins, rows(450, seed=5), MINUTE + 4))
    scene.evaluate()
    found = await scene.drift()
    assert found["state"] == "drift"
    assert found["message"].startswith("No feature drifts in the newest rows")
    scene.arrive(scene.payload(bins, rows(500, seed=6), MINUTE + 5))
    scene.evaluate()
    assert (await scene.drift())["state"] == "ok"
    began, ended = await scene.told()
    assert (began["type"], ended["type"]) == ("drift.started", "drift.ended")
    assert began["data"]["summary"].startswith("Live inputs differ from the reference in size: ")
    assert [each["name"] for each in began["data"]["features"]] == ["size"]
    assert (ended["data"]["version"], ended["data"]["rows"]) == ("v1", 500)


def calibration(count: int) -> str:
    """Rows with the features of both: of red ones all are right, of blue ones half, whatever their size."""
    lines = ["label,size,hue,prediction,probability_a,probability_b"]
    for at, row in enumerate(rows(count, seed=20)):
        label = "a" if row["hue"] == "red" or at % 2 else "b"
        lines.append(f"{label},{row['size']!r},{row['hue']},a,0.8,0.2")
    return "\n".join(lines)


async def test_what_drifts_is_ordered_by_what_it_does_to_expected_accuracy(scene: Scene) -> None:
    await scene.put(rows(1000))
    bins = await scene.bins()
    live = rows(600, shift=2, seed=3)
    for at, row in enumerate(live):
        row["hue"] = "red" if at % 10 == 0 else "blue"
    scene.arrive(scene.payload(bins, live, MINUTE))
    scene.evaluate()
    found = await scene.drift()
    assert [each["name"] for each in found["features"]] == ["size", "hue"]
    assert [each["expected_change"] for each in found["features"]] == [None, None]

    path = f"{scene.version}/calibration"
    answer = await scene.ann.http.put(path, content=calibration(2000))
    assert answer.status_code == 200, answer.text
    scene.evaluate()
    found = await scene.drift()
    hue, size = found["features"]
    assert (hue["name"], size["name"]) == ("hue", "size")
    assert size["psi"] > hue["psi"]
    # From half of the rows to nine of ten is blue, and of those half are right.
    assert hue["expected_change"] == pytest.approx(-0.2, abs=0.02)
    assert size["expected_change"] == pytest.approx(0, abs=0.04)
    assert "differ from the reference in hue (expected accuracy -" in found["message"]
    model = (await scene.ann.http.get(f"/api/v1/models/{scene.model_id}")).json()
    summary = model["versions"][0]["data_drift"]["features"]
    assert [each["expected_change"] for each in summary] == [hue["expected_change"], size["expected_change"]]

    assert (await scene.ann.http.delete(path)).status_code == 204
    scene.evaluate()
    assert [each["name"] for each in (await scene.drift())["features"]] == ["size", "hue"]
    # Other bins than those that were calibrated: nothing is known of them.
    assert (await scene.ann.http.put(path, content=calibration(2000))).status_code == 200
    await scene.put(rows(900, seed=9))
    scene.arrive(scene.payload(await scene.bins(), live, MINUTE))
    scene.evaluate()
    assert [each["expected_change"] for each in (await scene.drift())["features"]] == [None, None]


async def test_concurrent_counts_of_one_minute_add_up(scene: Scene) -> None:
    await scene.put(rows(100))
    bins = await scene.bins()
    parts = [scene.payload(bins, rows(10, seed=seed), MINUTE) for seed in range(20)]
    with ThreadPoolExecutor(4) as pool:
        await asyncio.gather(
            *(asyncio.get_running_loop().run_in_executor(pool, scene.arrive, part) for part in parts)
        )
    found = await scene.drift()
    assert (found["rows"], found["predictions"]["bars"][0]["rows"]) == (200, 200)
    assert scene.stored() == (1, 1, 1)


async def test_another_reference_starts_from_zero_and_leaves_out_counts_for_the_old_one(scene: Scene) -> None:
    await scene.put(rows(100))
    old = await scene.bins()
    scene.arrive(scene.payload(old, rows(50), MINUTE))
    await scene.put(rows(120))
    scene.arrive(scene.payload(old, rows(50), MINUTE))
    found = await scene.drift()
    assert (found["state"], found["rows"], found["reference"]["rows"]) == ("collecting", 0, 120)
    trail = (await scene.ann.http.get("/api/v1/audit")).json()["items"]
    assert [each["detail"] for each in trail if each["action"] == "reference.put"] == [
        {"version": "v1", "rows": 120, "before": {"rows": 100}},
        {"version": "v1", "rows": 100},
    ]


async def test_thresholds_of_a_model_hold_and_all_goes_with_it(scene: Scene) -> None:
    await scene.put(rows(100))
    settings = {"data_drift": {"window_rows": 60, "psi_threshold": 5.0}}
    changed = (await scene.ann.http.patch(f"/api/v1/models/{scene.model_id}", json=settings)).json()
    assert changed["data_drift"] == {"window_rows": 60, "psi_threshold": 5.0, "alpha": None}
    scene.arrive(scene.payload(await scene.bins(), rows(70, shift=1, seed=9), MINUTE))
    scene.evaluate()
    assert (await scene.drift())["state"] == "ok"
    with scene.platform.plane.context.database.transaction(read_only=True) as session:
        spread = reading.prediction_distribution(session, scene.model_id, ["v1"], MINUTE, MINUTE + 1)
        assert spread is not None
        assert spread.rows == 70
        assert reading.prediction_distribution(session, scene.model_id, None, 0, MINUTE) is None
    assert (await scene.ann.http.delete(f"/api/v1/models/{scene.model_id}")).status_code == 204
    assert scene.stored() == (0, 0, 0)


async def test_a_reference_is_deleted_and_a_bad_one_named(scene: Scene) -> None:
    await scene.put(rows(100))
    assert (await scene.ann.http.delete(f"{scene.version}/reference")).status_code == 204
    assert (await scene.ann.http.get(f"{scene.version}/reference")).status_code == 404
    assert (await scene.ann.http.delete(f"{scene.version}/reference")).status_code == 404
    assert scene.stored() == (0, 0, 0)
    bad = await scene.ann.http.put(f"{scene.version}/reference", content="a,b\n1\n")
    assert bad.status_code == 422
    assert bad.json()["errors"] == [
        {"field": "reference", "message": "line 2 has 1 field, and the header has 2"}
    ]


async def test_a_bad_reference_at_the_upload_keeps_nothing(scene: Scene) -> None:
    before = scene.platform.stored()
    files = {"file": pickle.dumps(iris_logistic().model), "reference": b"a\n1\n"}
    response = await scene.ann.http.post("/api/v1/models/upload", data={"name": "Bad"}, files=files)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "reference"
    assert scene.platform.stored() == before
    assert scene.platform.incoming() == []
