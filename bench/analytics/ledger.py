"""A ledger of 200 models under steady traffic, made in the database: 10 million minute rows and what follows.

Minutes of 14 days, as by default they are kept; hours and days, rolled up from those, for longer.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from modelport_control_api.accounts.tables import ApiKey, User
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.registry.tables import ModelRow
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session

from bench.analytics import totals

OWNERS, MODELS, CALLERS = 20, 200, 4
_DAY, _HOUR = 86_400, 3600
_MINUTE_DAYS, _HOUR_DAYS, _DAY_DAYS = 14, 98, 196
_ROLLED_UP = (("minute", "hour", _HOUR, _HOUR_DAYS), ("hour", "day", _DAY, _DAY_DAYS))
_REQUESTS = "model_id, {start}, version, {sum}, caller_id, api_key_id, status, reason, cache"
_COLUMNS = {
    "requests": _REQUESTS.format(start="start", sum="requests"),
    "totals": totals.COLUMNS,
}

# A fifth of the models has a canary. Callers of a model differ, so no two rows of a minute are the same.
_MINUTE_OF_REQUESTS = """
INSERT INTO usage_requests_minute
  (model_id, start, version, requests, caller_id, api_key_id, status, reason, cache)
SELECT m.id, t, CASE WHEN m.number % 5 = 0 AND random() < 0.1 THEN 'v2' ELSE 'v1' END,
       1 + floor(-ln(1 - random()) * 8)::int, c.id, c.key, o.status, o.reason, o.cache
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint), 60) AS t
CROSS JOIN bench_models m
CROSS JOIN LATERAL (SELECT * FROM bench_callers c WHERE c.number <= 1 + m.number % 4 AND t > 0) c
CROSS JOIN LATERAL (SELECT random() + 0 * t * c.number AS r) d
JOIN bench_outcomes o ON d.r >= o.low AND d.r < o.high
"""


def fill(url: str) -> dict[str, int]:
    """Migrate the PostgreSQL at `url` and fill it; gives the rows of each table. Takes some minutes."""
    migrate.upgrade(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _make_people(connection)
            totals.make_histograms(connection)
            tomorrow = (int(time.time()) // _DAY + 1) * _DAY
            _fill_requests(connection, tomorrow)
            _fill_totals(connection, tomorrow)
            for kind in _COLUMNS:
                for _, period, _, days in _ROLLED_UP:
                    _repeat(connection, kind, period, tomorrow, days)
            connection.execute(text("VACUUM ANALYZE"))
            return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in _tables()}
    finally:
        engine.dispose()


def owner_id(number: int) -> str:
    return _uuid("owner", number)


def model_id(number: int) -> str:
    """As the platform makes them: nothing in a name tells of its neighbors."""
    return f"model-{hashlib.sha256(str(number).encode()).hexdigest()[:5]}-{number}"


def _make_people(connection: Connection) -> None:
    with Session(connection) as session:
        for owner in range(OWNERS):
            session.add(
                User(
                    id=owner_id(owner),
                    email=f"owner{owner}@example.com",
                    password_hash="",
                    is_admin=owner == 0,
                )
            )
        for caller in range(1, CALLERS + 1):
            id_ = _uuid("caller", caller)
            session.add(User(id=id_, email=f"caller{caller}@example.com", password_hash=""))
            session.flush()
            session.add(_key(caller, id_))
        session.flush()
        for number in range(MODELS):
            session.add(_model(number))
        session.commit()
    connection.execute(text("CREATE TABLE bench_models (number int, id text, middle int)"))
    rows = [
        {
            "number": n,
            "id": model_id(n),
            "middle": totals.MIDDLES[n % len(totals.MIDDLES)],
        }
        for n in range(MODELS)
    ]
    connection.execute(text("INSERT INTO bench_models VALUES (:number, :id, :middle)"), rows)
    connection.execute(text("CREATE TABLE bench_callers (number int, id text, key text)"))
    users = [{"n": n, "id": _uuid("caller", n), "key": _uuid("key", n)} for n in range(1, CALLERS + 1)]
    connection.execute(text("INSERT INTO bench_callers VALUES (:n, :id, :key)"), users)
    connection.execute(text(_OUTCOMES))


_OUTCOMES = """
CREATE TABLE bench_outcomes AS SELECT * FROM (VALUES
  (0.0, 0.7, 200, '', 'miss'), (0.7, 0.96, 200, '', 'hit'), (0.96, 0.985, 422, '', 'bypass'),
  (0.985, 0.995, 429, '', 'none'), (0.995, 1.1, 500, 'ModelError', 'miss')
) AS o (low, high, status, reason, cache)
"""


def _fill_requests(connection: Connection, tomorrow: int) -> None:
    with _unindexed(connection, "requests", "minute"):
        for first in range(tomorrow - _MINUTE_DAYS * _DAY, tomorrow, _DAY):
            connection.execute(text(_MINUTE_OF_REQUESTS), {"first": first, "last": first + _DAY - 60})
    for source, target, seconds, _ in _ROLLED_UP:
        with _unindexed(connection, "requests", target):
            connection.execute(text(_requests_rolled_up(source, target, seconds)))


def _fill_totals(connection: Connection, tomorrow: int) -> None:
    days = range(tomorrow - _MINUTE_DAYS * _DAY, tomorrow, _DAY)
    with _unindexed(connection, "totals", "minute"):
        for first in days:
            totals.fill_minutes(connection, first, first + _DAY - 60)
    for source, target, seconds, _ in _ROLLED_UP:
        with _unindexed(connection, "totals", target):
            for first in days:
                totals.roll_up(connection, source, target, seconds, range(first, first + _DAY))


@contextmanager
def _unindexed(connection: Connection, kind: str, period: str) -> Iterator[None]:
    """Filled without indexes, in the order of time, as a ledger grows."""
    table = f"usage_{kind}_{period}"
    others = ", caller_id, api_key_id, status, reason, cache" if kind == "requests" else ""
    connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}"))
    connection.execute(text(f"DROP INDEX ix_{table}_age"))
    yield
    key = f"PRIMARY KEY (model_id, start, version{others})"
    connection.execute(text("SET maintenance_work_mem = '1GB'"))
    connection.execute(text(f"CREATE INDEX ix_{table}_age ON {table} ((start + 0))"))
    connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} {key}"))
    connection.execute(text(f"ANALYZE {table}"))


def _requests_rolled_up(source: str, target: str, seconds: int) -> str:
    begin = f"start - start % {seconds} AS begin"
    what = _REQUESTS.format(start=begin, sum="sum(requests)")
    groups = what.replace("sum(requests), ", "").replace(begin, "begin")
    return (
        f"INSERT INTO usage_requests_{target} ({_COLUMNS['requests']}) SELECT {what} "
        f"FROM usage_requests_{source} GROUP BY {groups} ORDER BY begin, random()"
    )


def _repeat(connection: Connection, kind: str, period: str, end: int, days: int) -> None:
    """The fortnight that was made, again and again before itself, up to so many days."""
    table = f"usage_{kind}_{period}"
    for back in range(_MINUTE_DAYS, days, _MINUTE_DAYS):
        shifted = _COLUMNS[kind].replace("start", f"start - {back * _DAY}")
        made = f"SELECT {shifted} FROM {table} WHERE start >= {end - _MINUTE_DAYS * _DAY} ORDER BY start"
        connection.execute(text(f"INSERT INTO {table} ({_COLUMNS[kind]}) {made}"))


def _tables() -> list[str]:
    return [f"usage_{kind}_{period}" for kind in _COLUMNS for period in ("minute", "hour", "day")]


def _key(number: int, user_id: str) -> ApiKey:
    return ApiKey(
        id=_uuid("key", number), user_id=user_id, name=f"key {number}", key_sha256=f"{number:064x}",
        prefix=f"mlp_live_{number}", scopes=["predict"], created_at=datetime.now(UTC),
    )  # fmt: skip


def _model(number: int) -> ModelRow:
    owner = owner_id(number % OWNERS)
    return ModelRow(id=model_id(number), owner_id=owner, name=f"Model {number}", traffic={"v1": 100})


def _uuid(kind: str, number: int) -> str:
    return str(UUID(hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:32]))
