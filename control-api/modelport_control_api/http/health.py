"""Is the process up, and can it do its work."""

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from modelport_control_api.http.context import RequestContext
from modelport_control_api.http.responses import problems

router = APIRouter(tags=["platform"])


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """200 while the process can answer."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems(503))
def is_ready(context: RequestContext) -> dict[str, str]:
    """200 while the database answers; 503 otherwise, and when this replica is stopping."""
    if context.stopping.is_set():
        raise Problem(status=503, detail="This replica is stopping.", headers={"Retry-After": "1"})
    try:
        context.database.ping()
    except SQLAlchemyError as error:
        raise Problem(
            status=503,
            detail=f"The database does not answer ({type(error).__name__}): is it up and reachable?",
            headers={"Retry-After": "5"},
        ) from error
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse)
def read_metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
