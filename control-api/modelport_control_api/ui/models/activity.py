"""The audit log as sentences, and jobs among them: what happened lately. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from modelport_control_api.accounts.audit.tables import AuditEntry
from modelport_control_api.batch.schemas import JobAnswer

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
    "predictions.delete": "Kept predictions deleted",
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
class Happening:
    """`about` names what it happened to; `link` leads there, where it is still there."""

    at: datetime
    text: str
    about: str
    link: str | None
    icon: str


def recent(
    entries: Iterable[AuditEntry], jobs: Iterable[JobAnswer], names: Mapping[str, str], limit: int
) -> list[Happening]:
    """The newest first. `names`: id to name of the models that are there."""
    found = [_of_entry(entry, names) for entry in entries if not entry.action.startswith(_LEFT_OUT)]
    found += [_of_job(job, names) for job in jobs]
    return sorted(found, key=lambda happening: happening.at, reverse=True)[:limit]


def _of_entry(entry: AuditEntry, names: Mapping[str, str]) -> Happening:
    text = _SENTENCES.get(entry.action) or entry.action.replace(".", ": ").replace("_", " ").capitalize()
    kind, _, target = entry.target.partition(":")
    about = names.get(target) or str(entry.detail.get("name") or "")
    if version := entry.detail.get("version"):
        about = f"{about} {version}".strip()
    if traffic := entry.detail.get("traffic"):
        about = f"{about}: " + ", ".join(f"{name} {weight} %" for name, weight in traffic.items())
    link = {"model": f"/ui/models/{target}" if target in names else None, "api_key": "/ui/keys"}.get(kind)
    return Happening(entry.at, text, about, link, {"api_key": "key", "user": "users"}.get(kind, "models"))


def _of_job(job: JobAnswer, names: Mapping[str, str]) -> Happening:
    at = job.finished_at or job.started_at or job.created_at
    about = f"{names.get(job.model_id, job.model_id)} {job.version}"
    return Happening(at, _JOB_WORDS[job.state], about, f"/ui/batch/{job.id}", "batch")
