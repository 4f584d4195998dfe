"""The form that starts a rollout: its fields, as texts, and the body of the API's call."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from modelport_control_api.http.problems import field_errors
from modelport_control_api.rollouts.schemas import RolloutStart, Strategy
from modelport_control_api.ui.forms import Form, Parsed

SHARES = ("disagreement", "error_rate", "refusal_rate", "quality")
"""Guardrails that are typed in percent."""
_GUARDRAILS = (*SHARES, "p99_ratio")
_GROUPS = ("replay", "shadow")
_PLAIN = ("step_minutes", "step_requests", "confidence", "bake_minutes", "max_hours")


def values_of(version: str, strategy: Strategy) -> dict[str, str]:
    """Return what the form holds at first."""
    limits = {name: getattr(strategy.guardrails, name) for name in _GUARDRAILS}
    values: dict[str, Any] = {
        "version": version,
        **{name: _typed(name, limit) for name, limit in limits.items()},
        "steps": ", ".join(map(str, strategy.steps)),
        "replay.rows": strategy.replay.rows,
        "shadow.percent": strategy.shadow.percent,
        "shadow.min_rows": strategy.shadow.min_rows,
        **{name: getattr(strategy, name) for name in _PLAIN},
    }
    return {name: str(value) for name, value in values.items()}


def parse(values: Mapping[str, str]) -> Parsed[RolloutStart]:
    """Check the fields as the API checks its body; an empty guardrail is off, others have their defaults."""
    try:
        return Parsed(RolloutStart.model_validate(_body_of(values)), Form(values))
    except ValidationError as error:
        errors = {_own_name(each["field"]): each["message"] for each in field_errors(error.errors())}
        # Typed in percent.
        errors |= {name: "must be 100 or less" for name in SHARES if errors.get(name) == "must be 1 or less"}
        return Parsed(None, Form(values, errors))


def _own_name(field: str) -> str:
    """`strategy.guardrails.disagreement` is the form's `disagreement`; `strategy.steps[1]` its `steps`."""
    return field.partition("[")[0].removeprefix("strategy.").removeprefix("guardrails.")


def _body_of(values: Mapping[str, str]) -> dict[str, Any]:
    given = {name: text.strip() for name, text in values.items()}
    strategy: dict[str, Any] = {name: given[name] for name in _PLAIN if given.get(name)}
    for group in _GROUPS:
        prefix = f"{group}."
        strategy[group] = {
            name.removeprefix(prefix): text
            for name, text in given.items()
            if name.startswith(prefix) and text
        }
    if "steps" in given:
        strategy["steps"] = [step.strip(" %") for step in given["steps"].split(",") if step.strip(" %")]
    strategy["guardrails"] = {name: _limit(name, given[name]) for name in _GUARDRAILS if name in given}
    return {"version": given.get("version", ""), "strategy": strategy}


def _typed(name: str, limit: float | None) -> str:
    if limit is None:
        return ""
    return f"{limit * 100 if name in SHARES else limit:g}"


def _limit(name: str, text: str) -> Any:
    """What is no number is left as it is: its field is told."""
    if not text:
        return None
    try:
        return round(float(text.strip(" %")) / 100, 8) if name in SHARES else text
    except ValueError:
        return text
