"""A model's settings, checked as the API checks them, and its deletion."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from sqlalchemy.orm import Session

from modelport_control_api.models.schemas import ModelAnswer, ModelChange
from modelport_control_api.registry import service
from modelport_control_api.ui.forms import Form, parse, read_values
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect

router = APIRouter(prefix="/ui/models/{model_id}", include_in_schema=False)
_PLAIN = ("name", "description", "access", "timeout_seconds", "acceleration")
CONFIRMATION = "must be the model's name, letter by letter"
GOING_PUBLIC = (
    "Not saved yet: everyone who knows the model's address could call it, without an account or a key, and "
    "nobody could tell who it was. Choose the limit for each caller below with that in mind."
)


@router.get("/settings")
async def show_settings(visit: CurrentVisit, model_id: str) -> Response:
    model = await visit.model(model_id)
    return await _page(visit, model, Form(values_of(model)))


@router.post("/settings")
async def change_settings(visit: CurrentVisit, model_id: str) -> Response:
    model, values = await visit.model(model_id), await read_values(visit.request)
    parsed = parse(ModelChange, change_of(values), shown=values)
    if parsed.body is None:
        return await _page(visit, model, parsed.form, status=422)
    if parsed.body.access == "public" != model.access and values.get("confirm_public") != "true":
        form = Form(values, {"confirm_public": GOING_PUBLIC})
        return await _page(visit, model, form, status=422)
    changes = parsed.body.changes()
    try:
        await visit.change(
            model_id, lambda session: service.change_model(session, visit.caller, model_id, changes)
        )
    except Problem as problem:
        return await _page(visit, model, parsed.form.refused_by(problem), status=problem.status)
    return redirect(visit.request, f"/ui/models/{model_id}/settings", "Saved.")


@router.post("/delete")
async def delete_model(visit: CurrentVisit, model_id: str) -> Response:
    model, values = await visit.model(model_id), await read_values(visit.request)
    if values.get("confirm_name") != model.name:
        form = Form(values_of(model), {"confirm_name": CONFIRMATION})
        return await _page(visit, model, form, status=422)

    def delete(session: Session) -> set[str]:
        return service.delete_model(session, visit.caller, model_id)

    digests = await visit.change(model_id, delete)
    await visit.services.keeper.discard(digests)
    return redirect(visit.request, "/ui/models", f"{model.name} is deleted.")


def values_of(model: ModelAnswer) -> dict[str, str]:
    """The settings as the form's fields hold them."""
    limit, history, feedback = model.rate_limit, model.history, model.feedback
    values = {
        "name": model.name,
        "description": model.description,
        "tags": ", ".join(model.tags),
        "access": model.access,
        "cache_ttl_seconds": model.cache_ttl_seconds,
        "rate_limit.requests": limit.requests if limit else None,
        "rate_limit.period_seconds": limit.period_seconds if limit else 60,
        "timeout_seconds": model.timeout_seconds,
        "acceleration": model.acceleration,
        "sticky": model.sticky,
        "history.percent": history.percent if history else None,
        "history.retention_days": history.retention_days if history else None,
        "history.redact_fields": ", ".join(history.redact_fields) if history else "",
        "feedback.percent": feedback.percent if feedback else None,
        "feedback.retention_days": feedback.retention_days if feedback else None,
        "feedback.id_field": feedback.id_field if feedback else None,
        **{f"data_drift.{name}": value for name, value in model.data_drift.model_dump().items()},
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def change_of(values: Mapping[str, str]) -> dict[str, Any]:
    """The form's fields as the body of PATCH. What turns a thing on decides: empty is off."""
    change: dict[str, Any] = {name: values[name] for name in _PLAIN if name in values}
    if "tags" in values:
        change["tags"] = _listed(values["tags"])
    change["cache_ttl_seconds"] = values.get("cache_ttl_seconds") or None
    change["sticky"] = values.get("sticky") or None
    limit, history = _group(values, "rate_limit"), _group(values, "history")
    change["rate_limit"] = limit if limit.get("requests") else None
    if "redact_fields" in history:
        history["redact_fields"] = _listed(history["redact_fields"])
    change["history"] = history if history.get("percent") else None
    feedback = _group(values, "feedback")
    change["feedback"] = feedback if feedback.get("percent") else None
    change["data_drift"] = _group(values, "data_drift")
    return change


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _group(values: Mapping[str, str], group: str) -> dict[str, Any]:
    """The fields `group.…` that were filled in."""
    prefix = f"{group}."
    return {
        name.removeprefix(prefix): text for name, text in values.items() if name.startswith(prefix) and text
    }


async def _page(visit: Visit, model: ModelAnswer, form: Form, status: int = 200) -> Response:
    return visit.page("models/settings.html", status, **await header(visit, model, "settings"), form=form)
