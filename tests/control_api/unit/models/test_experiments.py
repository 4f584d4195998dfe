"""A/B tests by the API: from the traffic they get to the verdict and what follows from it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.experiments import evaluator
from modelport_control_api.ground_truth.writing import write_feedback, write_predictions
from modelport_control_api.registry.tables import ExperimentRow, ModelRow
from sqlalchemy import select

from tests.control_api.unit.models.fake_cluster import FAILED, READY
from tests.control_api.unit.models.platform import Account, Platform
from tests.control_api.unit.models.test_kubectl import by_hand
from tests.support.waiting import until

Json = dict[str, Any]
REWARD: Json = {"arms": {"v1": 50, "v2": 50}, "goal": {"metric": "reward"}}
HALVES = {"v1": 50, "v2": 50}


@pytest.fixture
async def model_id(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """v1 serves, v2 is ready and gets nothing."""
    made: str = (await ann.upload(iris_bytes)).json()["id"]
    await platform.serve(made, {"v1": 100}, v1=READY)
    assert (await ann.upload_version(made, iris_bytes, traffic="0")).status_code == 202
    await platform.serve(made, {"v1": 100}, v1=READY, v2=READY)
    return made


def url(model_id: str, rest: str = "") -> str:
    return f"/api/v1/models/{model_id}{rest}"


async def ask(ann: Account, model_id: str, **changed: Any) -> Any:
    return await ann.http.post(url(model_id, "/experiments"), json=REWARD | changed)


async def start(platform: Platform, ann: Account, model_id: str, **changed: Any) -> Json:
    """Until its arms have the traffic, and what is predicted counts."""
    made = await ask(ann, model_id, **changed)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == url(model_id, f"/experiments/{made.json()['id']}")
    await platform.nothing_waits()
    await platform.serve(model_id, made.json()["arms"], v1=READY, v2=READY)
    await until(lambda: stored(platform, model_id).state == "running")
    return await read(ann, model_id, made.json()["id"])


async def read(ann: Account, model_id: str, number: int = 1) -> Json:
    found: Json = (await ann.http.get(url(model_id, f"/experiments/{number}"))).raise_for_status().json()
    return found


def stored(platform: Platform, model_id: str, number: int = 1) -> ExperimentRow:
    with platform.plane.context.database.transaction(read_only=True) as session:
        found = session.get(ExperimentRow, (model_id, number))
    assert found is not None
    return found


def rewind(platform: Platform, model_id: str, days: float) -> None:
    """As if it had started so long ago. It is looked at soon."""
    with platform.plane.context.database.transaction() as session:
        row = session.get(ExperimentRow, (model_id, 1))
        assert row is not None
        row.started_at = datetime.now(UTC) - timedelta(days=days)
        row.look_at = datetime.now(UTC)


def predicted(
    platform: Platform, model_id: str, converted: Mapping[str, int], units: int = 2000, *, again: int = 0
) -> None:
    """Each version has so many sessions of one row each, of which so many were rewarded. `again`: more rows
    of the same ones."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    rows = [
        {
            "model_id": model_id, "prediction_id": f"{version}-{unit}-{row}", "row": 0, "version": version,
            "at": now, "unit": f"{version}-{unit}", "prediction": "1", "probabilities": None,
        }
        for version in converted
        for unit in range(units)
        for row in range(1 + again)
    ]  # fmt: skip
    rewards = [
        {
            "model_id": model_id, "prediction_id": f"{version}-{unit}-0", "row": 0, "label": None,
            "reward": 1.0, "at": now, "received_at": now,
        }
        for version, hits in converted.items()
        for unit in range(hits)
    ]  # fmt: skip
    with platform.plane.context.database.transaction() as session:
        write_predictions(session, rows)
        write_feedback(session, rewards)


async def looked_at(platform: Platform, model_id: str) -> None:
    await until(lambda: stored(platform, model_id).evidence is not None)


def in_cluster(platform: Platform, model_id: str) -> Json:
    spec: Json = platform.cluster.objects[model_id]["spec"]
    return spec


def traffic_of(platform: Platform, model_id: str) -> dict[str, int]:
    return {each["version"]: each["weight"] for each in in_cluster(platform, model_id)["traffic"]}


def settings_of(platform: Platform, model_id: str) -> tuple[str | None, int | None]:
    with platform.plane.context.database.transaction(read_only=True) as session:
        row = session.get(ModelRow, model_id)
        assert row is not None
        return row.sticky, row.feedback_percent


