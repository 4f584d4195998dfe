"""What the analytics calls answer is what was counted, on both databases and in any time zone."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from modelport_control_api.analytics import ledger as sums
from modelport_control_api.analytics import service as analytics
from modelport_control_api.drift import repository as drift
from modelport_control_api.drift.profiles.profile import Profile
from modelport_control_api.drift.tables import DriftCountsRow
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import ModelRow, VersionRow
from modelport_control_api.usage import ledger
from modelport_telemetry.usage.latency import bucket_of
from modelport_telemetry.usage.wire import UsageBatch, UsageLine

from tests.support.control_api import Person, make_admin

Usage = list[tuple[UsageLine, float]]
"""Lines of one request each, with its seconds."""
OUTCOMES = [(200, "", "miss"), (200, "", "hit"), (422, "", "bypass"), (500, "ModelError", "miss")]
IRIS, WINE, BOBS = "iris-aaaaa", "wine-bbbbb", "bobs-ccccc"


def write(plane: ControlPlane, *lines: UsageLine, dropped: int = 0) -> None:
    with plane.context.database.transaction() as session:
        ledger.write(session, [UsageBatch(str(uuid4()), "gateway", list(lines), dropped)])


def own(plane: ControlPlane, person: Person, *model_ids: str) -> None:
    with plane.context.database.transaction() as session:
        for id_ in model_ids:
            session.add(ModelRow(id=id_, owner_id=person.id, name=id_[:4].title(), traffic={"v1": 100}))


def line(model: str, at: datetime, **changed: Any) -> UsageLine:
    what: dict[str, Any] = {"version": "v1", "caller": "", "api_key": "", "status": 200, "reason": ""}
    what |= {"cache": "miss", "requests": 1, "latency": {bucket_of(0.01): 1}}
    return UsageLine(minute=int(at.timestamp()) // 60, model=model, **what | changed)


def random_usage(model: str, now: datetime, days: float, count: int) -> Usage:
    chooser = random.Random(7)
    made: Usage = []
    for _ in range(count):
        status, reason, cache = chooser.choice(OUTCOMES)
        seconds = chooser.lognormvariate(-4, 1)
        at = now - timedelta(days=chooser.uniform(0, days))
        what = {"version": chooser.choice(["v1", "v2"]), "latency": {bucket_of(seconds): 1}}
        made.append((line(model, at, status=status, reason=reason, cache=cache, **what), seconds))
    return made


def moment_of(each: UsageLine) -> datetime:
    return datetime.fromtimestamp(each.minute * 60, UTC)


def percentile(seconds: Iterable[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


async def query(api: httpx.AsyncClient, person: Person, path: str, **asked: Any) -> dict[str, Any]:
    response = await api.get(f"/api/v1/analytics/{path}", headers=person.bearer, params=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
async def test_every_request_is_in_the_bucket_of_its_local_day(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person, zone: str
) -> None:
    own(control_plane, ada, IRIS)
    now = datetime.now(UTC)
    # As far back as minutes are kept: there the edges of days are exact in every zone.
    usage = random_usage(IRIS, now, 12, 400)
    write(control_plane, *(each for each, _ in usage))
    since = (now - timedelta(days=10)).isoformat()
    found = await query(api, ada, f"models/{IRIS}", bucket="day", timezone=zone, **{"from": since})
    first = datetime.fromisoformat(found["from"])
    assert (first.hour, first.minute) == (0, 0)
    inside = [(each, seconds) for each, seconds in usage if moment_of(each) >= first]
    days = Counter(moment_of(each).astimezone(ZoneInfo(zone)).date() for each, _ in inside)
    shown = {datetime.fromisoformat(point["start"]).date(): point["requests"] for point in found["series"]}
    assert {day: requests for day, requests in shown.items() if requests} == days
    assert len(shown) == len(found["series"]) in (11, 12)
    assert_totals(found["totals"], inside)
    by_version = {each["version"]: each["requests"] for each in found["by_version"]}
    assert by_version == Counter(each.version for each, _ in inside)
    reasons = {(each["status"], each["reason"]): each["requests"] for each in found["by_reason"]}
    assert reasons == Counter((each.status, each.reason) for each, _ in inside)
    assert_lines_of_versions(found, inside, zone)


def assert_lines_of_versions(found: dict[str, Any], usage: Usage, zone: str) -> None:
    """Each version's buckets are those of the whole, and add up to it."""
    lines = {each["version"]: each["series"] for each in found["series_by_version"]}
    assert list(lines) == ["v1", "v2"]
    for version, points in lines.items():
        days = Counter(
            moment_of(each).astimezone(ZoneInfo(zone)).date() for each, _ in usage if each.version == version
        )
        shown = {datetime.fromisoformat(point["start"]).date(): point["requests"] for point in points}
        assert {day: requests for day, requests in shown.items() if requests} == days
        errors = sum(each.status >= 500 for each, _ in usage if each.version == version)
        assert sum(point["errors"] for point in points) == errors
        assert [point["start"] for point in points] == [point["start"] for point in found["series"]]
        assert all((point["p95_ms"] is None) == (point["requests"] == 0) for point in points)


