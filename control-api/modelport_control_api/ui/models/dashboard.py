"""The first page: how the models do, and what happened lately, the audit log as sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.analytics.responses import own_models
from modelport_control_api.analytics.schemas import ModelUsage
from modelport_control_api.batch import service as jobs
from modelport_control_api.batch.render import job_responses
from modelport_control_api.batch.schemas import JobAnswer
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.render import render_model
from modelport_control_api.ui.audit_words import action_words, traffic_text
from modelport_control_api.ui.models.attention import ModelLine, most_urgent
from modelport_control_api.ui.models.usage_views import AUTOMATIC, figures_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit

_LEFT_OUT = ("session.", "web_session.")
_JOB_WORDS = {
    "queued": "Batch job submitted",
    "running": "Batch job running",
    "succeeded": "Batch job finished",
    "failed": "Batch job failed",
    "cancelled": "Batch job cancelled",
}


@dataclass(frozen=True, slots=True)
class Event:
    """`about` names what it happened to; `link` leads there, where it is still there."""

    at: datetime
    text: str
    about: str
    link: str | None
    icon: str


def recent(
    entries: Iterable[AuditEntry], jobs: Iterable[JobAnswer], names: Mapping[str, str], limit: int
) -> list[Event]:
    """The newest first. `names`: id to name of the models that are there."""
    found = [_of_entry(entry, names) for entry in entries if not entry.action.startswith(_LEFT_OUT)]
    found += [_of_job(job, names) for job in jobs]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]


def _of_entry(entry: AuditEntry, names: Mapping[str, str]) -> Event:
    kind, _, target = entry.target.partition(":")
    link = {"model": f"/ui/models/{target}" if target in names else None, "api_key": "/ui/keys"}.get(kind)
    icon = {"api_key": "key", "user": "users", "invite": "users"}.get(kind, "models")
    return Event(entry.at, action_words(entry.action), _about(entry, names), link, icon)


def _about(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """`Iris v2`, `Iris: v1 (90 %) and v2 (10 %)`; the id of a model whose name is gone with it."""
    kind, _, target = entry.target.partition(":")
    name = names.get(target) or str(entry.detail.get("name") or (target if kind == "model" else ""))
    about = f"{name} {entry.detail.get('version') or ''}".strip()
    traffic = entry.detail.get("traffic")
    return f"{about}: {traffic_text(traffic)}" if traffic is not None else about


def _of_job(job: JobAnswer, names: Mapping[str, str]) -> Event:
    at = job.finished_at or job.started_at or job.created_at
    about = f"{names.get(job.model_id, job.model_id)} {job.version}"
    return Event(at, _JOB_WORDS[job.state], about, f"/ui/batch/{job.id}", "batch")


router = APIRouter(prefix="/ui", include_in_schema=False)
_MODELS_SHOWN = 8
_EVENTS_SHOWN = 8
_ENTRIES_READ = 50


@router.get("/")
async def show_dashboard(visit: CurrentVisit, period: str = AUTOMATIC) -> Response:
    return visit.page("models/dashboard.html", **await _seen(visit, period))


@router.get("/dashboard/live")
async def show_live_parts(visit: CurrentVisit, period: str = AUTOMATIC) -> Response:
    """Cards, charts and lists of one reading, so that they never disagree."""
    return visit.page("models/dashboard_live.html", **await _seen(visit, period))


async def _seen(visit: Visit, period: str) -> dict[str, Any]:
    figures = await figures_of(visit, period)
    used = {model.id: model for model in figures["usage"].by_model}
    return {**figures, "models": await _models(visit, used), "events": await _events(visit)}


async def _models(visit: Visit, usage: Mapping[str, ModelUsage]) -> list[ModelLine]:
    """Those that need a look first. Only they are rendered: there may be hundreds."""
    records, _ = await visit.newest()
    urgent = most_urgent(map(visit.services.reader.look, records), usage)[:_MODELS_SHOWN]
    rendered = [render_model(seen, visit.renderer.predict_url) for seen in urgent]
    return [ModelLine.of(model, usage.get(model.id)) for model in rendered]


async def _events(visit: Visit) -> list[Event]:
    def read(session: Session) -> list[Event]:
        entries = audit.list_page(session, visit.principal, _ENTRIES_READ, None).items
        found = jobs.list_page(session, visit.principal, _EVENTS_SHOWN, None).items
        names = own_models(session, visit.principal)
        return recent(entries, job_responses(session, found, utc_now()), names, _EVENTS_SHOWN)

    return await visit.services.transactions.read(read)