async def test_it_starts_with_the_traffic_the_stickiness_and_the_feedback_that_it_needs(
    platform: Platform, ann: Account, model_id: str
) -> None:
    made = (await ask(ann, model_id, unit="caller")).json()
    assert {name: made[name] for name in ("id", "arms", "control", "state", "verdict", "winner")} == {
        "id": 1, "arms": HALVES, "control": "v1", "state": "starting", "verdict": "", "winner": None
    }  # fmt: skip
    assert (made["min_days"], made["max_days"], made["evidence"], made["looks"]) == (7, 60, None, [])
    await platform.nothing_waits()
    assert traffic_of(platform, model_id) == HALVES
    assert in_cluster(platform, model_id)["sticky"] == "caller"
    assert settings_of(platform, model_id) == ("caller", 100)
    # Nothing counts before the cluster says that the arms have the traffic.
    assert stored(platform, model_id).started_at is None
    await platform.serve(model_id, HALVES, v1=READY, v2=READY)
    await until(lambda: stored(platform, model_id).state == "running")
    assert (await ann.http.get(url(model_id, "/experiments"))).json()["items"][0]["state"] == "running"


async def test_what_it_finds_before_min_days_is_shown_and_not_decided(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(platform, ann, model_id)
    predicted(platform, model_id, {"v1": 200, "v2": 400}, again=2)
    rewind(platform, model_id, 1)
    await looked_at(platform, model_id)
    found = await read(ann, model_id)
    assert found["state"] == "running"
    assert found["verdict"].startswith(
        "So far: v2 converts 10.0 points more than v1 (6.6 to 13.4); 4,000 sessions. It is decided on "
    )
    evidence = found["evidence"]
    assert [(arm["version"], arm["units"], arm["rows"], arm["mean"]) for arm in evidence["arms"]] == [
        ("v1", 2000, 6000, 0.1),
        ("v2", 2000, 6000, 0.2),
    ]
    assert evidence["arms"][0]["lower"] < 0.1 < evidence["arms"][0]["upper"]
    [comparison] = evidence["comparisons"]
    assert comparison["state"] == "better"
    assert comparison["lower"] < 0.1 < comparison["upper"]
    [look] = found["looks"]
    assert (look["units"], look["intervals"][0]["version"]) == (4000, "v2")


async def test_after_min_days_it_is_decided_and_promoted_with_one_call(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(platform, ann, model_id)
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    rewind(platform, model_id, 8)
    await until(lambda: stored(platform, model_id).state == "decided")
    found = await read(ann, model_id)
    assert (found["winner"], found["ended_at"]) == ("v2", None)
    assert found["verdict"] == "v2 converts 10.0 points more than v1 (6.6 to 13.4); 4,000 sessions."
    told = (await ann.http.get("/api/v1/events", params={"model_id": model_id})).json()["items"]
    [event] = [each for each in told if each["type"] == "experiment.decided"]
    assert (event["type"], event["data"]["summary"]) == ("experiment.decided", found["verdict"])
    assert (event["data"]["version"], event["data"]["experiment"]) == ("v2", 1)
    # Nobody asked for more: the traffic is as it was.
    assert traffic_of(platform, model_id) == HALVES
    answer = await ann.http.post(url(model_id, "/experiments/1/promote"))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["promoted"]) == ("promoted", "v2")
    await platform.nothing_waits()
    assert traffic_of(platform, model_id) == {"v2": 100}
    assert settings_of(platform, model_id) == (None, None)
    await platform.serve(model_id, {"v2": 100}, v1=READY, v2=READY)
    assert (await ask(ann, model_id)).json()["id"] == 2


async def test_the_winner_takes_all_if_it_is_to(platform: Platform, ann: Account, model_id: str) -> None:
    await start(platform, ann, model_id, min_days=0, winner_takes_all=True)
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    rewind(platform, model_id, 1)
    await until(lambda: stored(platform, model_id).ended_at is not None)
    found = await read(ann, model_id)
    assert (found["state"], found["winner"], found["promoted"]) == ("promoted", "v2", "v2")
    await platform.nothing_waits()
    assert traffic_of(platform, model_id) == {"v2": 100}
    with platform.plane.context.database.transaction(read_only=True) as session:
        query = select(AuditEntry.detail).where(AuditEntry.action == "experiment.end")
        [detail] = session.scalars(query)
    assert detail["verdict"] == found["verdict"]
    assert detail["before"] == {"traffic": HALVES}


async def test_a_winner_that_is_down_takes_nothing_until_it_is_up(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(platform, ann, model_id, min_days=0, winner_takes_all=True)
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=FAILED)
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    rewind(platform, model_id, 1)
    await looked_at(platform, model_id)
    assert (await read(ann, model_id))["state"] == "running"
    await platform.serve(model_id, HALVES, v1=READY, v2=READY)
    rewind(platform, model_id, 1)
    await until(lambda: stored(platform, model_id).promoted == "v2")


async def test_without_a_winner_it_is_inconclusive_at_max_days(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(platform, ann, model_id, max_days=30)
    predicted(platform, model_id, {"v1": 200, "v2": 205})
    rewind(platform, model_id, 31)
    await until(lambda: stored(platform, model_id).state == "inconclusive")
    found = await read(ann, model_id)
    assert found["verdict"].startswith("Inconclusive after 30 days. Not decided yet: v2 converts 0.2")
    assert traffic_of(platform, model_id) == HALVES
    assert (await ann.http.post(url(model_id, "/experiments/1/promote"))).status_code == 409
    stopped = (await ann.http.post(url(model_id, "/experiments/1/stop"))).json()
    assert (stopped["state"], stopped["promoted"]) == ("stopped", "v1")


async def test_a_broken_guardrail_decides_before_min_days(
    platform: Platform, ann: Account, model_id: str
) -> None:
    guardrails = [{"metric": "accuracy", "tolerance": 0.01}]
    await start(platform, ann, model_id, guardrails=guardrails)
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    with platform.plane.context.database.transaction() as session:
        now = datetime.now(UTC)
        write_feedback(
            session,
            [
                {
                    "model_id": model_id, "prediction_id": f"{version}-{unit}-0", "row": 0, "reward": 1.0,
                    "label": "1" if version == "v1" or unit % 5 else "0", "at": now, "received_at": now,
                }
                for version in HALVES
                for unit in range(1000)
            ],
        )  # fmt: skip
    rewind(platform, model_id, 1)
    await until(lambda: stored(platform, model_id).state == "decided")
    found = await read(ann, model_id)
    assert found["winner"] == "v1"
    assert found["verdict"].startswith("v2 is 20 points less accurate than v1 (")
    assert found["verdict"].endswith("; 2,000 sessions. v1 serves on.")


async def test_of_a_split_that_is_off_nothing_is_concluded(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(platform, ann, model_id, min_days=0)
    predicted(platform, model_id, {"v1": 300}, 2000)
    predicted(platform, model_id, {"v2": 400}, 1500)
    rewind(platform, model_id, 1)
    await looked_at(platform, model_id)
    found = await read(ann, model_id)
    assert (found["state"], found["evidence"]["split_is_off"]) == ("running", True)
    assert found["verdict"].startswith("The split is off: of 3,500 sessions v1 57.1 % and v2 42.9 %")


async def test_what_cannot_be_counted_is_said(platform: Platform, ann: Account, model_id: str) -> None:
    await start(platform, ann, model_id)
    now = datetime.now(UTC) - timedelta(seconds=1)

    def row(number: int, version: str, unit: str) -> Json:
        return {
            "model_id": model_id, "prediction_id": f"r{number}", "row": 0, "version": version, "at": now,
            "unit": unit, "prediction": "1", "probabilities": None,
        }  # fmt: skip

    seen = [("v1", "both"), ("v2", "both"), ("v1", ""), ("v9", "x"), ("v2", "y")]
    rows = [row(number, *each) for number, each in enumerate(seen)]
    with platform.plane.context.database.transaction() as session:
        write_predictions(session, rows)
    rewind(platform, model_id, 1)
    await looked_at(platform, model_id)
    evidence = (await read(ann, model_id))["evidence"]
    assert (evidence["units_in_several"], evidence["rows_without_unit"]) == (1, 1)
    assert [arm["units"] for arm in evidence["arms"]] == [0, 1]


async def test_a_look_that_was_killed_is_done_again_by_another(
    platform: Platform, ann: Account, model_id: str
) -> None:
    """Taken and never written down: its lease ends, and the same is found."""
    await start(platform, ann, model_id)
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    database = platform.plane.context.database
    with database.transaction() as session:
        row = session.get(ExperimentRow, (model_id, 1))
        assert row is not None
        row.started_at = datetime.now(UTC) - timedelta(days=1)
        row.look_at = datetime.now(UTC)
        session.flush()
        assert evaluator._take(session, (model_id, 1), None)
        assert not evaluator._take(session, (model_id, 1), None)
    assert stored(platform, model_id).evidence is None
    for _ in range(2):
        rewind(platform, model_id, 1)
        before = stored(platform, model_id).evidence
        await until(lambda before=before: stored(platform, model_id).evidence not in (None, before))
        assert [arm["units"] for arm in (await read(ann, model_id))["evidence"]["arms"]] == [2000, 2000]
    assert len((await read(ann, model_id))["looks"]) == 1


async def test_while_it_goes_on_what_would_disturb_it_is_refused(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await start(platform, ann, model_id)
    refused = [
        await ask(ann, model_id),
        await ann.http.put(url(model_id, "/traffic"), json={"v2": 100}),
        await ann.http.post(url(model_id, "/rollback")),
        await ann.http.post(url(model_id, "/rollouts"), json={"version": "v2"}),
        await ann.http.patch(url(model_id), json={"sticky": "caller"}),
        await ann.upload_version(model_id, iris_bytes),
    ]
    for answer in refused:
        assert (answer.status_code, "stop it first" in answer.json()["detail"]) == (409, True), answer.text
    # What does not disturb it is not.
    assert (await ann.upload_version(model_id, iris_bytes, traffic="0")).status_code == 202
    assert (
        await ann.http.patch(url(model_id), json={"name": "Other", "sticky": "session"})
    ).status_code == 200
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=FAILED)
    answer = await ann.http.delete(url(model_id, "/versions/v2"))
    assert (answer.status_code, "stop it first" in answer.json()["detail"]) == (409, True), answer.text


async def test_while_a_rollout_goes_on_none_starts(ann: Account, model_id: str) -> None:
    assert (await ann.http.post(url(model_id, "/rollouts"), json={"version": "v2"})).status_code == 201
    answer = await ask(ann, model_id)
    assert (answer.status_code, "Rollout 1" in answer.json()["detail"]) == (409, True)


async def test_without_a_winner_the_version_is_named(platform: Platform, ann: Account, model_id: str) -> None:
    await start(platform, ann, model_id)
    promote = url(model_id, "/experiments/1/promote")
    answer = await ann.http.post(promote)
    assert (answer.status_code, "no winner yet" in answer.json()["detail"]) == (409, True)
    answer = await ann.http.post(promote, json={"version": "v7"})
    assert (answer.status_code, "v1, v2" in answer.json()["detail"]) == (422, True)
    assert (await ann.http.post(promote, json={"version": "v2"})).json()["promoted"] == "v2"
    for call in ("promote", "stop"):
        answer = await ann.http.post(url(model_id, f"/experiments/1/{call}"))
        assert (answer.status_code, "is over" in answer.json()["detail"]) == (409, True)


async def test_stopped_the_control_has_all_traffic_and_the_model_its_settings(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await ann.http.patch(url(model_id), json={"sticky": "caller"})
    await start(platform, ann, model_id, control="v2")
    assert (await ann.http.post(url(model_id, "/experiments/1/stop"))).json()["promoted"] == "v2"
    await platform.nothing_waits()
    assert traffic_of(platform, model_id) == {"v2": 100}
    assert settings_of(platform, model_id) == ("caller", None)
    assert (await ann.http.put(url(model_id, "/traffic"), json={"v1": 100})).status_code == 200


NONSENSE: tuple[tuple[Json, str], ...] = (
    ({"arms": {"v1": 100}}, "arms"),
    ({"arms": {"v1": 50, "v2": 40}}, "sum to 100"),
    ({"arms": {"v1": 50, "v9": 50}}, "v9"),
    ({"arms": {"v1": 0, "v2": 100}}, "v1"),
    ({"goal": {"metric": "f1"}}, "goal.metric"),
    ({"goal": {"metric": "reward", "direction": "up"}}, "goal.direction"),
    ({"guardrails": [{"metric": "reward", "tolerance": 1}]}, "different metrics"),
    ({"guardrails": [{"metric": "mae"}]}, "tolerance"),
    ({"control": "v3"}, "one of arms"),
    ({"unit": "request"}, "unit"),
    ({"min_days": 61}, "min_days"),
    ({"max_days": 91}, "feedback.retention_days"),
    ({"confidence": 1}, "confidence"),
    ({"arm": {}}, "arm"),
)


async def test_what_makes_no_sense_is_refused(ann: Account, model_id: str) -> None:
    for changed, said in NONSENSE:
        answer = await ask(ann, model_id, **changed)
        assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert (await ann.http.get(url(model_id, "/experiments"))).json() == {"items": []}
    assert (await ann.http.get(url(model_id))).json()["wanted_traffic"] == {"v1": 100}


async def test_a_version_that_is_not_ready_is_no_arm(platform: Platform, ann: Account, model_id: str) -> None:
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=FAILED)
    assert (await ask(ann, model_id)).status_code == 409
    for call in ("/experiments/1", "/experiments/0"):
        assert (await ann.http.get(url(model_id, call))).status_code in (404, 422)


async def test_a_model_applied_with_kubectl_has_none(platform: Platform) -> None:
    root = await platform.admin()
    platform.cluster.put(by_hand("by-hand"))
    await platform.heard("by-hand", lambda live: live is not None)
    assert (await root.http.get(url("by-hand", "/experiments"))).json() == {"items": []}
    answer = await ask(root, "by-hand")
    assert (answer.status_code, "kubectl" in answer.json()["detail"]) == (409, True)
