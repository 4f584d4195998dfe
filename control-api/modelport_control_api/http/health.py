"""What monitoring queries of the process: is it up, can it do its work, how long do its calls take."""

import time

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelport_control_api.http.context import RequestContext
from modelport_control_api.http.responses import problems

REQUEST_SECONDS = Histogram(
    "modelport_control_api_request_seconds", "Time to respond to a call", ["method", "route", "status"]
)


class MetricsMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "unknown")
                REQUEST_SECONDS.labels(scope["method"], route, message["status"]).observe(
                    time.perf_counter() - started
                )
            await send(message)

        await self.app(scope, receive, noting_send)


router = APIRouter(tags=["platform"])


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """200 while the process can respond."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems(503))
def is_ready(context: RequestContext) -> dict[str, str]:
    """200 while the database responds; 503 otherwise, and when this replica is stopping."""
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
