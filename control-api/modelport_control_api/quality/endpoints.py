"""The calls on quality of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from modelport_crds.names import VERSION_NAME

from modelport_control_api.analytics import query
from modelport_control_api.analytics.endpoints import BucketSize, From, Reader, Timezone, To
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.quality import service
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.wiring import Quality

router = APIRouter(
    prefix="/api/v1/models/{model_id}/quality", tags=["quality"], responses=problems(*CREDENTIAL, 404, 422)
)


async def get_query(
    from_: From = None, to: To = None, bucket: BucketSize = "day", timezone: Timezone = "UTC"
) -> query.Query:
    """Collect the parameters. Range and time zone are checked only when the query is resolved."""
    return query.Query(from_, to, bucket, timezone)


RequestedQuery = Annotated[query.Query, Depends(get_query)]
Version = Annotated[
    str | None, Query(pattern=f"^{VERSION_NAME}$", description="Only this one's. Left out: all.")
]


@router.get("")
async def read_quality(
    model_id: str, principal: Reader, services: Quality, requested: RequestedQuery, version: Version = None
) -> QualityAnswer:
    """How good its predictions were, by version and bucket, from what its `feedback` observed and was told.

    A prediction counts in the bucket in which it was made, whenever its truth came.
    """
    return await service.read_quality(services, principal, model_id, requested, version)
