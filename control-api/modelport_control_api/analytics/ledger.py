"""Sums over the ledger. Everything is added up in the database; what leaves it is one row a group.

But for latencies: their texts are joined there, and added up here (`usage.histogram`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from modelport_control_api.analytics.plan import HALF_DAY, Move, Piece, Plan, Run
from modelport_control_api.analytics.query import SECONDS, BucketName
from modelport_control_api.analytics.totals import Sums, Usage, moved
from modelport_control_api.db.base import Base
from modelport_control_api.usage import tables
from modelport_control_api.usage.tables import unpack

Tables = Mapping[BucketName, type[Base]]
REQUESTS: Tables = {
    "minute": tables.RequestsOfMinute,
    "hour": tables.RequestsOfHour,
    "day": tables.RequestsOfDay,
}
TOTALS: Tables = {
    "minute": tables.TotalsOfMinute,
    "hour": tables.TotalsOfHour,
    "day": tables.TotalsOfDay,
}
ModelIds = Collection[str] | None
"""None: all models, and requests for none."""
_SUMS = ("requests", "errors", "refused", "cache_hits", "cache_misses")


OUTSIDERS = "outsiders"
"""Stands for the callers, together, who may not call the model: who they are is not its owner's business."""
# All that a gateway responds to them, as if there were no such model.
_KEPT_OUT = 404


class CallerCounts(NamedTuple):
    caller_id: str
    api_key_id: str
    requests: int
    errors: int
    refused: int


def by_bucket(session: Session, plan: Plan, models: ModelIds) -> Usage[int]:
    """Keys: the buckets' numbers."""
    rows = _bucketed(plan, models)
    return _mended(_grouped(session, rows, rows.c.key), plan)


def by_bucket_of_versions(session: Session, plan: Plan, model_id: str) -> dict[str, Usage[int]]:
    """What `by_bucket` gives, of each of the model's versions that was called."""
    rows = _bucketed(plan, [model_id])
    query = select(rows.c.version, rows.c.key, *_summed(rows)).group_by(rows.c.version, rows.c.key)
    found: defaultdict[str, dict[int, Sums]] = defaultdict(dict)
    for version, key, *counts, joined in session.execute(query):
        found[version][key] = Sums._make([*counts, unpack(joined)])
    return {version: _mended(buckets, plan) for version, buckets in found.items() if version}


def is_counted(session: Session, models: Collection[str], start: int, end: int) -> bool:
    """Whether there was a request from `start`, a full hour, to before `end`. It reads a row at most."""
    hour = end - end % SECONDS["hour"]
    in_hours = _is_any(session, "hour", models, start, hour)
    return in_hours or _is_any(session, "minute", models, max(start, hour), end)


def altogether(session: Session, plan: Plan, models: ModelIds) -> Sums:
    """Return the sums over the plan's pieces, of all the models together."""
    rows = _rows(TOTALS, plan.pieces, _subjects(models), (*_SUMS, "latencies"))
    *counts, joined = session.execute(select(*_summed(rows))).one()
    return Sums._make([*counts, unpack(joined)])


def by_version(session: Session, plan: Plan, model_id: str) -> Usage[str]:
    """Return the sums of each of the model's versions, by name."""
    rows = _rows(TOTALS, plan.pieces, [model_id], ("version", *_SUMS, "latencies"))
    return _grouped(session, rows, rows.c.version)


def by_model(session: Session, plan: Plan, models: ModelIds, limit: int | None = None) -> Usage[str]:
    """The most requests first."""
    rows = _rows(TOTALS, plan.pieces, models, ("model_id", *_SUMS, "latencies"))
    of_models = select(rows).where(rows.c.model_id != tables.EVERYBODY).subquery()
    return _grouped(session, of_models, of_models.c.model_id, limit)


def by_reason(session: Session, plan: Plan, models: ModelIds) -> list[tuple[int, str, int]]:
    """Status, reason and requests, the most first."""
    rows = _rows(REQUESTS, plan.pieces, models, ("status", "reason", "requests"))
    return [tuple(row) for row in session.execute(_reasons(rows))]


def by_reason_and_caller(
    session: Session, plan: Plan, model_id: str, limit: int, reader_id: str | None
) -> tuple[list[tuple[int, str, int]], list[CallerCounts]]:
    """What `by_reason` gives, and the callers with most requests, by one reading of the rows.

    `reader_id`: who may know of outsiders only that they are there; None: an administrator, who may know all.
    """
    columns = ("caller_id", "api_key_id", "status", "reason", "requests")
    rows = _rows(REQUESTS, plan.pieces, [model_id], columns)
    *keys, requests = (rows.c[name] for name in columns)
    counted = select(*keys, _sum(requests).label("requests")).group_by(*keys).cte("each")
    named = counted if reader_id is None else _without_outsiders(counted, reader_id)
    reasons, callers = _reasons(counted).subquery("reasons"), _callers(named, limit).subquery("callers")
    nobody = [literal("").label("caller_id"), literal("").label("api_key_id")]
    none = literal(0)
    of_reasons = select(
        literal(0), reasons.c.status, reasons.c.reason, *nobody, reasons.c.requests, none, none
    )
    of_callers = select(literal(1), none, literal(""), *callers.c)
    found = session.execute(union_all(of_reasons, of_callers)).all()
    return (
        [(status, reason, requests) for kind, status, reason, _, _, requests, *_ in found if kind == 0],
        [CallerCounts(*counts) for kind, _, _, *counts in found if kind == 1],
    )


def _reasons(rows: FromClause) -> Select[Any]:
    requests = _sum(rows.c.requests).label("requests")
    keys = (rows.c.status, rows.c.reason)
    return select(*keys, requests).group_by(*keys).order_by(requests.desc(), *keys)


