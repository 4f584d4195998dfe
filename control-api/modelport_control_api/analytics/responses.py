"""What was counted, as the responses have it: whose usage it is, and how users call it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from modelport_control_api.accounts.tables import ApiKey, User
from modelport_control_api.analytics import ledger
from modelport_control_api.analytics.plan import QueryPlan
from modelport_control_api.analytics.query import DAY, MINUTE, Range
from modelport_control_api.analytics.schemas import (
    CallerUsage,
    ModelUsage,
    Point,
    ReasonUsage,
    Totals,
    VersionPoint,
    VersionSeries,
    VersionUsage,
)
from modelport_control_api.analytics.totals import NOTHING, Sums, Usage, added_up, figures, rate
from modelport_control_api.drift.schemas import PredictionDistribution
from modelport_control_api.identity import Principal
from modelport_control_api.monitoring.reading import prediction_distribution
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.usage.tables import UsageBatchRow


def sum_alone(session: Session) -> None:
    """Let PostgreSQL start no workers for this transaction: they take longer to start than a few sums do."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))


def one_snapshot(session: Session) -> None:
    """Let all sums of this transaction be of one moment: what is written between two of them is in none.

    To be called before any query. On SQLite a transaction is a snapshot in any case.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def own_models(session: Session, principal: Principal) -> dict[str, str]:
    """Return the names of the caller's models that its credential may use, by id."""
    query = select(ModelRow.id, ModelRow.name).where(ModelRow.owner_id == principal.user_id)
    return {id_: name for id_, name in session.execute(query) if principal.may_use(id_)}


def model_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Return id → name of those models that still exist."""
    return dict(session.execute(select(ModelRow.id, ModelRow.name).where(ModelRow.id.in_(ids))).all())


def emails_of(session: Session, user_ids: Collection[str]) -> dict[str, str]:
    """Return id → email address of those users that still exist."""
    return dict(session.execute(select(User.id, User.email).where(User.id.in_(user_ids))).all())


def keys_of(session: Session, key_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and prefix by id."""
    query = select(ApiKey.id, ApiKey.name, ApiKey.prefix).where(ApiKey.id.in_(key_ids))
    return {id_: (name, prefix) for id_, name, prefix in session.execute(query)}


def dropped(session: Session, start: int, end: int) -> int:
    """Requests that gateways reported between two seconds to have forgotten."""
    query = select(func.coalesce(func.sum(UsageBatchRow.dropped), 0)).where(
        UsageBatchRow.dropped > 0,
        UsageBatchRow.received_at >= datetime.fromtimestamp(start, UTC),
        UsageBatchRow.received_at < datetime.fromtimestamp(end, UTC),
    )
    return int(session.execute(query).scalar_one())


MOST_MODELS = 100
MOST_CALLERS = 50
MOST_SERIES = 5
"""Versions with lines of their own: more colors nobody can tell apart in a chart."""


def of_models(session: Session, plans: QueryPlan, names: dict[str, str] | None) -> dict[str, Any]:
    """Return the fields of an overview. `names`: of the models that it is of, by id; None: of all there
    are.
    """
    ids = None if names is None else names.keys()
    usage = ledger.by_model(session, plans.whole, ids, MOST_MODELS if names is None else None)
    known = model_names(session, usage) if names is None else names
    # Of all there are usage has but some.
    now = ledger.altogether(session, plans.whole, None) if names is None else added_up(usage.values())
    return {
        **_of_both(session, plans, ids, now),
        "by_reason": _reasons(ledger.by_reason(session, plans.whole, ids)),
        "by_model": _of_each_model(islice(usage.items(), MOST_MODELS), known),
    }


def usage_by_model(session: Session, plans: QueryPlan, principal: Principal) -> list[ModelUsage]:
    """Return the usage of every model of the caller's that was called, the most requests first."""
    names = own_models(session, principal)
    return _of_each_model(ledger.by_model(session, plans.whole, names.keys()).items(), names)


def of_model(session: Session, plans: QueryPlan, principal: Principal, model_id: str) -> dict[str, Any]:
    """Return the fields of a model's analytics."""
    usage = ledger.by_version(session, plans.whole, model_id)
    return {
        "model": model_id,
        **_of_both(session, plans, [model_id], added_up(usage.values())),
        **_by_reason_and_caller(session, plans, principal, model_id),
        "by_version": [VersionUsage(version=name, **figures(usage[name])) for name in sorted(usage)],
        "series_by_version": _series_by_version(session, plans, model_id, usage),
        "predictions": _predictions(session, plans, model_id),
    }


