"""The calls on rollouts of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session

from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import ChangingCaller, Models, Reader, load_model
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import guarded
from modelport_control_api.registry.errors import RolloutNotFound
from modelport_control_api.registry.guarded import Step
from modelport_control_api.registry.records import RolloutRecord
from modelport_control_api.rollouts.render import render, render_outside
from modelport_control_api.rollouts.schemas import RolloutAnswer, RolloutList, RolloutStart

router = APIRouter(
    prefix="/api/v1/models/{model_id}/rollouts",
    tags=["rollouts"],
    route_class=StrictJsonRoute,
    responses=problems(*CREDENTIAL, 404),
)

Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.post("", status_code=201, responses=problems(*JSON_BODY, 409))
async def start_rollout(
    model_id: str, wanted: RolloutStart, response: Response, caller: ChangingCaller, services: Models
) -> RolloutAnswer:
    """Move the traffic to a version step by step, as far as what is measured allows.

    It is compared with what serves now on copies of requests, then gets a growing share of them; it is
    promoted, or rolled back, by tests that hold at every look.
    """
    live, strategy = services.statuses.get(model_id), wanted.strategy.wanted()
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: guarded.start(
                session, caller, model_id, wanted.version, strategy=strategy, live=live
            )
        )
    response.headers["Location"] = f"/api/v1/models/{model_id}/rollouts/{record.number}"
    return render(record, live)


@router.get("")
async def list_rollouts(model_id: str, principal: Reader, services: Models) -> RolloutList:
    """All of the model, the newest first."""
    return RolloutList(items=await all_of(services, principal, model_id))


@router.get("/{number}", responses=problems(422))
async def read_rollout(model_id: str, number: Number, principal: Reader, services: Models) -> RolloutAnswer:
    """Where it stands, or how it ended."""
    found = await all_of(services, principal, model_id)
    for each in found:
        if each.id == number:
            return each
    raise RolloutNotFound(f"The model has no rollout {number}.")


@router.post("/{number}/{step}", responses=problems(409, 422))
async def steer_rollout(
    model_id: str, number: Number, step: Step, caller: ChangingCaller, services: Models
) -> RolloutAnswer:
    """Pause it where it stands, resume it, or end it: promoted, rolled back, or cancelled."""
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: guarded.steer(session, caller, model_id, number, step=step, live=live)
        )
    return render(record, live)


async def all_of(services: ModelsServices, principal: Principal, model_id: str) -> list[RolloutAnswer]:
    """Return all of the model, the newest first. Raises ModelNotFound."""
    model = await load_model(services, principal, model_id)
    live = services.statuses.get(model_id)
    if model.managed_by == "kubectl":
        outside = render_outside(live) if live else None
        return [outside] if outside else []

    def read(session: Session) -> list[RolloutRecord]:
        return guarded.list_all(session, model_id)

    return [render(record, live) for record in await services.transactions.read(read)]