def _without_outsiders(rows: FromClause, reader_id: str) -> FromClause:
    """The same rows; those of a credential that was never let in have neither caller nor key."""
    credential = (rows.c.caller_id, rows.c.api_key_id)
    let_in = func.max(case((rows.c.status != _KEPT_OUT, 1), else_=0)).over(partition_by=credential)
    seen = select(*credential, rows.c.status, rows.c.requests, let_in.label("let_in")).cte("seen")
    is_known = or_(seen.c.caller_id.in_(("", reader_id)), seen.c.let_in == 1)
    return select(
        case((is_known, seen.c.caller_id), else_=OUTSIDERS).label("caller_id"),
        case((is_known, seen.c.api_key_id), else_="").label("api_key_id"),
        seen.c.status,
        seen.c.requests,
    ).cte("named")


def _callers(rows: FromClause, limit: int) -> Select[Any]:
    status, requests = rows.c.status, _sum(rows.c.requests).label("requests")
    errors = _sum(rows.c.requests, status >= 500).label("errors")
    refused = _sum(rows.c.requests, and_(status >= 400, status < 500)).label("refused")
    keys = (rows.c.caller_id, rows.c.api_key_id)
    query = select(*keys, requests, errors, refused).group_by(*keys)
    return query.order_by(requests.desc(), *keys).limit(limit)


def _is_any(session: Session, size: BucketName, models: Collection[str], start: int, end: int) -> bool:
    table = TOTALS[size].__table__
    of_models = table.c.model_id.in_(sorted(models))
    found = exists().where(of_models, table.c.start >= start, table.c.start < end)
    return start < end and bool(session.scalar(select(found)))


def _bucketed(plan: Plan, models: ModelIds) -> Subquery:
    parts = [_numbered(plan, size, pieces, models) for size, pieces in _by_size(plan.pieces).items()]
    for size in ("hour", "minute"):
        if moves := [move for move in plan.moves if move.rows == size]:
            parts.append(_half_days(moves, size, models))
    return union_all(*parts).subquery("counted")


def _mended(found: Usage[int], plan: Plan) -> Usage[int]:
    """Buckets with what was moved between them; keys below zero are what `_half_days` gave."""
    buckets = {number: sums for number, sums in found.items() if number >= 0}
    return moved(buckets, {-1 - number: sums for number, sums in found.items() if number < 0}, plan.moves)


def _numbered(plan: Plan, size: BucketName, pieces: Sequence[Piece], models: ModelIds) -> Select[Any]:
    table = TOTALS[size].__table__
    number = _number(plan.runs, table.c.start).label("key")
    return _of(table, _subjects(models), [number, *_figures(table)]).where(_within(table.c.start, pieces))


def _half_days(moves: Sequence[Move], size: BucketName, models: ModelIds) -> Select[Any]:
    """Under numbers below zero, by which `by_bucket` knows them."""
    table = TOTALS[size].__table__
    # Single starts, not ranges: each is one descent in the key's index.
    starts = [start for move in moves for start in range(move.start, move.end, SECONDS[size])]
    number = (-1 - table.c.start // HALF_DAY).label("key")
    return _of(table, _subjects(models), [number, *_figures(table)]).where(table.c.start.in_(starts))


def _rows(source: Tables, pieces: Sequence[Piece], models: ModelIds, columns: Sequence[str]) -> Subquery:
    parts = []
    for size, of_size in _by_size(pieces).items():
        table = source[size].__table__
        query = _of(table, models, [table.c[name] for name in columns])
        # Whose rows come first in the key's index; everybody's come first by their age.
        start = tables.AGE if models is None else table.c.start
        parts.append(query.where(_within(start, of_size)))
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery("counted")


def _by_size(pieces: Sequence[Piece]) -> Mapping[BucketName, list[Piece]]:
    found: defaultdict[BucketName, list[Piece]] = defaultdict(list)
    for piece in pieces:
        found[piece.rows].append(piece)
    return found


def _of(table: FromClause, models: ModelIds, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    query = select(*columns)
    return query if models is None else query.where(table.c.model_id.in_(sorted(models)))


def _subjects(models: ModelIds) -> Collection[str]:
    return [tables.EVERYBODY] if models is None else models


def _figures(table: FromClause) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in ("version", *_SUMS, "latencies")]


def _within(start: ColumnElement[int], pieces: Sequence[Piece]) -> ColumnElement[bool]:
    return or_(*(and_(start >= piece.start, start < piece.end) for piece in pieces))


def _number(runs: Sequence[Run], start: ColumnElement[int]) -> ColumnElement[int]:
    numbers = [(run.end, run.first + (start - run.start) // run.seconds) for run in runs]
    *earlier, (_, last) = numbers
    return case(*((start < end, number) for end, number in earlier), else_=last) if earlier else last


def _grouped(
    session: Session, rows: FromClause, key: ColumnElement[Any], limit: int | None = None
) -> dict[Any, Sums]:
    """The most requests first."""
    requests, *others = _summed(rows)
    query = select(key, requests, *others).group_by(key)
    found = session.execute(query.order_by(requests.desc(), key).limit(limit))
    return {key: Sums._make([*counts, unpack(joined)]) for key, *counts, joined in found}


def _summed(rows: FromClause) -> list[ColumnElement[Any]]:
    return [*(_sum(rows.c[name]) for name in _SUMS), func.aggregate_strings(rows.c.latencies, ",")]


def _sum(column: ColumnElement[int], where: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    added = func.sum(column)
    counted = added if where is None else added.filter(where)
    # PostgreSQL adds big integers up to a numeric, which the driver gives as a Decimal.
    return cast(func.coalesce(counted, 0), BigInteger)
