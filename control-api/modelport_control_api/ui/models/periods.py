"""Which period a page of usage shows."""

from datetime import datetime

from modelport_control_api.analytics import service as analytics
from modelport_control_api.ui.models.usage_views import Period, period_named, shortest_period
from modelport_control_api.ui.models.visit import Visit

AUTOMATIC = ""
"""No period's name: the page chooses, and polls for what it chose."""


async def chosen_period(visit: Visit, name: str, now: datetime, model_id: str | None = None) -> Period:
    """Return the period of this name, or the shortest that holds the requests: of the model, or for None
    of all the visitor's. Raises ModelNotFound.
    """
    if name != AUTOMATIC:
        return period_named(name)
    return await analytics.chosen_by_usage(
        visit.services, visit.principal, model_id, lambda is_counted: shortest_period(now, is_counted)
    )
