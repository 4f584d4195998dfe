"""The calls on rollouts of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from modelport_crds.mlmodel import MLModel
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
from modelport_control_api.rollouts.counted import by_step, worst
from modelport_control_api.rollouts.render import render, render_outside
from modelport_control_api.rollouts.schemas import RolloutAnswer, RolloutDetail, RolloutList, RolloutStart
from modelport_control_api.usage.evidence import Counts

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
async def read_rollout(model_id: str, number: Number, principal: Reader, services: Models) -> RolloutDetail:
    """Where it stands, or how it ended, with what was counted."""
    return await one_of(services, principal, model_id, number)


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
        return _outside(live)

    def read(session: Session) -> list[RolloutRecord]:
        return guarded.list_all(session, model_id)

    return [render(record, live) for record in await services.transactions.read(read)]


async def one_of(services: ModelsServices, principal: Principal, model_id: str, number: int) -> RolloutDetail:
    """Return it with what was counted, which is for the model's owner alone.

    Raises ModelNotFound, RolloutNotFound.
    """
    model = await load_model(services, principal, model_id)
    live = services.statuses.get(model_id)
    of_kubectl = model.managed_by == "kubectl"

    def read(session: Session) -> tuple[RolloutRecord | None, Counts]:
        record = None if of_kubectl else guarded.find(session, model_id, number)
        return record, guarded.counts_of(session, model_id, number)

    record, counts = await services.transactions.read(read)
    found = render(record, live) if record else _outside_of(live, number)
    is_owner = model.owner_id == principal.user_id
    return RolloutDetail(
        **dict(found),
        evidence=by_step(counts) if is_owner else None,
        worst_segments=worst(counts) if is_owner else None,
    )


def _outside(live: MLModel | None) -> list[RolloutAnswer]:
    found = render_outside(live) if live else None
    return [found] if found else []


def _outside_of(live: MLModel | None, number: int) -> RolloutAnswer:
    for each in _outside(live):
        if each.id == number:
            return each
    raise RolloutNotFound(f"The model has no rollout {number}.")
