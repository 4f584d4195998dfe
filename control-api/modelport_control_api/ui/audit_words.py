"""The audit log in words: what was done, and its details."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelport_crds.shares import listed

_LONGEST_VALUE = 200
"""Of a description, whose old and new text would fill the page."""
ACTION_WORDS: Mapping[str, str] = {
    "model.create": "Model uploaded",
    "model.change": "Settings changed",
    "model.delete": "Model deleted",
    "model.redeploy": "Model redeployed",
    "model.transfer": "Model given to another account",
    "version.create": "New version uploaded",
    "version.delete": "Version deleted",
    "version.retry": "Failed version tried again",
    "traffic.set": "Traffic moved",
    "traffic.roll_back": "Traffic rolled back",
    "experiment.start": "Experiment started",
    "experiment.end": "Experiment ended",
    "rollout.start": "Rollout started",
    "rollout.steer": "Rollout steered",
    "rollout.end": "Rollout ended",
    "reference.put": "Training rows for drift uploaded",
    "reference.delete": "Training rows for drift removed",
    "calibration.put": "Rows for calibration uploaded",
    "calibration.delete": "Calibration removed",
    "predictions.delete": "Stored predictions deleted",
    "webhook.create": "Webhook made",
    "webhook.change": "Webhook changed",
    "webhook.rotate": "Webhook's secret rotated",
    "webhook.delete": "Webhook deleted",
    "api_key.create": "API key made",
    "api_key.rotate": "API key rotated",
    "api_key.delete": "API key revoked",
    "user.register": "Account made",
    "user.create_admin": "Administrator made",
    "user.change": "Account changed",
    "user.limits": "Limits of an account changed",
    "user.disable": "Account disabled",
    "user.enable": "Account enabled",
    "user.promote": "Administrator appointed",
    "user.demote": "Administrator's role taken away",
    "user.delete": "Account deleted",
    "user.set_password": "Password set by a link",
    "password_link.create": "Link for a new password made",
    "invite.create": "Invitation made",
    "invite.delete": "Invitation withdrawn",
    "session.open": "Signed in",
    "session.close": "Session ended",
    "session.reuse": "A used token came again: session ended",
}


def action_words(action: str) -> str:
    """What was done. An entry of another release may have an action that is unknown here."""
    return ACTION_WORDS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()


def detail_text(value: Any) -> str:
    """One detail: `v1 (90 %) and v2 (10 %)`, `cache ttl seconds: 60`, `a, b`, `yes`, `none`."""
    if isinstance(value, Mapping):
        return _of_mapping(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(detail_text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)


def traffic_text(value: Any) -> str:
    """Return a split in words; of a new version, the share that it was uploaded with: `10 %`."""
    return f"{value} %" if isinstance(value, int) else detail_text(value)


@dataclass(frozen=True, slots=True)
class DetailLine:
    """`was` None: it is no change, or of a release that did not note what was before."""

    name: str
    now: str
    was: str | None = None


def detail_lines(detail: Mapping[str, Any]) -> list[DetailLine]:
    """Return what an entry tells beside its action: `cache ttl seconds` was `3600` and is `60` now."""
    before, rest = detail.get("before"), {name: value for name, value in detail.items() if name != "before"}
    changes = rest.pop("changes", None)
    values = {**rest, **(changes if isinstance(changes, Mapping) else {})}
    former = before if isinstance(before, Mapping) else {}
    return [
        DetailLine(
            name.replace("_", " "),
            _short(name, value),
            _short(name, former[name]) if name in former else None,
        )
        for name, value in values.items()
    ]


def _short(name: str, value: Any) -> str:
    text = traffic_text(value) if name == "traffic" else detail_text(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _of_mapping(value: Mapping[str, Any]) -> str:
    if value and all(name[:1] == "v" and name[1:].isdecimal() for name in value):
        return listed(value)
    return (
        ", ".join(f"{name.replace('_', ' ')}: {detail_text(each)}" for name, each in value.items()) or "none"
    )


FILTERS: Mapping[str, Callable[..., Any]] = {"action_words": action_words, "detail_lines": detail_lines}
