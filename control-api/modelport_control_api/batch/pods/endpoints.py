"""What a batch worker asks: where the pods are that it may give rows to."""

from typing import Annotated

from fastapi import APIRouter, Query
from modelport_http.problem import Problem
from pydantic import BaseModel

from modelport_control_api.batch.pods import lookup
from modelport_control_api.http.platform_only import PLATFORM_ONLY
from modelport_control_api.models.access import Models

router = APIRouter(prefix="/internal/v1/batch", dependencies=[PLATFORM_ONLY])


class EndpointsAnswer(BaseModel):
    """As `lookup.BatchPods`."""

    addresses: list[str]
    exists: bool
    reason: str
    message: str


@router.get("/endpoints")
async def list_endpoints(
    part: Models, model: Annotated[str, Query()], version: Annotated[str, Query()]
) -> EndpointsAnswer:
    """503 while this replica has yet to hear from the cluster, or the cluster does not answer."""
    if not part.statuses.synced.is_set():
        raise _away("This replica has yet to hear from the cluster.")
    try:
        found = await lookup.find(part.cluster, part.namespace, part.statuses.get(model), version)
    except Exception as error:  # any exception of a cluster means: try later
        raise _away("The cluster does not answer.") from error
    return EndpointsAnswer(
        addresses=list(found.addresses), exists=found.exists, reason=found.reason, message=found.message
    )


def _away(detail: str) -> Problem:
    return Problem(status=503, detail=f"{detail} Ask again shortly.", headers={"Retry-After": "1"})
