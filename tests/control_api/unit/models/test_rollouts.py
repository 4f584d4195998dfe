"""Rollouts by the API: what is asked for reaches the cluster, and how they end is written down."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.registry.guarded import end
from modelport_control_api.registry.tables import RolloutRow
from modelport_control_api.usage import ledger
from modelport_crds.mlmodel import Guardrails, Replay, Rollout, RolloutStrategy, Shadow, from_object
from modelport_telemetry.usage.latency import seconds_of
from modelport_telemetry.usage.wire import EvidenceLine, UsageBatch
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.control_api.unit.models.fake_cluster import FAILED, READY, STARTING
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.control_api.unit.models.test_kubectl import by_hand
from tests.support.waiting import until

Json = dict[str, Any]


@pytest.fixture
async def model_id(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """v1 serves, v2 is ready and gets nothing."""
    return await served_beside(platform, ann, iris_bytes)


async def served_beside(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """Make a model whose v1 serves and whose v2 is ready and gets nothing."""
    made: str = (await ann.upload(iris_bytes)).json()["id"]
    await platform.serve(made, {"v1": 100}, v1=READY)
    assert (await ann.upload_version(made, iris_bytes, traffic="0")).status_code == 202
    await platform.serve(made, {"v1": 100}, v1=READY, v2=READY)
    return made


def url(model_id: str, rest: str = "") -> str:
    return f"/api/v1/models/{model_id}{rest}"


async def start(ann: Account, model_id: str, version: str = "v2", **more: Any) -> Json:
    made = await ann.http.post(url(model_id, "/rollouts"), json={"version": version, **more})
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == url(model_id, f"/rollouts/{made.json()['id']}")
    rollout: Json = made.json()
    return rollout


async def steer(ann: Account, model_id: str, step: str, number: int = 1) -> Any:
    return await ann.http.post(url(model_id, f"/rollouts/{number}/{step}"))


async def read(ann: Account, model_id: str, number: int = 1) -> Json:
    rollout: Json = (await ann.http.get(url(model_id, f"/rollouts/{number}"))).raise_for_status().json()
    return rollout


def in_cluster(platform: Platform, model_id: str) -> Json:
    spec: Json = platform.cluster.objects[model_id]["spec"]
    return spec


async def published(platform: Platform, model_id: str, is_there: Callable[[Json], bool]) -> None:
    await until(lambda: is_there(in_cluster(platform, model_id)))


async def reported(platform: Platform, model_id: str, **status: Any) -> None:
    """Play the operator, and wait until the control API has heard."""
    wanted = {"id": 1, "version": "v2", "baseline": "v1", **status}
    platform.cluster.set_rollout(model_id, **wanted)
    state = wanted["state"]
    await platform.heard(model_id, lambda live: live.status.rollout and live.status.rollout.state == state)


async def test_a_rollout_reaches_the_cluster_with_its_strategy(
    platform: Platform, ann: Account, model_id: str
) -> None:
    strategy = {
        "replay": {"rows": 0},
        "shadow": {"percent": 50, "min_rows": 10},
        "steps": [10],
        "guardrails": {"disagreement": 0.05, "error_rate": None, "p99_ratio": "off"},
        "confidence": 0.99,
    }
    made = await start(ann, model_id, strategy=strategy)
    assert (made["id"], made["version"], made["baseline"], made["state"]) == (1, "v2", "v1", "pending")
    assert made["strategy"]["guardrails"] == {
        "disagreement": 0.05, "error_rate": None, "refusal_rate": 0.01, "p99_ratio": None, "quality": None
    }  # fmt: skip
    assert made["strategy"]["confidence"] == 0.99
    await published(platform, model_id, lambda spec: "rollout" in spec)
    wanted = from_object(platform.cluster.objects[model_id]).spec.rollout
    assert wanted == Rollout(
        id=1,
        version="v2",
        strategy=RolloutStrategy(
            replay=Replay(rows=0),
            shadow=Shadow(percent=50, min_rows=10),
            steps=(10,),
            guardrails=Guardrails(disagreement="0.05", error_rate="off", p99_ratio="off"),
            confidence="0.99",
        ),
    )
    assert in_cluster(platform, model_id)["traffic"] == [{"version": "v1", "weight": 100}]


async def test_a_guardrail_on_quality_needs_to_be_told_what_is_true(ann: Account, model_id: str) -> None:
    strategy = {"guardrails": {"quality": 0.02}}
    answer = await ann.http.post(
        f"/api/v1/models/{model_id}/rollouts", json={"version": "v2", "strategy": strategy}
    )
    assert answer.status_code == 409
    assert "the model's feedback is off: turn it on" in answer.json()["detail"]
    await ann.http.patch(f"/api/v1/models/{model_id}", json={"feedback": {}})
    made = await start(ann, model_id, strategy=strategy)
    assert made["strategy"]["guardrails"]["quality"] == 0.02


async def test_where_it_stands_is_what_the_cluster_says(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    finding = {
        "guardrail": "disagreement", "state": "unknown", "estimate": "0.004", "lower": "0.001",
        "upper": "0.02", "limit": "0.01", "observations": 300, "message": "too few rows",
    }  # fmt: skip
    await reported(
        platform, model_id, state="Canary", step="5", weight=5, shadowPercent=100, held="too little traffic",
        replayedRows=12, startedAt="2026-12-01T02:00:00Z", findings=[finding],
    )  # fmt: skip
    found = await read(ann, model_id)
    assert (found["state"], found["step"], found["weight"]) == ("canary", "5", 5)
    assert (found["held"], found["replayed_rows"]) == ("too little traffic", 12)
    assert found["started_at"] == "2026-12-01T02:00:00Z"
    assert found["ended_at"] is None
    assert found["findings"] == [finding | {"estimate": 0.004, "lower": 0.001, "upper": 0.02, "limit": 0.01}]
    [listed] = (await ann.http.get(url(model_id, "/rollouts"))).json()["items"]
    assert listed | {"evidence": [], "worst_segments": []} == found


async def test_while_it_has_the_traffic_the_model_is_ready(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await platform.serve(model_id, {"v1": 95, "v2": 5})
    await reported(platform, model_id, state="Canary", step="5", weight=5)
    assert (await ann.http.get(url(model_id))).json()["status"] == "ready"


@pytest.mark.parametrize(
    ("state", "said", "traffic"),
    [
        ("Promoted", "promoted", {"v2": 100}),
        ("RolledBack", "rolled_back", {"v1": 100}),
        ("Inconclusive", "inconclusive", {"v1": 100}),
        ("Cancelled", "cancelled", {"v1": 100}),
    ],
)
async def test_its_end_is_written_down_with_the_traffic_and_it_is_taken_out(
    platform: Platform, ann: Account, model_id: str, state: str, said: str, traffic: Json
) -> None:
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await reported(platform, model_id, state=state, verdict="Because.", endedAt="2026-12-01T02:30:00Z")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    shares = [{"version": version, "weight": weight} for version, weight in traffic.items()]
    assert in_cluster(platform, model_id)["traffic"] == shares
    found = await read(ann, model_id)
    assert (found["state"], found["verdict"]) == (said, "Because.")
    assert found["ended_at"] == "2026-12-01T02:30:00Z"
    # Another one may follow, or the traffic moves by hand.
    version = "v1" if state == "Promoted" else "v2"
    await platform.serve(model_id, traffic, v1=READY, v2=READY)
    assert (await start(ann, model_id, version))["id"] == 2
    # What the cluster says of the last one is not said of this one.
    assert (await read(ann, model_id, 2))["state"] == "pending"


async def test_a_promotion_can_be_taken_back(platform: Platform, ann: Account, model_id: str) -> None:
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await reported(platform, model_id, state="Promoted")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    await platform.serve(model_id, {"v2": 100}, v1=READY, v2=READY)
    assert (await ann.http.post(url(model_id, "/rollback"))).status_code == 200
    wanted = [{"version": "v1", "weight": 100}]
    await published(platform, model_id, lambda spec: spec["traffic"] == wanted)


async def test_of_a_share_that_it_had_before_a_candidate_that_is_rolled_back_keeps_none(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await ann.http.put(url(model_id, "/traffic"), json={"v1": 90, "v2": 10})
    await platform.serve(model_id, {"v1": 90, "v2": 10}, v1=READY, v2=READY)
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await reported(platform, model_id, state="RolledBack")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    assert in_cluster(platform, model_id)["traffic"] == [{"version": "v1", "weight": 100}]


async def test_an_end_that_is_seen_again_changes_nothing(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await reported(platform, model_id, state="Promoted", verdict="Because.")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    live = from_object(platform.cluster.objects[model_id])
    database = platform.plane.context.database
    for _ in range(2):
        with database.transaction() as session:
            end(session, model_id, live)
    with database.transaction(read_only=True) as session:
        query = select(AuditEntry.detail).where(AuditEntry.action == "rollout.end")
        entries = session.scalars(query).all()
    assert [entry["verdict"] for entry in entries] == ["Because."]


async def test_an_end_is_written_down_though_applies_fail_meanwhile(
    platform: Platform, ann: Account, model_id: str
) -> None:
    """Killed between the transaction and the cluster: the outbox has it; before it: the status has."""
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    platform.cluster.fail_applies = 2
    await reported(platform, model_id, state="Promoted")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    assert in_cluster(platform, model_id)["traffic"] == [{"version": "v2", "weight": 100}]


async def test_an_end_that_came_while_no_control_api_ran_is_written_down_at_the_start(
    tmp_path: Path, sqlite_url: str, iris_bytes: bytes
) -> None:
    settings = settings_at(tmp_path, sqlite_url)
    async with running_platform(settings, tmp_path) as platform:
        ann = await platform.account("ann")
        model_id = await served_beside(platform, ann, iris_bytes)
        await start(ann, model_id)
        await published(platform, model_id, lambda spec: "rollout" in spec)
        cluster = platform.cluster
    cluster.set_rollout(model_id, id=1, version="v2", baseline="v1", state="Promoted", verdict="Because.")
    async with running_platform(settings, tmp_path, cluster) as platform:
        await published(platform, model_id, lambda spec: "rollout" not in spec)
        assert (await read(await platform.log_in("ann"), model_id))["verdict"] == "Because."


async def test_an_end_is_written_down_once_the_database_is_back_and_of_other_models_meanwhile(
    platform: Platform, ann: Account, iris_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = [await served_beside(platform, ann, iris_bytes) for _ in range(2)]
    for model_id in (broken, well):
        await start(ann, model_id)
        await published(platform, model_id, lambda spec: "rollout" in spec)
    faults = 2

    def failing(session: Session, model_id: str, live: Any) -> None:
        nonlocal faults
        if model_id == broken and faults:
            faults -= 1
            raise OperationalError("UPDATE rollouts", {}, ConnectionError("the database is away"))
        end(session, model_id, live)

    monkeypatch.setattr("modelport_control_api.registry.guarded.end", failing)
    await reported(platform, broken, state="Promoted")
    await reported(platform, well, state="RolledBack")
    await published(platform, well, lambda spec: "rollout" not in spec)
    await published(platform, broken, lambda spec: "rollout" not in spec)
    assert faults == 0
    assert (await read(ann, broken))["state"] == "promoted"


COUNTED: dict[str, dict[str, int]] = {
    "25": {"live.requests.candidate": 3},
    "5": {
        "shadow.rows": 100, "shadow.disagreements": 4, "shadow.pairs": 50, "shadow.dropped": 2,
        "shadow.failed.candidate": 1, "shadow.refused.baseline": 3, "live.requests.candidate": 20,
        "live.requests.baseline": 380, "live.errors.candidate": 2, "live.refusals.baseline": 5,
        "shadow.latency.candidate:60": 49, "shadow.latency.candidate:100": 1,
        "live.latency.baseline:60": 50, "live.latency.candidate:60": 18,
        "segment.rows:`shape` is round": 40, "segment.disagreements:`shape` is round": 4,
        "segment.rows:`hue` is red": 50, "segment.disagreements:`hue` is red": 2,
    },
    "shadow": {
        "shadow.rows": 300, "shadow.disagreements": 1, "shadow.pairs": 300,
        "segment.rows:`shape` is round": 10, "segment.disagreements:`shape` is round": 1,
        "segment.rows:`hue` is red": 150,
    },
}  # fmt: skip


def count(platform: Platform, model_id: str, number: int = 1) -> None:
    """Play a gateway."""
    lines = [
        EvidenceLine(model_id, number, step, counter, n)
        for step, found in COUNTED.items()
        for counter, n in found.items()
    ]
    with platform.plane.context.database.transaction() as session:
        ledger.write(session, [UsageBatch(id=str(uuid4()), gateway="g", lines=[], evidence=lines)])


async def test_what_was_counted_is_shown_by_step_and_without_callers_values_once_it_is_over(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    assert ((await read(ann, model_id))["evidence"], (await read(ann, model_id))["worst_segments"]) == (
        [],
        [],
    )
    count(platform, model_id)
    found = await read(ann, model_id)
    assert [step["step"] for step in found["evidence"]] == ["shadow", "5", "25"]
    candidate, baseline = (found["evidence"][1].pop(side) for side in ("candidate", "baseline"))
    assert found["evidence"][1] == {"step": "5", "rows": 100, "disagreements": 4, "pairs": 50, "dropped": 2}
    p50, p99 = seconds_of(60) * 1000, seconds_of(100) * 1000
    assert candidate == {
        "requests": 20, "errors": 2, "refusals": 0, "failed_alone": 1, "refused_alone": 0,
        "p50_ms": pytest.approx(p50, abs=0.001), "p99_ms": pytest.approx(p50, abs=0.001),
        "paired_p50_ms": pytest.approx(p50, abs=0.001), "paired_p99_ms": pytest.approx(p99, abs=0.001),
    }  # fmt: skip
    assert baseline == {
        "requests": 380, "errors": 0, "refusals": 5, "failed_alone": 0, "refused_alone": 3,
        "p50_ms": pytest.approx(p50, abs=0.001), "p99_ms": pytest.approx(p50, abs=0.001),
        "paired_p50_ms": pytest.approx(p50, abs=0.001), "paired_p99_ms": pytest.approx(p50, abs=0.001),
    }  # fmt: skip
    # Of red rows 2 of 200 differ, of all 5 of 400: none of the worst.
    assert found["worst_segments"] == [{"segment": "`shape` is round", "rows": 50, "disagreements": 5}]
    await published(platform, model_id, lambda spec: "rollout" in spec)
    await reported(platform, model_id, state="RolledBack", verdict="Because.")
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    ended = await read(ann, model_id)
    assert [step["rows"] for step in ended["evidence"]] == [300, 100, 0]
    assert ended["evidence"][1]["candidate"] == candidate
    assert (ended["state"], ended["worst_segments"]) == ("rolled_back", [])
    with platform.plane.context.database.transaction(read_only=True) as session:
        row = session.get_one(RolloutRow, (model_id, 1))
        assert "round" not in str(row.counts)
        assert row.counts
        assert row.counts["5"]["shadow.dropped"] == 2


async def test_a_strategy_of_kubectl_is_shown_though_this_api_would_refuse_it(platform: Platform) -> None:
    root = await platform.admin()
    strategy = {"steps": [50, 5], "guardrails": {"disagreement": "20"}}
    platform.cluster.put(by_hand("odd", rollout={"id": 1, "version": "v1", "strategy": strategy}))
    await platform.heard("odd", lambda live: live is not None)
    found = await read(root, "odd")
    assert found["strategy"]["steps"] == [50, 5]
    assert found["strategy"]["guardrails"]["disagreement"] == 20
    [listed] = (await root.http.get(url("odd", "/rollouts"))).json()["items"]
    assert listed["strategy"] == found["strategy"]


async def test_what_was_counted_of_a_model_of_kubectl_is_not_shown_to_every_administrator(
    platform: Platform,
) -> None:
    root = await platform.admin()
    model = by_hand("by-hand")
    model["spec"]["rollout"] = {"id": 7, "version": "v1"}
    platform.cluster.put(model)
    await platform.heard("by-hand", lambda live: live is not None)
    count(platform, "by-hand", 7)
    found = await read(root, "by-hand", 7)
    assert (found["state"], found["evidence"], found["worst_segments"]) == ("pending", None, None)
    me = (await root.http.get("/api/v1/auth/me")).json()["id"]
    platform.cluster.edit("by-hand", {**model["spec"], "owner": me})
    await platform.heard("by-hand", lambda live: live.spec.owner == me)
    assert [step["step"] for step in (await read(root, "by-hand", 7))["evidence"]] == ["shadow", "5", "25"]
    assert (await root.http.get(url("by-hand", "/rollouts/8"))).status_code == 404


async def test_it_is_paused_resumed_and_ended_by_a_person(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    assert (await steer(ann, model_id, "pause")).json()["paused"]
    await published(platform, model_id, lambda spec: spec.get("rollout", {}).get("paused", False))
    assert not (await steer(ann, model_id, "resume")).json()["paused"]
    await published(platform, model_id, lambda spec: not spec["rollout"].get("paused", False))
    for _ in range(2):
        assert (await steer(ann, model_id, "cancel")).json()["decision"] == "cancel"
    await published(platform, model_id, lambda spec: spec["rollout"].get("decision") == "cancel")
    answer = await steer(ann, model_id, "promote")
    assert (answer.status_code, "already" in answer.json()["detail"]) == (409, True)
    await reported(platform, model_id, state="Cancelled")
    answer = await steer(ann, model_id, "pause")
    assert (answer.status_code, "is over" in answer.json()["detail"]) == (409, True)


async def test_nobody_promotes_a_version_that_has_not_answered(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(model_id, iris_bytes, rollout="guarded")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY, v3=STARTING)
    assert (await steer(ann, model_id, "promote")).status_code == 409


async def test_a_version_is_uploaded_and_rolled_out_in_one_call(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    made = await ann.upload_version(model_id, iris_bytes, rollout="guarded")
    assert made.status_code == 202, made.text
    found = await read(ann, model_id)
    assert (found["version"], found["state"]) == ("v3", "pending")
    await published(platform, model_id, lambda spec: "rollout" in spec)
    wanted = from_object(platform.cluster.objects[model_id]).spec.rollout
    assert wanted == Rollout(id=1, version="v3")
    assert in_cluster(platform, model_id)["traffic"] == [{"version": "v1", "weight": 100}]
    # While it goes on, another version gets no traffic by its upload.
    assert (await ann.upload_version(model_id, iris_bytes)).status_code == 409
    assert (await ann.upload_version(model_id, iris_bytes, traffic="0")).status_code == 202


@pytest.mark.parametrize(
    "fields",
    [{"rollout": "yes"}, {"rollout": "guarded", "traffic": "10"}, {"rollout": "guarded", "force": "true"}],
)
async def test_an_upload_that_asks_for_something_else_is_refused(
    ann: Account, model_id: str, iris_bytes: bytes, fields: dict[str, str]
) -> None:
    assert (await ann.upload_version(model_id, iris_bytes, **fields)).status_code == 422


async def test_one_at_a_time_and_what_is_in_its_way_is_refused(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await start(ann, model_id)
    refused = [
        await ann.http.post(url(model_id, "/rollouts"), json={"version": "v2"}),
        await ann.http.put(url(model_id, "/traffic"), json={"v2": 100}),
        await ann.http.post(url(model_id, "/rollback")),
        await ann.http.delete(url(model_id, "/versions/v2")),
    ]
    for answer in refused:
        assert answer.status_code == 409
        assert "cancel it first" in answer.json()["detail"]


async def test_what_cannot_be_a_candidate_is_refused(platform: Platform, ann: Account, model_id: str) -> None:
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=FAILED)
    for version, status, word in (("v1", 409, "most of the traffic"), ("v2", 409, "failed"), ("v9", 404, "")):
        answer = await ann.http.post(url(model_id, "/rollouts"), json={"version": version})
        assert (answer.status_code, word in answer.json()["detail"]) == (status, True)
    assert (await ann.http.get(url(model_id, "/rollouts"))).json() == {"items": []}
    assert (await ann.http.get(url(model_id, "/rollouts/1"))).status_code == 404
    assert (await steer(ann, model_id, "pause")).status_code == 404
    assert (await steer(ann, model_id, "stop")).status_code == 422


@pytest.mark.parametrize(
    ("strategy", "field", "message"),
    [
        ({"steps": [5, 5]}, "steps", "must rise, as 1, 5, 25 do"),
        ({"steps": [100]}, "steps[0]", "must be 99 or less"),
        ({"confidence": 1}, "confidence", "must be 0.999999 or less"),
        ({"guardrails": {"disagreement": -1}}, "guardrails.disagreement", "must be 0 or more"),
        # 20 was meant as percent: it would switch the guardrail off without a word.
        ({"guardrails": {"disagreement": 20}}, "guardrails.disagreement", "must be 1 or less"),
        ({"guardrails": {"disagreement": "none"}}, "guardrails.disagreement", "must be a number"),
        ({"unknown": 1}, "unknown", "is not a known field"),
    ],
)
async def test_a_strategy_that_makes_no_sense_is_refused(
    ann: Account, model_id: str, strategy: Json, field: str, message: str
) -> None:
    body = {"version": "v2", "strategy": strategy}
    answer = await ann.http.post(url(model_id, "/rollouts"), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": f"strategy.{field}", "message": message}]


async def test_a_rollout_of_a_model_applied_with_kubectl_is_shown_and_not_steered(platform: Platform) -> None:
    root = await platform.admin()
    name = "by-hand"
    model = by_hand(name)
    model["spec"]["rollout"] = {"id": 7, "version": "v1", "strategy": {"steps": [20]}}
    platform.cluster.put(model)
    await platform.heard(name, lambda live: live is not None)
    [found] = (await root.http.get(url(name, "/rollouts"))).json()["items"]
    assert (found["id"], found["state"], found["strategy"]["steps"]) == (7, "pending", [20])
    await reported(platform, name, id=7, version="v1", state="Promoted", verdict="Because.")
    assert (await read(root, name, 7))["verdict"] == "Because."
    assert (await steer(root, name, "cancel", 7)).status_code == 409
