"""All rollouts of a model, one that lives, and starting and steering it."""

from typing import Any

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from sqlalchemy.orm import Session

from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.registry import guarded
from modelport_control_api.registry.guarded import Step
from modelport_control_api.registry.records import RolloutRecord
from modelport_control_api.rollouts import endpoints as calls
from modelport_control_api.rollouts.schemas import RolloutDetail, Strategy
from modelport_control_api.ui.forms import Form, read_values
from modelport_control_api.ui.models.detail import candidates, header
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect
from modelport_control_api.ui.rollouts import form as fields
from modelport_control_api.ui.rollouts.view import guardrails_of, is_over, steps_of

router = APIRouter(prefix="/ui/models/{model_id}/rollouts", include_in_schema=False)
_DONE = {
    "pause": "It stays where it is until it is resumed.",
    "resume": "It goes on.",
    "promote": "It is being promoted.",
    "rollback": "It is being rolled back.",
    "cancel": "It is being cancelled.",
}


@router.get("")
async def show_rollouts(visit: CurrentVisit, model_id: str) -> Response:
    model = await visit.model(model_id)
    seen = await header(visit, model, "rollouts") | await _all(visit, model)
    return visit.page("rollouts/list.html", **seen)


@router.get("/live")
async def show_live_list(visit: CurrentVisit, model_id: str) -> Response:
    return visit.page("rollouts/list_live.html", **await _all(visit, await visit.model(model_id)))


@router.get("/new")
async def show_new(visit: CurrentVisit, model_id: str, version: str = "") -> Response:
    """`version`: the one that is chosen at first."""
    model = await visit.model(model_id)
    return await _new(visit, model, Form(fields.values_of(version, Strategy())))


@router.post("")
async def start(visit: CurrentVisit, model_id: str) -> Response:
    model, values = await visit.model(model_id), await read_values(visit.request)
    parsed = fields.parse(values)
    if parsed.body is None:
        return await _new(visit, model, parsed.form, status=422)
    version, strategy = parsed.body.version, parsed.body.strategy.wanted()
    live = visit.services.statuses.get(model_id)

    def begin(session: Session) -> RolloutRecord:
        return guarded.start(session, visit.caller, model_id, version, strategy=strategy, live=live)

    try:
        record = await visit.change(model_id, begin)
    except Problem as problem:
        if problem.status != 409:
            raise
        return await _new(visit, model, parsed.form.refused_by(problem), status=409)
    there = f"/ui/models/{model_id}/rollouts/{record.number}"
    return redirect(visit.request, there, f"The rollout of {version} begins.")


@router.get("/{number}")
async def show_rollout(visit: CurrentVisit, model_id: str, number: calls.Number) -> Response:
    model = await visit.model(model_id)
    seen = await header(visit, model, "rollouts") | await _one(visit, model, number)
    return visit.page("rollouts/rollout.html", **seen)


@router.get("/{number}/live")
async def show_live_rollout(visit: CurrentVisit, model_id: str, number: calls.Number) -> Response:
    model = await visit.model(model_id)
    return visit.page("rollouts/rollout_live.html", **await _one(visit, model, number))


@router.post("/{number}/{step}")
async def steer(visit: CurrentVisit, model_id: str, number: calls.Number, step: Step) -> Response:
    live, there = visit.services.statuses.get(model_id), f"/ui/models/{model_id}/rollouts/{number}"

    def ask(session: Session) -> RolloutRecord:
        return guarded.steer(session, visit.caller, model_id, number, step=step, live=live)

    return await visit.steer(model_id, ask, there, lambda _: _DONE[step])


async def _all(visit: Visit, model: ModelAnswer) -> dict[str, Any]:
    found = await calls.all_of(visit.services, visit.principal, model.id)
    return {
        "model": model,
        "read_only": model.managed_by == "kubectl",
        "rollouts": found,
        "going": any(not is_over(each) for each in found),
        "may_start": bool(candidates(model)) and model.managed_by == "api",
        "is_over": is_over,
    }


async def _one(visit: Visit, model: ModelAnswer, number: int) -> dict[str, Any]:
    found: RolloutDetail = await calls.one_of(visit.services, visit.principal, model.id, number)
    return {
        "model": model,
        "read_only": model.managed_by == "kubectl",
        "shown": found,
        "is_over": is_over(found),
        "steps": steps_of(found),
        "guardrails": guardrails_of(found),
    }


async def _new(visit: Visit, model: ModelAnswer, form: Form, status: int = 200) -> Response:
    return visit.page(
        "rollouts/new.html",
        status,
        **await header(visit, model, "rollouts"),
        form=form,
        candidates=[(each.name, each.name) for each in candidates(model)],
    )
