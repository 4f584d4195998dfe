"""A model's versions: what each is, their logs, and who gets the requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Response
from modelport_crds.mlmodel import MLModel
from modelport_http.problem import Problem
from sqlalchemy.orm import Session

from modelport_control_api.http.responses import Compatibility
from modelport_control_api.models import logs
from modelport_control_api.models.render import shown_difference
from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer
from modelport_control_api.registry import repository, service, traffic, version_deletion
from modelport_control_api.registry.compatibility import SignatureChanged, difference
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.status_view import heaviest, rollout_on, served_traffic
from modelport_control_api.ui.forms import read_values
from modelport_control_api.ui.models.detail import candidates, header
from modelport_control_api.ui.models.shares import observed_shares
from modelport_control_api.ui.models.steps import Trouble, is_held, trouble_of
from modelport_control_api.ui.models.upload import find_version, tail_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect

router = APIRouter(prefix="/ui/models/{model_id}", include_in_schema=False)
_SANDBOX_WORDS = {
    2: "Isolated: files and system calls are both confined",
    1: "Partly isolated: this machine confines either files or system calls",
    0: "Not isolated: this machine cannot confine model code",
}
_SHORT_LOG, _LONG_LOG = 200, logs.MAX_LINES


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    found: str | None
    here: str | None

    @property
    def differs(self) -> bool:
        return None not in (self.found, self.here) and self.found != self.here


@dataclass(frozen=True, slots=True)
class VersionCard:
    """A version as its card shows it. `difference`: from the one that serves; None: it serves, or cannot."""

    version: VersionAnswer
    trouble: Trouble | None
    libraries: tuple[Library, ...]
    sandbox: str
    sandbox_detail: str
    difference: Compatibility | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Shares that were asked for and not given. No `differences`: they can never be."""

    message: str
    weights: Mapping[str, int] = field(default_factory=dict)
    differences: Mapping[str, Compatibility] = field(default_factory=dict)


@router.get("/versions")
async def show_versions(visit: CurrentVisit, model_id: str) -> Response:
    return visit.page("models/versions.html", **await _seen(visit, model_id))


@router.get("/versions/live")
async def show_live_part(visit: CurrentVisit, model_id: str) -> Response:
    return visit.page("models/versions_live.html", **await _cards(visit, await visit.model(model_id)))


@router.post("/versions/{version}/delete")
async def delete_version(visit: CurrentVisit, model_id: str, version: str) -> Response:
    live = visit.services.statuses.get(model_id)
    there = f"/ui/models/{model_id}/versions"

    def delete(session: Session) -> set[str]:
        return version_deletion.delete_version(session, visit.caller, model_id, version, live)

    try:
        digests = await visit.change(model_id, delete)
    except Problem as problem:
        if problem.status != 409:
            raise
        return redirect(visit.request, there, problem.detail, "bad")
    await visit.services.keeper.discard(digests)
    return redirect(visit.request, there, f"{version} and its file are deleted.")


@router.post("/traffic")
async def set_traffic(visit: CurrentVisit, model_id: str) -> Response:
    """Fields are versions, values percent; `force`: also to versions that lack what callers depend on."""
    values = await read_values(visit.request)
    force = bool(values.pop("force", ""))
    live = visit.services.statuses.get(model_id)
    weights: dict[str, int] = {}

    def change(session: Session) -> ModelRecord:
        return traffic.set_traffic(session, visit.caller, model_id, weights, live, force=force)

    try:
        weights |= _weights(values)
        await visit.change(model_id, change)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        seen = await _seen(visit, model_id, refused=_refused(problem, weights))
        return visit.page("models/versions.html", problem.status, **seen)
    shares = ", ".join(f"{weight} % to {name}" for name, weight in weights.items() if weight)
    return redirect(visit.request, f"/ui/models/{model_id}/versions", f"Traffic goes {shares}.")


def _refused(problem: Problem, weights: Mapping[str, int]) -> Refused:
    if not isinstance(problem, SignatureChanged):
        return Refused(problem.detail)
    differences = {name: shown_difference(found) for name, found in problem.differences.items()}
    return Refused(problem.detail, {name: share for name, share in weights.items() if share}, differences)


