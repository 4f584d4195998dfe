"""From a stored file to a predicted sample, step by step, as the upload page shows it. Pure."""

from dataclasses import dataclass
from typing import Literal

from modelport_crds import stages
from modelport_crds.reasons import EXPLANATIONS, Reason

from modelport_control_api.models.schemas import VersionAnswer

StepState = Literal["done", "active", "failed", "stopped", "waiting"]
_TITLES = ("Stored", "Scheduled", "Loaded", "Sample answered")
_SCHEDULING, _LOADING, _SAMPLING = 1, 2, 3
# What is found out while the file is fetched, before the model's process has it.
_OF_FETCHING = {Reason.ARTIFACT_NOT_FOUND, Reason.DIGEST_MISMATCH, Reason.TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    state: StepState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a version or a model is not as it should be; `cure` is what to do."""

    reason: str
    happened: str
    cure: str


def is_held(version: VersionAnswer) -> bool:
    """Return whether it is ready and gets no requests, since it lacks what callers depend on."""
    return version.status == "ready" and version.reason == Reason.SIGNATURE_CHANGED


def build_steps(version: VersionAnswer, stored: str) -> list[Step]:
    """`stored`: the text about the file, its size and digest."""
    details = {_SCHEDULING: _scheduled(version), _LOADING: "", _SAMPLING: "", 0: stored}
    reached = _reached(version)
    current: StepState = "failed" if version.status == "failed" else "active"
    if current == "active" and reached < len(_TITLES):
        details[reached] = version.message
    return [
        Step(title, _state(index, reached, current), details[index]) for index, title in enumerate(_TITLES)
    ]


def trouble_of(reason: str, message: str) -> Trouble | None:
    """None where all is well or in progress. The cure stands apart from the message, which ends with it."""
    if reason in ("", Reason.SERVING, Reason.PROGRESSING, Reason.DELETING):
        return None
    explanation = EXPLANATIONS[Reason(reason)] if reason in set(Reason) else None
    if explanation is None:
        return Trouble(reason, message, "")
    happened = message.replace(explanation.cure, "").strip() or explanation.meaning
    return Trouble(reason, happened, explanation.cure)


def _reached(version: VersionAnswer) -> int:
    """The step that is in progress or failed; past the last one when all are done."""
    if version.status in ("ready", "degraded"):
        return len(_TITLES)
    if version.status == "failed":
        return _failed_at(version.reason)
    if stages.ANSWERING in version.message:
        return _SAMPLING
    return _LOADING if stages.LOADING in version.message else _SCHEDULING


def _failed_at(reason: str) -> int:
    if reason in _OF_FETCHING or reason not in set(Reason):
        return _SCHEDULING
    group = EXPLANATIONS[Reason(reason)].group
    return {"Cluster": _SCHEDULING, "Sample": _SAMPLING, "Serving": _SAMPLING}.get(group, _LOADING)


def _state(index: int, reached: int, current: StepState) -> StepState:
    if index < reached:
        return "done"
    return current if index == reached else "waiting"


def _scheduled(version: VersionAnswer) -> str:
    level = (version.sandbox or {}).get("level")
    return "" if level is None else "in a sandbox of its own"
