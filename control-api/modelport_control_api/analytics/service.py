"""Responses of the analytics calls, for endpoints and pages alike."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from modelport_control_api.analytics import ledger, responses
from modelport_control_api.analytics.plan import QueryPlan
from modelport_control_api.analytics.query import Query
from modelport_control_api.analytics.schemas import ModelAnalytics, ModelUsage, Overview, Totals
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import Context
from modelport_control_api.identity import Principal
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.errors import KeyRestricted

T = TypeVar("T")
IsCounted = Callable[[int, int], bool]
"""Whether there was a request between two seconds since 1970; the first is a full hour."""


async def overview(
    context: Context, services: ModelsServices, principal: Principal, query: Query, *, everybody: bool = False
) -> Overview:
    """Of the caller's models that its credential may use; `everybody` (for admins): of all there are.

    Raises InvalidFields, and KeyRestricted if the caller may not see `everybody`.
    """
    if everybody and not (principal.is_admin and principal.model_ids is None):
        raise KeyRestricted("Only administrators may see everybody's usage: leave all out.")
    plans = QueryPlan.of(query, context.settings, utc_now())

    def read(session: Session) -> Overview:
        responses.one_snapshot(session)
        if not everybody:
            responses.sum_alone(session)
        names = None if everybody else responses.own_models(session, principal)
        return Overview(
            **responses.of_models(session, plans, names),
            dropped=_dropped(session, plans) if principal.is_admin else None,
        )

    return await services.transactions.read(read)


async def of_model(
    context: Context, services: ModelsServices, principal: Principal, model_id: str, query: Query
) -> ModelAnalytics:
    """Raises ModelNotFound or InvalidFields."""

    def read(session: Session) -> ModelAnalytics:
        responses.one_snapshot(session)
        model = services.reader.load(session, principal, model_id)
        plans = QueryPlan.of(query, context.settings, utc_now())
        responses.sum_alone(session)
        return ModelAnalytics(**responses.of_model(session, plans, principal, model.id))

    return await services.transactions.read(read)


async def totals(
    context: Context, services: ModelsServices, principal: Principal, model_id: str, query: Query
) -> Totals:
    """Return the model's sums of the range, and nothing else.

    Raises ModelNotFound or InvalidFields.
    """
    return await _of_one(context, services, principal, model_id, query, part=responses.totals_of)


async def by_model(
    context: Context, services: ModelsServices, principal: Principal, query: Query
) -> list[ModelUsage]:
    """Return the usage of every model of the caller's that was called, and nothing else: an overview has but
    the busiest.

    Raises InvalidFields.
    """
    plans = QueryPlan.of(query, context.settings, utc_now())

    def read(session: Session) -> list[ModelUsage]:
        responses.sum_alone(session)
        return responses.usage_by_model(session, plans, principal)

    return await services.transactions.read(read)


async def chosen_by_usage(
    services: ModelsServices, principal: Principal, model_id: str | None, choose: Callable[[IsCounted], T]
) -> T:
    """Return what `choose` makes of when there were requests: of one model, or for None of all the caller's.

    Raises ModelNotFound.
    """

    def read(session: Session) -> T:
        if model_id is None:
            ids = list(responses.own_models(session, principal))
        else:
            ids = [services.reader.load(session, principal, model_id).id]
        return choose(lambda start, end: ledger.is_counted(session, ids, start, end))

    return await services.transactions.read(read)


async def requests_by_version(
    context: Context, services: ModelsServices, principal: Principal, model_id: str, query: Query
) -> dict[str, int]:
    """Return how often each version was called, and nothing else: a fraction of what `of_model` reads.

    Raises ModelNotFound or InvalidFields.
    """
    return await _of_one(context, services, principal, model_id, query, part=responses.requests_by_version)


async def _of_one(
    context: Context,
    services: ModelsServices,
    principal: Principal,
    model_id: str,
    query: Query,
    *,
    part: Callable[[Session, QueryPlan, str], T],
) -> T:
    """Without the snapshot that `of_model` takes: a single sum is of one moment."""

    def read(session: Session) -> T:
        model = services.reader.load(session, principal, model_id)
        plans = QueryPlan.of(query, context.settings, utc_now())
        responses.sum_alone(session)
        return part(session, plans, model.id)

    return await services.transactions.read(read)


def _dropped(session: Session, plans: QueryPlan) -> int:
    # The second that is now is part of it.
    return responses.dropped(session, plans.range.boundaries[0], plans.range.until + 1)
