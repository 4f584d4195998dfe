"""What share of a model's requests each version got lately, beside the share that is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.query import Query
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.visit import Visit

LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ObservedShares:
    """`changed_at`: the range begins there, since other weights held before; None: it is the last hour."""

    changed_at: datetime | None
    by_version: Mapping[str, int]

    @property
    def requests(self) -> int:
        return sum(self.by_version.values())

    def share(self, version: str) -> float | None:
        """Return the version's share of 1; None while there are no requests."""
        return self.by_version.get(version, 0) / self.requests if self.requests else None


async def observed_shares(visit: Visit, model: ModelAnswer) -> ObservedShares:
    """Count what the model's versions got in the last hour, or since it was changed."""
    now = utc_now()
    # Another replica's clock may be ahead.
    changed_at = min(model.updated_at, now)
    is_recent = changed_at > now - LONGEST
    # Of no beginning it is the last hour, as in the model's head.
    query = Query(from_=changed_at if is_recent else None, bucket="minute")
    counted = await analytics.requests_by_version(
        visit.context, visit.services, visit.principal, model.id, query
    )
    known = {version.name: counted.get(version.name, 0) for version in model.versions}
    return ObservedShares(changed_at if is_recent else None, known)
