"""A range with the rows of the ledger that answer for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from modelport_control_api.analytics.plan import Kept, Plan, plan
from modelport_control_api.analytics.query import Query, Range, resolve
from modelport_control_api.settings.control_api import Settings

# Rows go by the gateways' clocks and are removed by the database's neighbour: no edge is cut that fine.
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Question:
    """`series`: by bucket; `whole`: the same range as one; `before`: the period of equal length before it."""

    range: Range
    series: Plan
    whole: Plan
    before: Plan

    @classmethod
    def of(cls, query: Query, settings: Settings, now: datetime) -> Self:
        """Raises InvalidFields."""
        kept = Kept.after(
            int((now + _MARGIN).timestamp()),
            settings.usage_minute_retention_days,
            settings.usage_hour_retention_days,
        )
        asked = resolve(query, now, {"minute": kept.minutes_since, "hour": kept.hours_since})
        start, end = asked.boundaries[0], asked.boundaries[-1]
        return cls(
            asked,
            series=plan(asked.boundaries, kept),
            whole=plan((start, end), kept),
            before=plan((start - (asked.until - start), start), kept),
        )
