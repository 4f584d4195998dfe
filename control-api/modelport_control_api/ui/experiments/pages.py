"""All experiments of a model, one that lives, and beginning and ending it."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from sqlalchemy.orm import Session

from modelport_control_api.experiments import asking
from modelport_control_api.experiments import endpoints as calls
from modelport_control_api.experiments.render import render_summary
from modelport_control_api.experiments.schemas import ExperimentSummary
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.registry.compatibility import SignatureChanged
from modelport_control_api.registry.status_view import heaviest
from modelport_control_api.ui.experiments import form as fields
from modelport_control_api.ui.experiments.view import (
    charts_of,
    comparisons_of,
    ends_of,
    is_over,
    metric_name,
)
from modelport_control_api.ui.forms import Form, read_values
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect

router = APIRouter(prefix="/ui/models/{model_id}/experiments", include_in_schema=False)


@router.get("")
async def show_experiments(visit: CurrentVisit, model_id: str) -> Response:
    model = await visit.model(model_id)
    found = await calls.all_of(visit.services, visit.principal, model_id)
    return visit.page(
        "experiments/list.html",
        **await header(visit, model, "experiments"),
        experiments=found,
        going=_going(found),
        may_start=len(_arms(model)) > 1 and model.managed_by == "api",
    )


@router.get("/new")
async def show_new(visit: CurrentVisit, model_id: str) -> Response:
    model = await visit.model(model_id)
    control = heaviest(model.traffic) or ""
    others = [name for name in _arms(model) if name != control]
    return await _new(visit, model, Form(fields.values_of(control, others[0] if others else "")))


@router.post("")
async def start(visit: CurrentVisit, model_id: str) -> Response:
    model, values = await visit.model(model_id), await read_values(visit.request)
    parsed = fields.parse(values)
    if parsed.body is None:
        return await _new(visit, model, parsed.form, status=422)
    wanted, live = parsed.body, visit.services.statuses.get(model_id)
    force = values.get("force") == "true"

    def begin(session: Session) -> ExperimentSummary:
        return render_summary(asking.start(session, visit.caller, model_id, wanted, live, force=force))

    try:
        begun = await visit.change(model_id, begin)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        refused, may_force = fields.refused(parsed.form, problem), isinstance(problem, SignatureChanged)
        return await _new(visit, model, refused, status=problem.status, may_force=may_force)
    there = f"/ui/models/{model_id}/experiments/{begun.id}"
    return redirect(visit.request, there, "The experiment begins.")


@router.get("/{number}")
async def show_experiment(visit: CurrentVisit, model_id: str, number: calls.Number) -> Response:
    model = await visit.model(model_id)
    seen = await header(visit, model, "experiments") | await _one(visit, model, number)
    return visit.page("experiments/experiment.html", **seen)


@router.get("/{number}/live")
async def show_live_experiment(visit: CurrentVisit, model_id: str, number: calls.Number) -> Response:
    model = await visit.model(model_id)
    return visit.page("experiments/experiment_live.html", **await _one(visit, model, number))


@router.post("/{number}/{step}")
async def end(
    visit: CurrentVisit, model_id: str, number: calls.Number, step: Literal["promote", "stop"]
) -> Response:
    values = await read_values(visit.request)
    live, there = visit.services.statuses.get(model_id), f"/ui/models/{model_id}/experiments/{number}"

    def ask(session: Session) -> str:
        if step == "stop":
            ended = asking.stop(session, visit.caller, model_id, number, live)
        else:
            version = values.get("version") or None
            ended = asking.promote(session, visit.caller, model_id, number, version=version, live=live)
        return ended.promoted or ""

    return await visit.steer(
        model_id, ask, there, lambda version: f"The experiment is over: {version} gets all traffic."
    )


def _going(experiments: list[ExperimentSummary]) -> ExperimentSummary | None:
    return next((each for each in experiments if not is_over(each)), None)


async def _one(visit: Visit, model: ModelAnswer, number: int) -> dict[str, Any]:
    found = await calls.one(visit.services, visit.principal, model.id, number)
    return {
        "model": model,
        "read_only": model.managed_by == "kubectl",
        "shown": found,
        "is_over": is_over(found),
        "goal": metric_name(found.goal.metric),
        "comparisons": comparisons_of(found),
        "charts": charts_of(found),
        "ends": ends_of(found),
    }


async def _new(
    visit: Visit, model: ModelAnswer, form: Form, status: int = 200, *, may_force: bool = False
) -> Response:
    return visit.page(
        "experiments/new.html",
        status,
        **await header(visit, model, "experiments"),
        form=form,
        may_force=may_force or form.values.get("force") == "true",
        going=_going(await calls.all_of(visit.services, visit.principal, model.id)),
        arms=[(name, name) for name in _arms(model)],
        metrics=list(fields.METRICS.items()),
        units=list(fields.UNITS.items()),
    )


def _arms(model: ModelAnswer) -> list[str]:
    """Return the versions that could share the traffic."""
    return [each.name for each in model.versions if each.status in ("ready", "degraded")]
