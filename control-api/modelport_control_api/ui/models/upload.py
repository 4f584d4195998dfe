"""Uploading: the form, and each step of a version on its way, live, with its log for users."""

import json
from typing import Any

from fastapi import APIRouter, Response
from modelport_crds.reasons import EXPLANATIONS
from modelport_http.problem import Problem

from modelport_control_api.models import logs
from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer
from modelport_control_api.registry.errors import ModelError
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.models.steps import build_steps, is_held, trouble_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.shown import size

_TRACE = "trace"
_HEAD = ("time", "level", "event")
_CLOCK = slice(11, 19)


def readable(log: str) -> str:
    """What the model's code printed stays as it is."""
    return "\n".join(_readable_line(line) for line in log.splitlines())


def _readable_line(line: str) -> str:
    entry = _entry(line)
    if entry is None:
        return line
    words = [str(entry.get("time", ""))[_CLOCK], str(entry.get("level", "")), str(entry["event"])]
    reported = ((name, value) for name, value in entry.items() if name not in (*_HEAD, _TRACE))
    words += [f"{name}={value}" for name, value in reported if value not in ("", None)]
    head = " ".join(word for word in words if word)
    trace = str(entry.get(_TRACE) or "").rstrip()
    return f"{head}\n{trace}" if trace else head


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


router = APIRouter(prefix="/ui", include_in_schema=False)
_TAIL_LINES = 40
# Of what an upload may be refused for: the page shows them where the response has the reason alone.
_CURES = {
    reason.value: explanation.cure
    for reason, explanation in EXPLANATIONS.items()
    if explanation.group == "Artifact"
}


@router.get("/upload")
async def show_upload(visit: CurrentVisit, model: str | None = None) -> Response:
    """`model`: the one that gets a new version."""
    target = await visit.model(model) if model else None
    limit = visit.context.settings.max_upload_bytes
    # A version counts as its model's owner's.
    holder = target.owner_id if target and target.owner_id else visit.principal.user_id
    quota = await visit.services.holding(holder)
    return visit.page("models/upload.html", target=target, max_bytes=limit, quota=quota, cures=_CURES)


@router.get("/models/{model_id}/versions/{version}/arrival")
async def show_arrival(visit: CurrentVisit, model_id: str, version: str) -> Response:
    """The page that a browser is on while the version is on its way, and can be reloaded."""
    return visit.page("models/arrival.html", **await _arrival(visit, model_id, version))


@router.get("/models/{model_id}/versions/{version}/steps")
async def show_steps(visit: CurrentVisit, model_id: str, version: str) -> Response:
    return visit.page("models/steps.html", **await _arrival(visit, model_id, version))


async def _arrival(visit: Visit, model_id: str, name: str) -> dict[str, Any]:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    version = find_version(model, name)
    trouble = None if is_held(version) else trouble_of(version.reason, version.message)
    return {
        "model": model,
        "version": version,
        "steps": build_steps(version, f"{size(version.size)}, sha256 {version.sha256[:12]}…"),
        "trouble": trouble,
        "is_held": is_held(version),
        "log": await tail_of(visit, record, name, _TAIL_LINES) if trouble else "",
    }


def find_version(model: ModelAnswer, name: str) -> VersionAnswer:
    """Raises a 404 problem."""
    for version in model.versions:
        if version.name == name:
            return version
    raise Problem(status=404, detail=f"The model has no version {name}.")


async def tail_of(visit: Visit, record: ModelRecord, version: str, lines: int, *, batch: bool = False) -> str:
    """The end of what the version printed; where it cannot be read, why. `batch`: of its batch pods."""
    services = visit.services
    kept = "" if batch else services.reader.look(record).last_log(version)
    try:
        text = await logs.read_logs(
            services.cluster, services.namespace, record.id, version, tail_lines=lines, kept=kept, batch=batch
        )
    except ModelError as error:
        return str(error)
    return readable(text)
