"""The ledger holds what was counted, however it was cut into batches and however often those came."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.settings import UsageSettings
from modelport_control_api.usage import evidence, ledger, tables
from modelport_control_api.usage.retention import remove_old
from modelport_control_api.usage.tables import (
    EVERYBODY,
    RequestsOfDay,
    RequestsOfHour,
    RequestsOfMinute,
    TotalsOfDay,
    TotalsOfHour,
    TotalsOfMinute,
    UsageBatchRow,
)
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.wire import EvidenceLine, UsageBatch, UsageLine

REQUESTS = {60: RequestsOfMinute, 3600: RequestsOfHour, 86_400: RequestsOfDay}
TOTALS = {60: TotalsOfMinute, 3600: TotalsOfHour, 86_400: TotalsOfDay}
TABLES = [*REQUESTS.values(), *TOTALS.values(), UsageBatchRow]
COUNTS = ("requests", "errors", "refused", "cache_hits", "cache_misses")
KINDS: dict[Any, tuple[str, ...]] = {
    503: ("errors",), 404: ("refused",), "hit": ("cache_hits",), "miss": ("cache_misses",)
}  # fmt: skip
# Around the turn of a day, so that minutes, hours and days part.
MINUTE = 29_000_000 // 1440 * 1440
NOW = MINUTE * 60.0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@st.composite
def lines(draw: st.DrawFn) -> UsageLine:
    latency = draw(st.dictionaries(st.integers(0, 200), st.integers(1, 1000), min_size=1, max_size=3))
    return UsageLine(
        minute=MINUTE + draw(st.integers(-2, 2)) * 30,
        model=draw(st.sampled_from(["", "iris-1"])),
        version=draw(st.sampled_from(["", "v1"])),
        caller=draw(st.sampled_from(["", "ada"])),
        api_key="",
        status=draw(st.sampled_from([200, 404, 503])),
        reason=draw(st.sampled_from(["", "QueueFull"])),
        cache=draw(st.sampled_from(["hit", "miss", "none"])),
        requests=sum(latency.values()),
        latency=latency,
    )


def batch(*given_lines: UsageLine, **fields: Any) -> UsageBatch:
    return UsageBatch(**({"id": str(uuid4()), "gateway": "g", "lines": list(given_lines)} | fields))


def line(**changes: Any) -> UsageLine:
    whole = UsageLine(MINUTE, "iris-1", "v1", "ada", "", 200, "", "hit", 3, {10: 2, 11: 1})
    return msgspec.structs.replace(whole, **changes)


def write(database: Database, *batches: UsageBatch) -> int:
    with database.transaction() as session:
        return ledger.write(session, batches)


def held(database: Database, table: Any) -> Counter[tuple[Any, ...]]:
    names = [column.name for column in table.__table__.primary_key.columns]
    with database.transaction(read_only=True) as session:
        rows = session.execute(sa.select(table.__table__)).mappings().all()
    return Counter({tuple(row[name] for name in names): int(row["requests"]) for row in rows})


def held_totals(database: Database, table: Any) -> tuple[Counter[Any], Counter[Any]]:
    """Return what was counted by model, start, version and what it is, and the latencies by bucket."""
    with database.transaction(read_only=True) as session:
        rows = session.execute(sa.select(table.__table__)).mappings().all()
    counts: Counter[Any] = Counter()
    latencies: Counter[Any] = Counter()
    for row in rows:
        key = (row["model_id"], row["start"], row["version"])
        counts.update({(*key, name): int(row[name]) for name in COUNTS})
        latencies.update({(*key, at): each for at, each in enumerate(tables.unpack(row["latencies"]))})
    return +counts, +latencies


def expected(counted: list[UsageLine], seconds: int) -> tuple[Counter[Any], Counter[Any], Counter[Any]]:
    requests: Counter[Any] = Counter()
    totals: Counter[Any] = Counter()
    latencies: Counter[Any] = Counter()
    for each in counted:
        start = each.minute * 60 // seconds * seconds
        who = (each.caller, each.api_key, each.status, each.reason, each.cache)
        requests[(each.model, start, each.version, *who)] += each.requests
        for key in ((each.model, start, each.version), (EVERYBODY, start, "")):
            for name in ("requests", *KINDS.get(each.status, ()), *KINDS.get(each.cache, ())):
                totals[(*key, name)] += each.requests
            for bucket, count in each.latency.items():
                latencies[(*key, bucket)] += count
    return requests, totals, latencies


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), counted=st.lists(lines(), max_size=12))
def test_any_split_order_and_repetition_gives_the_same_sums(
    database: Database, data: st.DataObject, counted: list[UsageLine]
) -> None:
    with database.transaction() as session:
        for table in TABLES:
            session.execute(sa.delete(table))
    size = data.draw(st.integers(1, 4))
    batches = [batch(*counted[at : at + size]) for at in range(0, len(counted), size)]
    arrivals = data.draw(st.permutations(batches + data.draw(st.lists(st.sampled_from(batches)))
                                         if batches else []))  # fmt: skip
    together = data.draw(st.integers(1, 3))
    for at in range(0, len(arrivals), together):
        write(database, *arrivals[at : at + together])
    for seconds in (60, 3600, 86_400):
        requests, totals, latencies = expected(counted, seconds)
        assert held(database, REQUESTS[seconds]) == requests
        assert held_totals(database, TOTALS[seconds]) == (totals, latencies)


def test_writers_at_once_wait_for_each_other_and_neither_fails(database: Database) -> None:
    batches = [batch(*(line(caller=f"user-{number}") for number in range(50))) for _ in range(20)]

    def write_all(order: int) -> int:
        mine = batches if order % 2 else batches[::-1]
        return sum(write(database, *mine[at : at + 4]) for at in range(0, len(mine), 4))

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(write_all, range(4)))
    assert sum(written) == len(batches)
    assert held(database, RequestsOfMinute).total() == 20 * 50 * 3
    counts, latencies = held_totals(database, TotalsOfDay)
    day = MINUTE * 60
    assert counts["iris-1", day, "v1", "requests"] == counts[EVERYBODY, day, "", "requests"] == 20 * 50 * 3
    assert latencies["iris-1", day, "v1", 10] == latencies[EVERYBODY, day, "", 10] == 20 * 50 * 2


def test_what_is_rolled_back_is_written_when_it_comes_again(database: Database) -> None:
    once = batch(line(), dropped=7)
    with suppress(KeyError), database.transaction() as session:
        ledger.write(session, [once])
        raise KeyError
    assert (write(database, once), write(database, once)) == (1, 0)
    with database.transaction(read_only=True) as session:
        row = session.scalars(sa.select(UsageBatchRow)).one()
    assert (row.requests, row.dropped) == (3, 7)


def test_many_lines_in_one_batch(database: Database) -> None:
    write(database, batch(*(line(caller=f"user-{number}") for number in range(2500))))
    assert held(database, RequestsOfDay).total() == 2500 * 3


@pytest.mark.parametrize(
    "wrong",
    [{"model": "m" * 128}, {"caller": "c" * 37}, {"latency": {201: 1}}, {"requests": -1}, {"status": 70_000}],
)
def test_what_the_tables_cannot_hold_is_no_batch(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        wire.decode(wire.encode(batch(line(**wrong))))


def test_each_table_forgets_in_its_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelport_control_api.usage.retention._SLICE_ROWS", 3)
    kept = UsageSettings(
        usage_minute_retention_days=1, usage_hour_retention_days=2, usage_day_retention_days=3
    )
    day = 1440
    for age in range(5):
        callers = [f"user-{number}" for number in range(5)]
        write(database, batch(*(line(minute=MINUTE - age * day, caller=caller) for caller in callers)))
    with database.transaction() as session:
        session.execute(sa.update(UsageBatchRow).values(received_at=utc_now() - timedelta(days=8)))
    assert remove_old(database, kept, now=NOW) > 0
    ages = {
        table: sorted({(MINUTE * 60 - key[1]) // 86_400 for key in held(database, table)})
        for table in (*REQUESTS.values(), *TOTALS.values())
    }
    for table, age in zip((*REQUESTS.values(), *TOTALS.values()), (1, 2, 3) * 2, strict=True):
        assert ages[table] == list(range(age + 1))
    later = utc_now().timestamp()
    remove_old(database, kept, now=later)
    with database.transaction(read_only=True) as session:
        assert session.scalars(sa.select(UsageBatchRow)).all() == []


def test_evidence_of_rollouts_is_summed_up_and_a_batch_that_comes_again_adds_none(database: Database) -> None:
    rows, pairs = (
        EvidenceLine("iris-1", 3, "shadow", counter, 2) for counter in ("shadow.rows", "shadow.pairs")
    )
    others = [EvidenceLine("iris-1", 4, "5", "shadow.rows", 7), EvidenceLine("wine-1", 3, "5", "x", 9)]
    first = batch(line(), evidence=[rows, pairs, rows])
    second = batch(evidence=[rows, *others])
    assert write(database, first, second) == 2
    assert write(database, first, second) == 0
    with database.transaction(read_only=True) as session:
        assert evidence.read(session, "iris-1", 3) == {"shadow": {"shadow.rows": 6, "shadow.pairs": 2}}
        assert evidence.read(session, "iris-1", 4) == {"5": {"shadow.rows": 7}}
        assert evidence.read(session, "iris-1", 5) == {}
    assert held(database, RequestsOfMinute)


def test_evidence_of_a_rollout_that_is_over_goes_and_that_of_others_stays(database: Database) -> None:
    lines = [EvidenceLine(model, rollout, "5", "shadow.rows", 1) for model in "ab" for rollout in (1, 2)]
    write(database, batch(evidence=lines))
    with database.transaction() as session:
        evidence.forget(session, "a", 1)
        assert (evidence.read(session, "a", 1), bool(evidence.read(session, "a", 2))) == ({}, True)
        evidence.forget(session, "b")
        assert [evidence.read(session, "b", each) for each in (1, 2)] == [{}, {}]


def test_writers_of_the_same_evidence_at_the_same_time_lose_none(database: Database) -> None:
    def report(_: int) -> None:
        lines = [EvidenceLine("iris-1", 1, step, "shadow.rows", 1) for step in ("5", "1", "shadow")]
        write(database, batch(evidence=lines))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(report, range(40)))
    with database.transaction(read_only=True) as session:
        counts = evidence.read(session, "iris-1", 1)
    assert counts == {step: {"shadow.rows": 40} for step in ("1", "5", "shadow")}
