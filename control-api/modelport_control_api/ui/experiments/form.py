"""The form that begins an experiment of two versions: its fields, and the body of the API's call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from modelport_http.problem import Problem
from pydantic import ValidationError

from modelport_control_api.experiments.schemas import ExperimentStart
from modelport_control_api.http.problems import field_errors
from modelport_control_api.ui.forms import Form, Parsed

METRICS: Mapping[str, str] = {
    "reward": "Reward: what came of it, such as a purchase or an amount",
    "accuracy": "Accuracy: the share of rows that were right",
    "mae": "Mean absolute error of numbers",
    "mse": "Mean squared error of numbers",
    "log_loss": "Log loss of probabilities",
    "brier": "Brier score of probabilities",
}
UNITS: Mapping[str, str] = {
    "session": "Session: what stays the same in X-Modelport-Session",
    "caller": "Caller: a user of the API",
}
_PLAIN = ("unit", "min_days", "max_days")
_OWN_NAMES = {
    "goal.metric": "metric",
    "guardrails[0].metric": "guardrail",
    "guardrails[0].tolerance": "tolerance",
    "arms": "version",
    "control": "version",
}


def values_of(control: str, version: str) -> dict[str, str]:
    """Return what the form holds at first."""
    return {
        "control": control,
        "version": version,
        "percent": "50",
        "metric": "reward",
        "unit": "session",
        "guardrail": "",
        "tolerance": "",
        "force": "",
        "min_days": "7",
        "max_days": "60",
    }


def parse(values: Mapping[str, str]) -> Parsed[ExperimentStart]:
    """Check the fields as the API checks its body."""
    given = {name: text.strip() for name, text in values.items()}
    control, version = given.get("control", ""), given.get("version", "")
    if control == version:
        return Parsed(None, Form(values, {"version": "must be another version than the control"}))
    if given.get("guardrail") == given.get("metric"):
        return Parsed(None, Form(values, {"guardrail": "must be another metric than the goal"}))
    percent = given.get("percent", "").strip(" %")
    if not percent.isdecimal() or not 1 <= int(percent) <= 99:
        return Parsed(None, Form(values, {"percent": "must be a whole number from 1 to 99"}))
    body: dict[str, Any] = {
        "arms": {control: 100 - int(percent), version: int(percent)},
        "control": control,
        "goal": {"metric": given.get("metric", "")},
        "guardrails": _guardrails(given),
        "winner_takes_all": given.get("winner_takes_all") == "true",
        **{name: given[name] for name in _PLAIN if given.get(name)},
    }
    try:
        return Parsed(ExperimentStart.model_validate(body), Form(values))
    except ValidationError as error:
        errors = {each["field"]: each["message"] for each in field_errors(error.errors())}
        return Parsed(None, _with_errors(values, errors))


def refused(form: Form, problem: Problem) -> Form:
    """The same form with what the service reported of it."""
    told = form.refused_by(problem)
    shown = _with_errors(told.values, told.errors)
    return replace(shown, error=shown.error or told.error)


def _with_errors(values: Mapping[str, Any], errors: Mapping[str, str]) -> Form:
    """Of what the form has no field for, above all fields."""
    named = {_OWN_NAMES.get(name, name): message for name, message in errors.items()}
    own = {name: message for name, message in named.items() if name in values}
    others = [
        message if name == "body" else f"{name} {message}"
        for name, message in named.items()
        if name not in own
    ]
    return Form(values, own, "; ".join(others) or None)


def _guardrails(given: Mapping[str, str]) -> list[dict[str, Any]]:
    metric = given.get("guardrail")
    return [{"metric": metric, "tolerance": given.get("tolerance") or "0"}] if metric else []
