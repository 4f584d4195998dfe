"""The calls on experiments of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from modelport_control_api.experiments import asking
from modelport_control_api.experiments.render import render, render_summary
from modelport_control_api.experiments.schemas import (
    ExperimentAnswer,
    ExperimentList,
    ExperimentStart,
    ExperimentSummary,
    Promotion,
)
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import ChangingCaller, Models, Reader, load_model
from modelport_control_api.models.wiring import ModelsServices

router = APIRouter(
    prefix="/api/v1/models/{model_id}/experiments",
    tags=["experiments"],
    route_class=StrictJsonRoute,
    responses=problems(*CREDENTIAL, 404),
)

Number = Annotated[int, Path(ge=1, lt=2**31)]
Force = Annotated[bool, Query(description="Also versions that lack what callers depend on.")]


@router.post("", status_code=201, responses=problems(*JSON_BODY, 409))
async def start_experiment(
    *,
    model_id: str,
    wanted: ExperimentStart,
    response: Response,
    caller: ChangingCaller,
    services: Models,
    force: Force = False,
) -> ExperimentAnswer:
    """Share the traffic between versions, and find out by feedback which does better.

    Each session, or caller, stays on one version, and is counted once; predictions are kept for feedback.
    A winner is named once an interval that holds at every look says so, and `min_days` have passed.
    A version that gets no requests now and lacks what callers depend on is refused (`SignatureChanged`, with
    `differences`), unless `force=true`.
    """
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        answer = await services.transactions.write(
            lambda session: render(asking.start(session, caller, model_id, wanted, live, force=force))
        )
    response.headers["Location"] = f"/api/v1/models/{model_id}/experiments/{answer.id}"
    return answer


@router.get("")
async def list_experiments(model_id: str, principal: Reader, services: Models) -> ExperimentList:
    """All of the model, the newest first."""
    return ExperimentList(items=await all_of(services, principal, model_id))


@router.get("/{number}", responses=problems(422))
async def read_experiment(
    model_id: str, number: Number, principal: Reader, services: Models
) -> ExperimentAnswer:
    """Its evidence and verdict, and how the intervals came to be."""
    return await one(services, principal, model_id, number)


@router.post("/{number}/promote", responses=problems(*JSON_BODY, 409))
async def promote_experiment(
    model_id: str,
    number: Number,
    caller: ChangingCaller,
    services: Models,
    wanted: Promotion | None = None,
) -> ExperimentAnswer:
    """End it: the winner has all traffic, or the version that is named."""
    live, version = services.statuses.get(model_id), wanted.version if wanted else None
    with services.reader.changing(caller.principal, model_id):
        return await services.transactions.write(
            lambda session: render(
                asking.promote(session, caller, model_id, number, version=version, live=live)
            )
        )


@router.post("/{number}/stop", responses=problems(409, 422))
async def stop_experiment(
    model_id: str, number: Number, caller: ChangingCaller, services: Models
) -> ExperimentAnswer:
    """End it: the control has all traffic."""
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        return await services.transactions.write(
            lambda session: render(asking.stop(session, caller, model_id, number, live))
        )


async def all_of(services: ModelsServices, principal: Principal, model_id: str) -> list[ExperimentSummary]:
    """Return all of the model, the newest first. Raises ModelNotFound."""
    await load_model(services, principal, model_id)

    def read(session: Session) -> list[ExperimentSummary]:
        return [render_summary(each) for each in asking.list_all(session, model_id)]

    return await services.transactions.read(read)


async def one(services: ModelsServices, principal: Principal, model_id: str, number: int) -> ExperimentAnswer:
    """Raises ModelNotFound, ExperimentNotFound."""
    await load_model(services, principal, model_id)

    def read(session: Session) -> ExperimentAnswer:
        return render(asking.find(session, model_id, number))

    return await services.transactions.read(read)