@router.post("/rollback")
async def roll_back(visit: CurrentVisit, model_id: str) -> Response:
    live = visit.services.statuses.get(model_id)

    def change(session: Session) -> ModelRecord:
        return traffic.roll_back(session, visit.caller, model_id, live)

    record = await visit.change(model_id, change)
    shares = ", ".join(f"{weight} % to {name}" for name, weight in record.traffic.items())
    return redirect(visit.request, f"/ui/models/{model_id}/versions", f"Rolled back: traffic goes {shares}.")


@router.post("/redeploy")
async def redeploy(visit: CurrentVisit, model_id: str) -> Response:
    await visit.change(model_id, lambda session: service.redeploy(session, visit.caller, model_id))
    return redirect(
        visit.request, f"/ui/models/{model_id}", "The model is being published to the cluster again."
    )


@router.get("/versions/{version}/logs")
async def show_logs(visit: CurrentVisit, model_id: str, version: str, batch: bool = False) -> Response:
    """`batch`: of the pods that do its batch jobs."""
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    context = await header(visit, model, "versions") | {
        "version": find_version(model, version),
        "batch": batch,
    }
    log = await tail_of(visit, record, version, _SHORT_LOG, batch=batch)
    return visit.page("models/logs.html", **context, log=log)


@router.get("/versions/{version}/logs/live")
async def show_log_tail(visit: CurrentVisit, model_id: str, version: str, batch: bool = False) -> Response:
    record = await visit.record(model_id)
    find_version(visit.renderer.model(record), version)
    log = await tail_of(visit, record, version, _SHORT_LOG, batch=batch)
    return visit.page("models/logs_live.html", log=log)


async def _seen(visit: Visit, model_id: str, refused: Refused | None = None) -> dict[str, Any]:
    model = await visit.model(model_id)
    return {
        **await header(visit, model, "versions"),
        **await _cards(visit, model),
        "ready": [version for version in model.versions if version.status == "ready"],
        "previous_traffic": await _previous_traffic(visit, model),
        "refused": refused,
    }


async def _cards(visit: Visit, model: ModelAnswer) -> dict[str, Any]:
    """What `models/versions_live.html` needs, which polls."""
    live = visit.services.statuses.get(model.id)
    return {
        "model": model,
        "read_only": model.managed_by == "kubectl",
        "cards": [card_of(version, live) for version in reversed(model.versions)],
        "rollout": rollout_on(live),
        "candidates": {each.name for each in candidates(model)} if not _has_rollout(live) else set(),
        # Of one version both are everything.
        "observed": await observed_shares(visit, model) if len(model.versions) > 1 else None,
        "is_held": is_held,
        "is_pending": any(version.status == "pending" for version in model.versions)
        or model.status == "pending",
    }


def _has_rollout(live: MLModel | None) -> bool:
    return live is not None and (live.spec.rollout is not None or rollout_on(live) is not None)


def card_of(version: VersionAnswer, live: MLModel | None) -> VersionCard:
    """Return the card. A version that is ready has no trouble, whatever its reason."""
    sandbox = version.sandbox or {}
    return VersionCard(
        version,
        trouble_of(version.reason, version.message) if version.status != "ready" else None,
        _libraries(version.libraries or {}),
        _SANDBOX_WORDS.get(sandbox.get("level", -1), "Known once it has loaded"),
        str(sandbox.get("detail") or ""),
        _difference(version, live),
    )


def _difference(version: VersionAnswer, live: MLModel | None) -> Compatibility | None:
    baseline = heaviest(served_traffic(live))
    if baseline is None or version.traffic or version.status != "ready":
        return None
    return shown_difference(difference(version.name, baseline, live))


def _libraries(reported: dict[str, Any]) -> tuple[Library, ...]:
    found, here = reported.get("found") or {}, reported.get("here") or {}
    names = [*found, *(name for name in here if name not in found)]
    return tuple(Library(name, found.get(name), here.get(name)) for name in names)


async def _previous_traffic(visit: Visit, model: ModelAnswer) -> dict[str, int] | None:
    def read(session: Session) -> dict[str, int] | None:
        row = repository.find(session, model.id)
        return dict(row.previous_traffic) if row is not None and row.previous_traffic else None

    return await visit.services.transactions.read(read)


def _weights(values: dict[str, Any]) -> dict[str, int]:
    """Raises a 422 problem."""
    try:
        return {name: int(value or 0) for name, value in values.items()}
    except ValueError as error:
        raise Problem(status=422, detail="Each share must be a whole number from 0 to 100.") from error
