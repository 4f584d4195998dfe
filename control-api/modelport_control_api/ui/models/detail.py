"""One model: what stands above all its tabs, and the tab to try it, with the form that its signature
makes.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Response
from modelport_crds.reasons import Reason

from modelport_control_api.http.client_wheel import wheel_path
from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.wiring import Drift
from modelport_control_api.registry.status_view import heaviest, rollout_on
from modelport_control_api.ui.models.pulse import pulse_of
from modelport_control_api.ui.models.steps import is_held, trouble_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit

Control = Literal["number", "integer", "text", "any", "choice"]
Mode = Literal["fields", "text", "json"]
MAX_FIELDS = 100
"""A wider row is written as JSON: nobody fills in a thousand fields."""

_CONTROLS: Mapping[str, Control] = {
    "number": "number",
    "integer": "integer",
    "boolean": "choice",
    "string": "text",
    "any": "any",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` is the JSON text that is sent; `label` is what users read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """`text` is what is filled in; of a choice the JSON text of the one that is selected."""

    name: str
    control: Control
    optional: bool
    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class TryForm:
    """`row` is the row that is filled in, as JSON for the editor; `positional`: sent as a list."""

    mode: Mode
    row: str
    fields: tuple[Field, ...] = ()
    positional: bool = False
    probabilities: bool = False
    contributions: bool = False


_NOTHING: Mapping[int, Any] = {}


def build_form(version: VersionAnswer, drawn: Mapping[int, Any] = _NOTHING) -> TryForm:
    """The JSON editor stands in where the signature is unknown, has tensors, or is too wide.

    `drawn`: values in place of the sample's, by the place of their column.
    """
    signature = version.signature or {}
    given = _given_row(version)
    outputs = signature.get("outputs") or ()
    probabilities, contributions = ("probabilities" in outputs, "contributions" in outputs)
    if signature.get("input") == "text":
        text = given if isinstance(given, str) else ""
        return TryForm("text", text, probabilities=probabilities)
    columns, positional = signature.get("columns"), bool(signature.get("positional"))
    row = _filled_in(given, columns or (), drawn, positional=positional)
    if columns is None or not _fits_a_form(columns):
        return TryForm("json", _pretty(row), probabilities=probabilities, contributions=contributions)
    values = _values(columns, row)
    fields = tuple(_field(column, value) for column, value in zip(columns, values, strict=True))
    return TryForm("fields", _pretty(row), fields, positional, probabilities, contributions)


def _given_row(version: VersionAnswer) -> Any:
    return version.sample.get("input") if isinstance(version.sample, dict) else None


def _fits_a_form(columns: Sequence[Mapping[str, Any]]) -> bool:
    return 0 < len(columns) <= MAX_FIELDS and all(column.get("kind") in _CONTROLS for column in columns)


def _values(columns: Sequence[Mapping[str, Any]], row: Any) -> list[Any]:
    """Those of the row; of one that does not fit, or of none, examples."""
    if isinstance(row, dict):
        return [row.get(column["name"]) for column in columns]
    if isinstance(row, list) and len(row) == len(columns):
        return list(row)
    return [_example(column) for column in columns]


def _filled_in(
    given: Any, columns: Sequence[Mapping[str, Any]], drawn: Mapping[int, Any], *, positional: bool
) -> Any:
    """The row that was given, or else one of examples, with what is drawn."""
    if not columns:
        return {} if given is None else given
    if given is not None and not drawn:
        return given
    values = [drawn.get(at, value) for at, value in enumerate(_values(columns, given))]
    if positional:
        return values
    return {column["name"]: value for column, value in zip(columns, values, strict=True)}


def _field(column: Mapping[str, Any], value: Any) -> Field:
    optional = bool(column.get("optional"))
    offered = column.get("values") or ([True, False] if column["kind"] == "boolean" else None)
    if offered:
        choices = tuple(Choice(json.dumps(each), _label(each)) for each in offered)
        selected = json.dumps(value) if value in offered or optional else choices[0].value
        return Field(column["name"], "choice", optional, selected, choices)
    return Field(column["name"], _CONTROLS[column["kind"]], optional, _text(value))


def _example(column: Mapping[str, Any]) -> Any:
    if column.get("values"):
        return column["values"][0]
    if column.get("kind") == "tensor":
        return _zeros([length or 1 for length in column.get("shape") or ()])
    return {"string": "text", "boolean": False}.get(str(column.get("kind")), 0)


def _zeros(shape: Sequence[int]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _pretty(row: Any) -> str:
    """Numbers of a list stand on one line: a picture has hundreds."""
    text = json.dumps(row, indent=2, ensure_ascii=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


# Within texts of JSON there is no line break, so these lines are a list's own.
_NUMBERS = re.compile(r"\[\n([-+.\deE,\s]+?)\n\s*\]")


router = APIRouter(prefix="/ui/models", include_in_schema=False)
_OF_REFERENCE = "reference"


@router.get("/{model_id}")
async def show_try_it(visit: CurrentVisit, drift: Drift, model_id: str, row: str = "") -> Response:
    """`row`: with `reference` the form is filled in with a row like those of the training data."""
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    version = main_version(model)
    drawn = await reading.draw_row(drift, record, version.name) if row == _OF_REFERENCE else _NOTHING
    return visit.page(
        "models/try_it.html",
        **await header(visit, model, "try"),
        version=version,
        form=build_form(version, drawn) if version.signature else None,
        is_drawn=bool(drawn),
        wheel=wheel_path(),
        ready=[each for each in model.versions if each.status == "ready"],
    )


@router.get("/{model_id}/head")
async def show_head(visit: CurrentVisit, model_id: str, tab: str = "") -> Response:
    """The status above the tabs, polled while it may change."""
    return visit.page("models/head.html", **await header(visit, await visit.model(model_id), tab))


async def header(visit: Visit, model: ModelAnswer, tab: str) -> dict[str, Any]:
    """What `models/model_page.html` needs."""
    # It serves as before: what differs, and what to do, stands on the version's card.
    has_held = model.reason == Reason.SIGNATURE_CHANGED
    held = next((each for each in model.versions if has_held and is_held(each)), None)
    return {
        "model": model,
        "tab": tab,
        "pulse": await pulse_of(visit, model),
        "rollout": rollout_on(visit.services.statuses.get(model.id)),
        "held": held,
        "trouble": None if held else trouble_of(model.reason, model.message),
        "read_only": model.managed_by == "kubectl",
        "kubectl": _kubectl_edit(model.id, visit.services.namespace),
    }


def main_version(model: ModelAnswer) -> VersionAnswer:
    """The one that most requests get; before that, the newest that can serve, or the newest."""
    served = max(model.versions, key=lambda version: (version.traffic, version.status == "ready"))
    return served if served.traffic or served.status == "ready" else model.versions[-1]


def candidates(model: ModelAnswer) -> list[VersionAnswer]:
    """Return the versions that a rollout may bring in, the newest first; none where nothing serves."""
    baselines = {heaviest(model.traffic), heaviest(model.wanted_traffic)}
    found = [each for each in model.versions if each.status != "failed" and each.name not in baselines]
    return found[::-1] if model.traffic else []


def _kubectl_edit(model_id: str, own_namespace: str) -> str:
    namespace, _, name = model_id.rpartition(".")
    return f"kubectl -n {namespace or own_namespace} edit mlmodel {name}"