def assert_totals(totals: dict[str, Any], usage: Usage) -> None:
    lines = [each for each, _ in usage]
    caches = Counter(each.cache for each in lines)
    assert totals["requests"] == len(lines)
    assert totals["errors"] == sum(each.status >= 500 for each in lines)
    assert totals["refused"] == sum(400 <= each.status < 500 for each in lines)
    assert totals["cache_hits"] == caches["hit"]
    assert totals["cache_hit_rate"] == pytest.approx(caches["hit"] / (caches["hit"] + caches["miss"]))
    for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        truth = percentile((seconds for _, seconds in usage), share)
        assert totals[name] == pytest.approx(truth * 1000, rel=0.05)


async def test_what_is_written_between_two_sums_is_in_none_of_them(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards and tables of a page are of one moment: else they would disagree."""
    own(control_plane, ada, IRIS)
    write(control_plane, line(IRIS, datetime.now(UTC), requests=5))
    by_version = sums.by_version

    def and_then_write(*asked: Any) -> Any:
        found = by_version(*asked)
        write(control_plane, line(IRIS, datetime.now(UTC), requests=2))
        return found

    monkeypatch.setattr(sums, "by_version", and_then_write)
    found = await query(api, ada, f"models/{IRIS}")
    lists = [found[name] for name in ("series", "by_version", "by_reason", "by_caller")]
    assert [sum(each["requests"] for each in listed) for listed in lists] == [5, 5, 5, 5]
    assert found["totals"]["requests"] == 5
    monkeypatch.undo()
    assert (await query(api, ada, f"models/{IRIS}"))["totals"]["requests"] == 7


async def test_the_five_busiest_versions_have_lines_and_a_lonely_one_needs_none(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person
) -> None:
    own(control_plane, ada, IRIS)
    now = datetime.now(UTC)
    write(control_plane, line(IRIS, now, version="v1"), line(IRIS, now, version=""))
    assert (await query(api, ada, f"models/{IRIS}"))["series_by_version"] == []
    busy = {"v2": 9, "v3": 8, "v10": 7, "v4": 6, "v5": 5, "v6": 4}
    write(control_plane, *(line(IRIS, now, version=name, requests=count) for name, count in busy.items()))
    found = (await query(api, ada, f"models/{IRIS}"))["series_by_version"]
    assert [each["version"] for each in found] == ["v2", "v3", "v4", "v5", "v10"]
    assert [sum(point["requests"] for point in each["series"]) for each in found] == [9, 8, 6, 5, 7]


async def test_whether_anything_was_counted_is_exact_to_the_minute(
    control_plane: ControlPlane, ada: Person
) -> None:
    own(control_plane, ada, IRIS, WINE)
    hour = int(datetime.now(UTC).timestamp()) // 3600 * 3600 - 5 * 3600
    at = hour + 17 * 60
    write(control_plane, line(IRIS, datetime.fromtimestamp(at, UTC)))
    with control_plane.context.database.transaction(read_only=True) as session:
        for start, end, counted in (
            (hour - 7200, at, False),
            (hour - 7200, at + 60, True),
            (hour, at + 60, True),
            (hour, at, False),
            (hour - 7200, hour, False),
            (hour - 7200, hour + 7200, True),
            (hour + 3600, hour + 7200, False),
        ):
            assert sums.is_counted(session, [WINE, IRIS], start, end) is counted, (start - hour, end - hour)
        assert sums.is_counted(session, [WINE], hour - 7200, hour + 7200) is False
        assert sums.is_counted(session, [], hour - 7200, hour + 7200) is False


async def test_an_empty_period_has_every_point_and_no_percentile(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person
) -> None:
    own(control_plane, ada, IRIS)
    found = await query(api, ada, f"models/{IRIS}")
    assert len(found["series"]) == 24
    for each in (found["totals"], found["previous"], *found["series"]):
        assert each["requests"] == 0
        assert each["p50_ms"] is each["error_rate"] is each["cache_hit_rate"] is None


async def test_the_period_before_is_as_long_and_ends_where_this_one_begins(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person
) -> None:
    own(control_plane, ada, IRIS)
    now = datetime.now(UTC)
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    age = now - begin
    moments = [begin, begin - timedelta(minutes=1), begin - age + timedelta(minutes=2)]
    write(control_plane, *(line(IRIS, at) for at in [now, *moments, begin - age - timedelta(minutes=2)]))
    found = await query(api, ada, f"models/{IRIS}", **{"from": begin.isoformat()})
    assert (found["totals"]["requests"], found["previous"]["requests"]) == (2, 2)


async def test_callers_are_listed_with_their_keys(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    own(control_plane, ada, IRIS)
    key, now = await bob.make_key(name="nightly"), datetime.now(UTC)
    write(
        control_plane,
        line(IRIS, now, caller=bob.id, api_key=key["id"], requests=3),
        line(IRIS, now, caller=bob.id, api_key=key["id"], requests=1, status=503),
        line(IRIS, now, caller=ada.id, requests=2),
        line(IRIS, now, caller=str(uuid4()), api_key=str(uuid4())),
        line(IRIS, now, status=401),
    )
    callers = (await query(api, ada, f"models/{IRIS}"))["by_caller"]
    assert [(each["email"], each["api_key_name"], each["requests"]) for each in callers[:2]] == [
        (bob.email, "nightly", 4),
        (ada.email, None, 2),
    ]
    assert (callers[0]["api_key_prefix"], callers[0]["error_rate"]) == (key["prefix"], 0.25)
    assert {each["email"] for each in callers[2:]} == {"anonymous", ""}


async def test_an_owner_is_not_told_who_was_refused_and_an_administrator_is(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    own(control_plane, ada, IRIS)
    key, now, other = await bob.make_key(name="nightly"), datetime.now(UTC), str(uuid4())
    refused = {"version": "", "status": 404}
    write(
        control_plane,
        line(IRIS, now, caller=bob.id, requests=7, **refused),
        line(IRIS, now, caller=bob.id, api_key=key["id"], requests=2, **refused),
        line(IRIS, now, caller=other, requests=1, **refused),
        # The owner's own mistake, and that of somebody who may call it.
        line(IRIS, now, caller=ada.id, requests=3, **refused),
        line(IRIS, now, caller=ada.id, api_key="k", requests=6),
        line(IRIS, now, caller=ada.id, api_key="k", requests=1, **refused),
    )
    callers = (await query(api, ada, f"models/{IRIS}"))["by_caller"]
    assert [(each["email"], each["caller_id"], each["requests"], each["refused"]) for each in callers] == [
        ("refused", None, 10, 10),
        (ada.email, ada.id, 7, 1),
        (ada.email, ada.id, 3, 3),
    ]
    assert (callers[0]["api_key_id"], callers[0]["api_key_name"]) == (None, None)
    assert bob.email not in json.dumps(callers)
    assert bob.id not in json.dumps(callers)
    write(control_plane, line(IRIS, now, caller=bob.id, requests=1, status=429))
    callers = (await query(api, ada, f"models/{IRIS}"))["by_caller"]
    assert (bob.email, 8) in {(each["email"], each["requests"]) for each in callers}, "let in meanwhile"
    make_admin(control_plane, bob)
    seen = (await query(api, bob, f"models/{IRIS}"))["by_caller"]
    assert {each["caller_id"] for each in seen} == {ada.id, bob.id, other}


async def test_the_overview_is_of_the_callers_own_models_and_the_admins_of_all(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    own(control_plane, ada, IRIS, WINE)
    own(control_plane, bob, BOBS)
    now = datetime.now(UTC)
    counts = {IRIS: 5, WINE: 3, BOBS: 2, "": 1}
    write(control_plane, *(line(id_, now, requests=count) for id_, count in counts.items()), dropped=7)
    mine = await query(api, ada, "overview")
    assert {each["id"]: each["requests"] for each in mine["by_model"]} == {IRIS: 5, WINE: 3}
    assert (mine["totals"]["requests"], mine["dropped"]) == (8, None)
    refused = await api.get("/api/v1/analytics/overview?all=true", headers=ada.bearer)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    make_admin(control_plane, ada)
    everything = await query(api, ada, "overview", all=True)
    assert [(each["id"], each["name"]) for each in everything["by_model"]][:2] == [
        (IRIS, "Iris"),
        (WINE, "Wine"),
    ]
    assert (everything["totals"]["requests"], everything["dropped"]) == (11, 7)


async def test_a_key_for_certain_models_sees_those_only(
    api: httpx.AsyncClient, control_plane: ControlPlane, ada: Person
) -> None:
    own(control_plane, ada, IRIS, WINE)
    write(control_plane, line(IRIS, datetime.now(UTC)), line(WINE, datetime.now(UTC)))
    key = await ada.make_key(scopes=["analytics:read"], model_ids=[WINE])
    headers = {"X-API-Key": key["key"]}
    found = (await api.get("/api/v1/analytics/overview", headers=headers)).json()
    assert (found["totals"]["requests"], [each["id"] for each in found["by_model"]]) == (1, [WINE])
    other = await api.get(f"/api/v1/analytics/models/{IRIS}", headers=headers)
    missing = await api.get("/api/v1/analytics/models/none-such", headers=headers)
    assert other.status_code == missing.status_code == 404
    assert other.json()["detail"] == missing.json()["detail"]


@pytest.mark.parametrize("second", [0, 30])
async def test_a_models_predictions_of_the_last_day_are_counted_by_label(
    api: httpx.AsyncClient,
    control_plane: ControlPlane,
    ada: Person,
    second: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the minute that runs too, in its first second already."""
    own(control_plane, ada, IRIS)
    now = datetime.now(UTC).replace(second=second, microsecond=0)
    monkeypatch.setattr(analytics, "utc_now", lambda: now)
    minute = int(now.timestamp()) // 60
    with control_plane.context.database.transaction() as session:
        session.add(VersionRow(model_id=IRIS, number=1, framework="sklearn", sha256="0" * 64, size=1))
        session.flush()
        reference = drift.keep_reference(session, IRIS, 1, Profile(0, ()))
        for age, count in ((0, 3), (5, 1), (2000, 50)):
            counted = {"=setosa": count, "=virginica": 1}
            row = DriftCountsRow(
                reference_id=reference.id, minute=minute - age, rows=count + 1, counts={}, predictions=counted
            )
            session.add(row)
    found = (await query(api, ada, f"models/{IRIS}"))["predictions"]
    assert {each["label"]: each["rows"] for each in found["bars"]} == {"setosa": 4, "virginica": 2}


async def test_a_mistake_names_its_field(api: httpx.AsyncClient, ada: Person) -> None:
    asked = {"timezone": "Mars/Olympus"}
    response = await api.get("/api/v1/analytics/overview", headers=ada.bearer, params=asked)
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["errors"]] == ["timezone"]
    naive = await api.get("/api/v1/analytics/overview?from=2026-01-01T00:00:00", headers=ada.bearer)
    assert [each["field"] for each in naive.json()["errors"]] == ["from"]
