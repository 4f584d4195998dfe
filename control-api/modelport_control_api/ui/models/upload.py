"""Uploading: the form, and each step of a version on its way, live, with its log for users."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response
from modelport_crds.reasons import EXPLANATIONS, Reason
from modelport_environments.catalogue import ENVIRONMENTS, PLATFORM
from modelport_environments.choice import environment_of, own_of
from modelport_http.problem import Problem

from modelport_control_api.errors import InvalidFields
from modelport_control_api.http.bodies import loads
from modelport_control_api.http.client_wheel import wheel_path
from modelport_control_api.models import logs
from modelport_control_api.models.access import limit_uploads, namesakes
from modelport_control_api.models.retrying import retry
from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer
from modelport_control_api.registry.errors import ModelError
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.status_view import rollout_on
from modelport_control_api.ui.browser import address_of
from modelport_control_api.ui.forms import Form, read_values
from modelport_control_api.ui.models.steps import build_steps, is_held, trouble_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect
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
_CURED_BY_ANOTHER_TRY = (Reason.SAMPLE_INVALID, Reason.SAMPLE_FAILED, Reason.LIBRARY_MISMATCH)
# Of what an upload may be refused for: the page shows them where the response has the reason alone.
_CURES = {
    reason.value: explanation.cure
    for reason, explanation in EXPLANATIONS.items()
    if explanation.group == "Artifact"
}

_CHOSEN_BY_FILE = ("", "As the file needs it")
_ENVIRONMENTS = [(PLATFORM, "The platform's own libraries"), *((name, name) for name in ENVIRONMENTS)]


@dataclass(frozen=True, slots=True)
class Namesake:
    """A model that is called as the one to be made. `replaces`: its failed version, if it never served."""

    id: str
    status: str
    replaces: str | None


@router.get("/upload")
async def show_upload(visit: CurrentVisit, model: str | None = None, replaces: str | None = None) -> Response:
    """`model`: the one that gets a new version. `replaces`: its failed version, whose place that takes."""
    target = await visit.model(model) if model else None
    limit = visit.context.settings.max_upload_bytes
    # A version counts as its model's owner's.
    holder = target.owner_id if target and target.owner_id else visit.principal.user_id
    quota = await visit.services.holding(holder)
    return visit.page(
        "models/upload.html",
        target=target,
        replaced=_failed_of(target, replaces) if target and replaces else None,
        rollout=rollout_on(visit.services.statuses.get(target.id)) if target else None,
        max_bytes=limit,
        quota=quota,
        cures=_CURES,
        address=address_of(visit.request),
        wheel=wheel_path(),
        environments=[_CHOSEN_BY_FILE, *_ENVIRONMENTS],
        takes_requirements=visit.context.settings.own_requirements,
    )


@router.get("/upload/same-name")
async def show_same_name(visit: CurrentVisit, name: str = "") -> Response:
    """What the file may be instead of a new model, asked for while its name is typed."""
    wanted = name.strip()
    found = await namesakes(visit.services, visit.principal, wanted) if wanted.isprintable() else []
    others = [_namesake(visit.renderer.model(each)) for each in found]
    # One that failed at first is the likeliest to be meant.
    return visit.page("models/same_name.html", others=sorted(others, key=lambda each: not each.replaces))


@router.post("/models/{model_id}/versions/{version}/retry")
async def retry_version(visit: CurrentVisit, model_id: str, version: str) -> Response:
    """The page shows the steps of the version that takes its place, or what is wrong with the sample."""
    values = await read_values(visit.request)
    await limit_uploads(visit.request, visit.principal)
    try:
        sample = _sample_in(values)
        environment = values.get("environment") or None
        record = await retry(
            visit.services, visit.caller, model_id, version, sample=sample, environment=environment
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form = Form(values).refused_by(problem)
        return visit.page(
            "models/arrival.html", problem.status, **await _arrival(visit, model_id, version, form)
        )
    return redirect(visit.request, f"/ui/models/{model_id}/versions/{record.versions[-1].name}/arrival")


@router.get("/models/{model_id}/versions/{version}/arrival")
async def show_arrival(visit: CurrentVisit, model_id: str, version: str) -> Response:
    """The page that a browser is on while the version is on its way, and can be reloaded."""
    return visit.page("models/arrival.html", **await _arrival(visit, model_id, version))


@router.get("/models/{model_id}/versions/{version}/steps")
async def show_steps(visit: CurrentVisit, model_id: str, version: str) -> Response:
    return visit.page("models/steps.html", **await _arrival(visit, model_id, version))


async def _arrival(visit: Visit, model_id: str, name: str, form: Form | None = None) -> dict[str, Any]:
    """`form`: of another try, as it was refused."""
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    version = find_version(model, name)
    trouble = None if is_held(version) else trouble_of(version.reason, version.message)
    can_retry = version.status == "failed" and model.managed_by == "api"
    return {
        "retry": (form or Form(_another_try(version))) if can_retry else None,
        "environments": _environments_for(version),
        "retry_open": form is not None or version.reason in _CURED_BY_ANOTHER_TRY,
        "model": model,
        "version": version,
        "steps": build_steps(version, f"{size(version.size)}, sha256 {version.sha256[:12]}…"),
        "trouble": trouble,
        "is_held": is_held(version),
        "rollout": record.rollout if record.rollout and record.rollout.version == name else None,
        "log": await tail_of(visit, record, name, _TAIL_LINES) if trouble else "",
    }


def _environments_for(version: VersionAnswer) -> list[tuple[str, str]]:
    """Those that another try may be in: the one of its own requirements too."""
    if version.requirements is None or version.environment is None:
        return _ENVIRONMENTS
    return [(version.environment, "Its own requirements"), *_ENVIRONMENTS]


def _another_try(version: VersionAnswer) -> dict[str, str]:
    """Where its libraries were others than the file's: in the environment of those."""
    found = (version.libraries or {}).get("found", {}) if version.reason == Reason.LIBRARY_MISMATCH else {}
    kept = version.environment if version.requirements else None
    own = kept or own_of(found) or version.environment or environment_of(version.framework, found)
    return {"sample": _sample_text(version), "environment": own or PLATFORM}


def _namesake(model: ModelAnswer) -> Namesake:
    never_served = all(version.status == "failed" for version in model.versions)
    return Namesake(model.id, model.status, model.versions[-1].name if never_served else None)


def _failed_of(model: ModelAnswer, name: str) -> str | None:
    return next((each.name for each in model.versions if each.name == name and each.status == "failed"), None)


def _sample_in(values: dict[str, Any]) -> Any:
    """Raises InvalidFields."""
    text = str(values.get("sample") or "").strip()
    try:
        return loads(text) if text else None
    except ValueError as error:
        raise InvalidFields(("sample", f"is not JSON: {error}")) from error


def _sample_text(version: VersionAnswer) -> str:
    row = (version.sample or {}).get("input")
    return "" if row is None else json.dumps(row, ensure_ascii=False)


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
