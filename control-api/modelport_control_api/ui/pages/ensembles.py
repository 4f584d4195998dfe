"""Joining versions to be one: the form, and the model that comes of it."""

import json
import os
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from modelport_formats.ensembles.manifest import JOINS
from modelport_http.problem import Problem

from modelport_control_api.errors import InvalidFields
from modelport_control_api.models.access import limit_uploads, members_of
from modelport_control_api.models.ensembles.request import FIELD, member_of
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.forms import Form, read_values
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect
from modelport_control_api.uploads.form import ReceivedUpload

router = APIRouter(prefix="/ui", include_in_schema=False)
_JOIN_WORDS = {
    "vote": "Vote: the class that most of them predict",
    "average": "Average: the mean of their numbers, or of their probabilities",
    "chain": "Chain: each gets what the one before it predicted",
    "stack": "Stack: one more model predicts of what they gave",
}


@router.get("/ensemble")
async def show_form(visit: CurrentVisit) -> Response:
    return await _page(visit, Form({"join": "vote"}))


@router.post("/ensemble")
async def make(visit: CurrentVisit) -> Response:
    """The page shows the steps of the version, or what is wrong with the form."""
    values = await read_values(visit.request)
    await limit_uploads(visit.request, visit.principal)
    try:
        record = await _made(visit, values)
    except Problem as problem:
        if problem.status not in (409, 413, 422):
            raise
        return await _page(visit, _refused(values, problem), problem.status)
    version = record.versions[-1].name
    return redirect(visit.request, f"/ui/models/{record.id}/versions/{version}/arrival")


async def _page(visit: Visit, form: Form, status: int = 200) -> Response:
    models, _ = await visit.newest()
    ours = [each for each in models if each.managed_by == "api"]
    return visit.page(
        "models/ensemble.html",
        status,
        form=form,
        models=ours,
        joins=[(join, _JOIN_WORDS[join]) for join in JOINS],
    )


async def _made(visit: Visit, values: dict[str, Any]) -> ModelRecord:
    services = visit.services
    await services.require_quota(visit.principal.user_id, models=1)
    texts = {"name": values.get("name", ""), "sample": values.get("sample", "").strip()}
    received = ReceivedUpload(Path(os.devnull), "", 0, texts | {FIELD: json.dumps(_ensemble(values))})
    most = visit.context.settings.max_upload_bytes
    async with services.uploads.staged(received, most, members_of(services, visit.principal)) as staged:
        return await services.uploads.commit(
            staged, lambda session: staged.make_model(session, visit.caller, services.limits)
        )


def _ensemble(values: dict[str, Any]) -> dict[str, Any]:
    """Return what the form says, as the API takes it: most of what is wrong with it is said there."""
    members: list[dict[str, Any]] = [dict(member_of(line)) for line in _lines(values)]
    weights = [each.strip() for each in values.get("weights", "").split(",") if each.strip()]
    if weights and len(weights) != len(members):
        raise InvalidFields(("weights", "must be a number for each member, such as 2, 1"))
    for member, weight in zip(members, weights, strict=False):
        member["weight"] = weight
    final = values.get("final", "").strip()
    told: dict[str, Any] = {"join": values.get("join"), "members": members}
    told |= {"final": member_of(final)} if final else {}
    return told | ({"passthrough": True} if values.get("passthrough") else {})


def _lines(values: dict[str, Any]) -> list[str]:
    return [line for line in values.get("members", "").splitlines() if line.strip()]


def _refused(values: dict[str, Any], problem: Problem) -> Form:
    """The same form with each error at its field; of a member with the line that is meant."""
    form = Form(values).refused_by(problem)
    lines, errors = _lines(values), dict[str, str]()
    for field, message in form.errors.items():
        top, _, rest = field.removeprefix(f"{FIELD}.").partition("[")
        place = rest.partition("]")[0]
        is_weight = top == "members" and field.endswith(".weight")
        name = "weights" if is_weight else top.partition(".")[0]
        is_line = place.isdigit() and int(place) < len(lines)
        line = f"have {lines[int(place)].strip()}, which " if is_line else ""
        errors.setdefault("members" if name == FIELD else name, f"{line}{message}")
    return Form(values, errors, form.error)
