"""The audit log in words: what was done, and its details."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelport_crds.shares import listed

ACTION_WORDS: Mapping[str, str] = {
    "model.create": "Model uploaded",
    "model.change": "Settings changed",
    "model.delete": "Model deleted",
    "model.redeploy": "Model redeployed",
    "version.create": "New version uploaded",
    "version.delete": "Version deleted",
    "version.retry": "Failed version tried again",
    "traffic.set": "Traffic moved",
    "traffic.roll_back": "Traffic rolled back",
    "reference.put": "Training rows for drift uploaded",
    "reference.delete": "Training rows for drift removed",
    "predictions.delete": "Stored predictions deleted",
    "api_key.create": "API key made",
    "api_key.rotate": "API key rotated",
    "api_key.delete": "API key revoked",
    "user.register": "Account made",
    "user.create_admin": "Administrator made",
    "user.change": "Account changed",
    "user.limits": "Limits of an account changed",
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
    return "none" if value is None else str(value)


def _of_mapping(value: Mapping[str, Any]) -> str:
    if value and all(name[:1] == "v" and name[1:].isdecimal() for name in value):
        return listed(value)
    return (
        ", ".join(f"{name.replace('_', ' ')}: {detail_text(each)}" for name, each in value.items()) or "none"
    )


FILTERS: Mapping[str, Callable[..., str]] = {"action_words": action_words, "detail_text": detail_text}