def totals_of(session: Session, plans: QueryPlan, model_id: str) -> Totals:
    """Return the sums of the whole range alone."""
    return Totals(**figures(ledger.altogether(session, plans.whole, [model_id])))


def requests_by_version(session: Session, plans: QueryPlan, model_id: str) -> dict[str, int]:
    """Return the requests of each version, without those that were refused before one was chosen."""
    usage = ledger.by_version(session, plans.whole, model_id)
    return {name: sums.requests for name, sums in usage.items() if name}


def _of_each_model(usage: Iterable[tuple[str, Sums]], names: Mapping[str, str]) -> list[ModelUsage]:
    return [ModelUsage(id=id_, name=names.get(id_), **figures(sums)) for id_, sums in usage]


def _of_both(session: Session, plans: QueryPlan, models: ledger.ModelIds, now: Sums) -> dict[str, Any]:
    """Return the fields that both calls have."""
    range_ = plans.range
    before = ledger.altogether(session, plans.before, models)
    return {
        "from_": _moment(range_.boundaries[0], range_),
        "to": _moment(range_.until, range_),
        "bucket": range_.bucket,
        "timezone": range_.zone.key,
        "totals": Totals(**figures(now)),
        "previous": Totals(**figures(before)),
        "series": _points(ledger.by_bucket(session, plans.series, models), range_),
    }


def _by_reason_and_caller(
    session: Session, plans: QueryPlan, principal: Principal, model_id: str
) -> dict[str, Any]:
    """Return both fields."""
    reader = None if principal.is_admin else principal.user_id
    reasons, callers = ledger.by_reason_and_caller(session, plans.whole, model_id, MOST_CALLERS, reader)
    emails = emails_of(session, {each.caller_id for each in callers if each.caller_id})
    keys = keys_of(session, {each.api_key_id for each in callers if each.api_key_id})
    return {"by_reason": _reasons(reasons), "by_caller": [_caller(each, emails, keys) for each in callers]}


def _predictions(session: Session, plans: QueryPlan, model_id: str) -> PredictionDistribution | None:
    # The minute that runs belongs to it, in its first second too.
    end = plans.range.until // MINUTE + (plans.range.until < plans.range.boundaries[-1])
    # A day at most: these are kept by the minute, each with all its classes.
    start = max(plans.range.boundaries[0] // MINUTE, end - DAY // MINUTE)
    return prediction_distribution(session, model_id, None, start, end)


def _reasons(found: Sequence[tuple[int, str, int]]) -> list[ReasonUsage]:
    return [
        ReasonUsage(status=status, reason=reason, requests=requests) for status, reason, requests in found
    ]


def _caller(
    counts: ledger.CallerCounts, emails: dict[str, str], keys: dict[str, tuple[str, str]]
) -> CallerUsage:
    caller, key = counts.caller_id, counts.api_key_id
    name, prefix = keys.get(key, (None, None))
    nobody = {"": "anonymous", ledger.OUTSIDERS: "refused"}
    return CallerUsage(
        caller_id=None if caller in nobody else caller,
        email=nobody.get(caller) or emails.get(caller, ""),
        api_key_id=key or None,
        api_key_name=name,
        api_key_prefix=prefix,
        requests=counts.requests,
        errors=counts.errors,
        refused=counts.refused,
        error_rate=rate(counts.errors, counts.requests),
    )


def _series_by_version(
    session: Session, plans: QueryPlan, model_id: str, usage: Usage[str]
) -> list[VersionSeries]:
    """`usage`: the most requests first. Most models have one version that is called, which costs nothing."""
    called = [name for name in usage if name]
    if len(called) < 2:
        return []
    series = ledger.by_bucket_of_versions(session, plans.series, model_id)
    shown = sorted(called[:MOST_SERIES], key=lambda name: (len(name), name))
    return [
        VersionSeries(version=name, series=_version_points(series.get(name, {}), plans.range))
        for name in shown
    ]


def _version_points(series: Usage[int], range_: Range) -> list[VersionPoint]:
    return [
        VersionPoint(start=_moment(start, range_), **_of_version(series.get(number, NOTHING)))
        for number, start in enumerate(range_.boundaries[:-1])
    ]


def _of_version(sums: Sums) -> dict[str, Any]:
    found = figures(sums)
    return {"requests": found["requests"], "errors": found["errors"], "p95_ms": found["p95_ms"]}


def _points(series: Usage[int], range_: Range) -> list[Point]:
    starts: Sequence[int] = range_.boundaries[:-1]
    return [
        Point(start=_moment(start, range_), **figures(series.get(number, NOTHING)))
        for number, start in enumerate(starts)
    ]


def _moment(seconds: int, range_: Range) -> datetime:
    return datetime.fromtimestamp(seconds, range_.zone)
