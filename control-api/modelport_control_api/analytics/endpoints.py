"""The analytics calls of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from modelport_control_api.analytics import query, service
from modelport_control_api.analytics.query import LONGEST, BucketName
from modelport_control_api.analytics.schemas import ModelAnalytics, Overview
from modelport_control_api.http.context import RequestContext
from modelport_control_api.http.principal import require
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import Models

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=problems(*CREDENTIAL, 422))

Reader = Annotated[Principal, Depends(require("analytics:read"))]
From = Annotated[
    AwareDatetime | None,
    Query(alias="from", description="RFC 3339. Left out: 60 minutes, 24 hours or 30 days before `to`."),
]
To = Annotated[AwareDatetime | None, Query(description="RFC 3339; not included. Left out: now.")]
_LONGEST = ", ".join(f"{most} by {bucket}" for bucket, most in LONGEST.items())
BucketSize = Annotated[BucketName, Query(description=f"A range is at most {_LONGEST}.")]
Timezone = Annotated[
    str,
    Query(
        max_length=64, description="An IANA name: days begin at midnight there.", examples=["Europe/Paris"]
    ),
]
Everybody = Annotated[bool, Query(alias="all", description="Of everybody's models; for administrators.")]


async def get_query(
    from_: From = None, to: To = None, bucket: BucketSize = "hour", timezone: Timezone = "UTC"
) -> query.Query:
    """Collect the parameters. Range and time zone are checked only when the query is resolved."""
    return query.Query(from_, to, bucket, timezone)


RequestedQuery = Annotated[query.Query, Depends(get_query)]


@router.get("/overview")
async def read_overview(
    principal: Reader,
    context: RequestContext,
    services: Models,
    requested: RequestedQuery,
    everybody: Everybody = False,
) -> Overview:
    """Requests, errors, cache hits and latencies of your models together, and of each."""
    return await service.overview(context, services, principal, requested, everybody=everybody)


@router.get("/models/{model_id}", responses=problems(404))
async def read_model_analytics(
    model_id: str, principal: Reader, context: RequestContext, services: Models, requested: RequestedQuery
) -> ModelAnalytics:
    """The same of one model, with its versions and its callers."""
    return await service.of_model(context, services, principal, model_id, requested)
