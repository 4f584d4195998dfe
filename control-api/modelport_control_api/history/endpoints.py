"""The calls on stored predictions of docs/api.md. Only a model's owner has them, no administrator."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from modelport_crds.names import VERSION_NAME
from pydantic import AfterValidator, AwareDatetime
from starlette.responses import StreamingResponse

from modelport_control_api.history import render, service
from modelport_control_api.history.schemas import OUTCOMES, Filter, PredictionAnswer, PredictionPage
from modelport_control_api.history.service import PredictionNotFound
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.http.bodies import Line
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit, RequestContext
from modelport_control_api.http.principal import Principal, require
from modelport_control_api.http.responses import CREDENTIAL, Responses, never_stored, problems
from modelport_control_api.models.access import ChangingCaller

router = APIRouter(
    prefix="/api/v1/predictions",
    tags=["history"],
    dependencies=[Depends(never_stored)],
    responses=problems(*CREDENTIAL, 404),
)


_LAST_YEAR = 9000


def _check_outcome(outcome: str) -> str:
    if outcome not in OUTCOMES:
        raise ValueError("must be ok, error, or one of the reasons in docs/reasons.md")
    return outcome


def _check_moment(moment: datetime) -> datetime:
    # Further away, and in another time zone, it would be none in UTC.
    if not 1970 <= moment.year <= _LAST_YEAR:
        raise ValueError(f"must be from 1970 to {_LAST_YEAR}")
    return moment


def _check_id(prediction_id: str) -> str:
    """What cannot be an id is found nowhere; it never reaches the database."""
    try:
        return str(UUID(prediction_id))
    except ValueError as error:
        raise PredictionNotFound from error


Reader = Annotated[Principal, Depends(require("analytics:read"))]
ModelId = Annotated[Line, Query(min_length=1, max_length=127, description="Of one of your models.")]
Moment = Annotated[AwareDatetime, AfterValidator(_check_moment)]
Start = Annotated[Moment | None, Query(alias="from", description="The first moment.")]
End = Annotated[Moment | None, Query(alias="to", description="The first moment after.")]
Outcome = Annotated[
    Annotated[str, AfterValidator(_check_outcome)] | None,
    Query(description="ok, error (any), or one reason of docs/reasons.md."),
]
Version = Annotated[str | None, Query(pattern=f"^{VERSION_NAME}$")]


async def get_filter(
    start: Start = None, end: End = None, outcome: Outcome = None, version: Version = None
) -> Filter:
    """Collect the parameters, each checked already. A start after the end is no error: it finds nothing."""
    return Filter(start, end, outcome, version)


_CSV: Responses = {200: {"content": {"text/csv": {}}}}
Wanted = Annotated[Filter, Depends(get_filter)]


@router.get("", response_model=PredictionPage, responses=problems(422))
def list_predictions(
    model_id: ModelId,
    wanted: Wanted,
    principal: Reader,
    session: DbSession,
    *,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Response:
    """Requests to a model whose `history` is on and its responses, newest first."""
    found = service.list_page(session, principal, model_id, wanted, limit=limit, cursor=cursor)
    return _json(render.page(found))


@router.get("/export", response_class=StreamingResponse, responses={**problems(422), **_CSV})
def export(
    model_id: ModelId, wanted: Wanted, principal: Reader, context: RequestContext
) -> StreamingResponse:
    """The same as CSV, however much there is: `request` and `answer` are JSON in one cell each."""
    pages = service.export(context.database, principal, model_id, wanted)
    first = next(pages)

    def all_pages() -> Iterator[Sequence[KeptPrediction]]:
        yield first
        yield from pages

    headers = {"Content-Disposition": f'attachment; filename="{model_id}-predictions.csv"'}
    return StreamingResponse(render.lines(all_pages()), media_type="text/csv", headers=headers)


@router.get("/{prediction_id}", response_model=PredictionAnswer)
def read_prediction(prediction_id: str, principal: Reader, session: DbSession) -> Response:
    """One of them."""
    return _json(render.one(service.get(session, principal, _check_id(prediction_id))))


@router.delete("", status_code=204, response_class=Response, responses=problems(422))
def delete_predictions(model_id: ModelId, caller: ChangingCaller, context: RequestContext) -> None:
    """Forget all that was kept of a model."""
    service.delete_all(context.database, caller, model_id)


@router.delete("/{prediction_id}", status_code=204, response_class=Response)
def delete_prediction(prediction_id: str, caller: ChangingCaller, session: DbSession) -> None:
    """Forget one of them."""
    service.delete(session, caller, _check_id(prediction_id))


def _json(body: bytes) -> Response:
    # Given whole, so that nothing reads the bodies again to write them.
    return Response(body, media_type="application/json")
