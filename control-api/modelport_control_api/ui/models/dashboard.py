"""The first page: how the models do, and what happened lately, the audit log as sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.schemas import Overview
from modelport_control_api.batch import service as jobs
from modelport_control_api.batch.render import job_responses
from modelport_control_api.batch.schemas import JobAnswer
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.usage_views import (
    DEFAULT_PERIOD,
    PERIODS,
    Period,
    card_changes,
    charts_of,
    period_named,
    query_of,
)
from modelport_control_api.ui.models.visit import CurrentVisit, Visit

_SENTENCES: Mapping[str, str] = {
    "model.create": "Model uploaded",
    "model.change": "Settings changed",
    "model.delete": "Model deleted",
    "model.redeploy": "Model redeployed",
    "version.create": "New version uploaded",
    "version.delete": "Version deleted",
    "traffic.set": "Traffic moved",
    "traffic.roll_back": "Traffic rolled back",
    "api_key.create": "API key made",
    "api_key.revoke": "API key revoked",
    "api_key.delete": "API key revoked",
    "api_key.rotate": "API key rotated",
    "predictions.delete": "Stored predictions deleted",
    "user.register": "Account made",
    "user.update": "Profile changed",
}
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
    text = _SENTENCES.get(entry.action) or entry.action.replace(".", ": ").replace("_", " ").capitalize()
    kind, _, target = entry.target.partition(":")
    about = names.get(target) or str(entry.detail.get("name") or "")
    if version := entry.detail.get("version"):
        about = f"{about} {version}".strip()
    if traffic := entry.detail.get("traffic"):
        about = f"{about}: " + ", ".join(f"{name} {weight} %" for name, weight in traffic.items())
    link = {"model": f"/ui/models/{target}" if target in names else None, "api_key": "/ui/keys"}.get(kind)
    return Event(entry.at, text, about, link, {"api_key": "key", "user": "users"}.get(kind, "models"))


def _of_job(job: JobAnswer, names: Mapping[str, str]) -> Event:
    at = job.finished_at or job.started_at or job.created_at
    about = f"{names.get(job.model_id, job.model_id)} {job.version}"
    return Event(at, _JOB_WORDS[job.state], about, f"/ui/batch/{job.id}", "batch")


router = APIRouter(prefix="/ui", include_in_schema=False)
_MODELS_SHOWN = 8
_HAPPENINGS_SHOWN = 8
_ENTRIES_READ = 50


@router.get("/")
async def show_dashboard(visit: CurrentVisit, period: str = DEFAULT_PERIOD) -> Response:
    return visit.page("models/dashboard.html", **await _figures(visit, period), **await _lists(visit, period))


@router.get("/dashboard/figures")
async def show_figures(visit: CurrentVisit, period: str = DEFAULT_PERIOD) -> Response:
    return visit.page("models/dashboard_figures.html", **await _figures(visit, period))


@router.get("/dashboard/charts")
async def show_charts(visit: CurrentVisit, period: str = DEFAULT_PERIOD) -> Response:
    return visit.page("models/charts.html", **await _figures(visit, period))


@router.get("/dashboard/lists")
async def show_lists(visit: CurrentVisit, period: str = DEFAULT_PERIOD) -> Response:
    chosen = period_named(period)
    return visit.page("models/dashboard_lists.html", period=chosen, **await _lists(visit, period))


async def _figures(visit: Visit, period: str) -> dict[str, Any]:
    chosen = period_named(period)
    usage = await _usage(visit, chosen)
    return {
        "period": chosen,
        "periods": list(PERIODS.values()),
        "usage": usage,
        "changes": card_changes(usage.totals, usage.previous),
        "charts": charts_of(usage, f"/ui/dashboard/charts?period={chosen.name}"),
    }


async def _lists(visit: Visit, period: str) -> dict[str, Any]:
    models, usage = await _models(visit), await _usage(visit, period_named(period))
    return {
        "models": models,
        "requests_of": {model.id: model for model in usage.by_model},
        "events": await _events(visit, models),
    }


async def _usage(visit: Visit, period: Period) -> Overview:
    query = query_of(period, utc_now(), visit.time_zone)
    return await analytics.overview(visit.context, visit.services, visit.principal, query)


async def _models(visit: Visit) -> list[ModelAnswer]:
    def read(session: Session) -> Any:
        return visit.services.reader.page(session, visit.principal, _MODELS_SHOWN, None)[0]

    return [visit.renderer.model(record) for record in await visit.services.transactions.read(read)]


async def _events(visit: Visit, models: list[ModelAnswer]) -> list[Event]:
    def read(session: Session) -> tuple[list[AuditEntry], list[JobAnswer]]:
        entries = audit.list_page(session, visit.principal, _ENTRIES_READ, None).items
        found = jobs.list_page(session, visit.principal, _HAPPENINGS_SHOWN, None).items
        return list(entries), job_responses(session, found, utc_now())

    entries, found = await visit.services.transactions.read(read)
    return recent(entries, found, {model.id: model.name for model in models}, _HAPPENINGS_SHOWN)
