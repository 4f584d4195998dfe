"""Usage as cards and charts show it. Pure, but for what it reads of the analytics service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.query import MINUTE, SECONDS, BucketName, Query
from modelport_control_api.analytics.schemas import ModelAnalytics, Overview, Totals, VersionPoint
from modelport_control_api.analytics.service import IsCounted
from modelport_control_api.db.base import utc_now
from modelport_control_api.ui.models.visit import Visit

PeriodName = Literal["1h", "24h", "7d", "30d"]


@dataclass(frozen=True, slots=True)
class Period:
    """`words`: "the last …", and what it is compared with."""

    name: PeriodName
    label: str
    words: str
    length: timedelta
    bucket: BucketName

    def begin(self, now: datetime) -> datetime:
        """Return a moment of its first bucket: of 24 hours there is the one that runs and 23 before it."""
        return now - self.length + timedelta(seconds=SECONDS[self.bucket])

    @property
    def sampled_words(self) -> str:
        """Of sampled rows, of which analytics reads a day at most."""
        return self.words if self.length <= timedelta(hours=24) else "24 hours"


PERIODS: Mapping[str, Period] = {
    period.name: period
    for period in (
        Period("1h", "1 h", "hour", timedelta(hours=1), "minute"),
        Period("24h", "24 h", "24 hours", timedelta(hours=24), "hour"),
        Period("7d", "7 d", "7 days", timedelta(days=7), "hour"),
        Period("30d", "30 d", "30 days", timedelta(days=30), "day"),
    )
}
_USUAL: PeriodName = "24h"
AUTOMATIC = ""
"""No period's name: the page chooses, and polls for what it chose."""


async def figures_of(visit: Visit, period: str, model_id: str | None = None) -> dict[str, Any]:
    """Return what cards and charts show, all of one reading, and the period itself: of the model, or for None
    of all the visitor's. Raises ModelNotFound.
    """
    now = utc_now()
    chosen = await chosen_period(visit, period, now, model_id)
    usage = await _usage(visit, query_of(chosen, now, visit.time_zone), model_id)
    return {
        "period": chosen,
        "periods": list(PERIODS.values()),
        "usage": usage,
        "changes": card_changes(usage.totals, usage.previous),
        "charts": charts_of(usage),
    }


async def _usage(visit: Visit, query: Query, model_id: str | None) -> Overview | ModelAnalytics:
    if model_id is None:
        return await analytics.overview(visit.context, visit.services, visit.principal, query)
    return await analytics.of_model(visit.context, visit.services, visit.principal, model_id, query)


async def chosen_period(visit: Visit, name: str, now: datetime, model_id: str | None = None) -> Period:
    """Return the period of this name, the usual one for an unknown name; for `AUTOMATIC` the shortest that
    holds the requests: of the model, or for None of all the visitor's. Raises ModelNotFound.
    """
    if name != AUTOMATIC:
        return PERIODS.get(name, PERIODS[_USUAL])
    return await analytics.chosen_by_usage(
        visit.services, visit.principal, model_id, lambda is_counted: shortest_period(now, is_counted)
    )


def shortest_period(now: datetime, is_counted: IsCounted) -> Period:
    """Return the one that a page opens with: the last hour while it has all requests of a month, as of a
    new model; else the last day, or where that has none what is longer.
    """
    hour, day, week, month = (_first_second(period, now) for period in PERIODS.values())
    end = int(now.timestamp()) + MINUTE
    if not is_counted(month, hour):
        return PERIODS["1h"]
    if is_counted(day, end):
        return PERIODS["24h"]
    return PERIODS["7d"] if is_counted(week, day) else PERIODS["30d"]


def _first_second(period: Period, now: datetime) -> int:
    """Of the period's first bucket; of days, those of UTC will do."""
    begin = int(period.begin(now).timestamp())
    return begin - begin % SECONDS[period.bucket]


def query_of(period: Period, now: datetime, time_zone: str) -> Query:
    """Return the query for the period's buckets up to now, the one that still runs included."""
    return Query(from_=period.begin(now), bucket=period.bucket, timezone=time_zone)


@dataclass(frozen=True, slots=True)
class Change:
    """Against the period before. `good` None: neither better nor worse."""

    text: str
    direction: Literal["up", "down", "same"]
    good: bool | None


def relative_change(now: float | None, before: float | None, *, more_is_good: bool | None) -> Change | None:
    """In percent; None where there is nothing to compare with."""
    if now is None or not before:
        return None
    share = (now - before) / before
    return _change(share, f"{abs(share) * 100:,.0f} %", abs(share) < 0.005, more_is_good=more_is_good)


def share_change(now: float | None, before: float | None, *, more_is_good: bool) -> Change | None:
    """Between two shares, in percentage points."""
    if now is None or before is None:
        return None
    difference = now - before
    text = f"{abs(difference) * 100:,.1f} points"
    return _change(difference, text, abs(difference) < 0.0005, more_is_good=more_is_good)


def _change(difference: float, text: str, is_same: bool, *, more_is_good: bool | None) -> Change:
    if is_same:
        return Change("unchanged", "same", None)
    good = None if more_is_good is None else (difference > 0) == more_is_good
    return Change(text, "up" if difference > 0 else "down", good)


def card_changes(totals: Totals, before: Totals) -> dict[str, Change | None]:
    """Return the change of `requests`, `p95`, `errors` and `cache`; None: there is nothing to compare."""
    return {
        "requests": relative_change(totals.requests, before.requests, more_is_good=None),
        "p95": relative_change(totals.p95_ms, before.p95_ms, more_is_good=False),
        "errors": share_change(totals.error_rate, before.error_rate, more_is_good=False),
        "cache": share_change(totals.cache_hit_rate, before.cache_hit_rate, more_is_good=True),
    }


@dataclass(frozen=True, slots=True)
class Charts:
    """What `models/charts.html` draws. Series are those of the macro `chart`; `…_by_version` are empty
    unless several versions were called.
    """

    x: list[int]
    requests: list[dict[str, Any]]
    latency: list[dict[str, Any]]
    requests_by_version: list[dict[str, Any]]
    latency_by_version: list[dict[str, Any]]


def charts_of(usage: Overview | ModelAnalytics) -> Charts:
    """Return the charts, a point for each bucket. `x`: when it begins, in seconds since 1970 UTC."""
    points = usage.series
    predicted = [point.requests - point.errors - point.refused for point in points]
    requests = [
        _series("Answered", predicted, 1),
        _series("Refused (4xx)", [point.refused for point in points], 2),
        _series("Errors (5xx)", [point.errors for point in points], 4),
    ]
    latency = [
        # Drawn in this order: where two are one, the p95 of the card above is what is seen.
        _series("p99", [point.p99_ms for point in points], 2),
        _series("p95", [point.p95_ms for point in points], 1),
        _series("p50", [point.p50_ms for point in points], 5),
    ]
    return Charts(
        [int(point.start.timestamp()) for point in points],
        requests,
        latency,
        _lines_of_versions(usage, lambda point: point.requests),
        _lines_of_versions(usage, lambda point: point.p95_ms),
    )


def _lines_of_versions(
    usage: Overview | ModelAnalytics, figure: Callable[[VersionPoint], float | None]
) -> list[dict[str, Any]]:
    versions = usage.series_by_version if isinstance(usage, ModelAnalytics) else []
    return [
        _series(each.version, [figure(point) for point in each.series], color)
        for color, each in enumerate(versions, 1)
    ]


def _series(label: str, values: list[Any], color: int) -> dict[str, Any]:
    return {"label": label, "values": values, "color": color}
