"""A request and its response as rows that are kept: what was predicted, and by what id its truth is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_telemetry.usage.wire import (
    LONGEST_PREDICTION_ID,
    MAX_PREDICTION_BYTES,
    MAX_PROBABILITIES_BYTES,
    ObservedPrediction,
)

from modelport_gateway.cache.key import Canonical
from modelport_gateway.sampling.redaction import REDACTED
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.sampling.tensors import rows_of_tensors

_UNIT_BYTES = 12


@dataclass(frozen=True, slots=True)
class Rows:
    """Each list has one entry a row; `probabilities` None: the response has none."""

    inputs: list[Any]
    predictions: list[Any]
    probabilities: list[Any] | None


def rows_of(request: Any, response: Any) -> Rows:
    """Take both decoded bodies apart, also those of the Open Inference Protocol, of whose response the first
    output counts. What is neither, and tensors that are no JSON, have no rows.
    """
    match request, response:
        case {"input": row}, {"prediction": prediction}:
            probabilities = response.get("probabilities")
            return Rows([row], [prediction], None if probabilities is None else [probabilities])
        case {"inputs": [*rows]}, {"predictions": [*predictions]} if len(rows) == len(predictions):
            return Rows(rows, predictions, _one_a_row(response.get("probabilities"), len(rows)))
        case {"inputs": [*tensors]}, {"outputs": [{"shape": [int(), *rest], "data": [*predictions]}, *_]} if (
            rest in ([], [1])
        ):
            return Rows(rows_of_tensors(tensors, len(predictions)), predictions, None)
    return Rows([], [], None)


def observed(seen: Seen, rows: Rows) -> Iterator[ObservedPrediction]:
    """Yield what is to be kept: rows whose prediction is a text, number or boolean, and which have an id."""
    feedback = seen.route.feedback
    id_field = feedback.id_field if feedback else None
    unit, arm = unit_of(seen.route.uid, seen.unit), _arm(seen)
    for at, (row, prediction) in enumerate(zip(rows.inputs, rows.predictions, strict=True)):
        key = _key(row, at, id_field, seen)
        told = _told(prediction)
        if key is not None and told is not None:
            yield ObservedPrediction(
                seen.route.public_id,
                *key,
                seen.version.name,
                seen.at,
                unit,
                told,
                _probabilities(rows.probabilities[at] if rows.probabilities else None),
                arm,
            )


def unit_of(model_uid: str, unit: str | None) -> str:
    """Return what stands for a session or caller of the model, and tells nobody who it is."""
    if unit is None:
        return ""
    return blake2b(f"{model_uid}\0{unit}".encode(), digest_size=_UNIT_BYTES).hexdigest()


def _arm(seen: Seen) -> str:
    rollout = seen.route.rollout
    # Who named the version was not sent to it by the rollout.
    if rollout is None or seen.named_version:
        return ""
    sides = {rollout.candidate: CANDIDATE, rollout.baseline: BASELINE}
    side = sides.get(seen.version.name)
    return f"{rollout.id}:{rollout.step}:{side}" if side else ""


def _one_a_row(values: Any, rows: int) -> list[Any] | None:
    return values if isinstance(values, list) and len(values) == rows else None


def _key(row: Any, at: int, id_field: str | None, seen: Seen) -> tuple[str, int] | None:
    if id_field is None:
        return seen.request_id, at
    history = seen.route.history
    if history is not None and id_field in history.redact_fields:
        return None
    own = _cell(row, id_field, seen.version.canonical)
    if not isinstance(own, str | int) or isinstance(own, bool):
        return None
    text = str(own)
    return (text, 0) if 0 < len(text) <= LONGEST_PREDICTION_ID and text.isprintable() else None


def _cell(row: Any, name: str, canonical: Canonical) -> Any:
    """None: the row has no such cell."""
    if isinstance(row, dict):
        return row.get(name)
    names = [column.name for column in canonical.columns or ()]
    if isinstance(row, list) and len(row) == len(names) and name in names:
        return row[names.index(name)]
    return None


def _told(prediction: Any) -> str | None:
    """JSON; None: it is no text, number or boolean, or a text that is too long."""
    if not isinstance(prediction, str | int | float) or prediction == REDACTED:
        return None
    text = orjson.dumps(prediction)
    return text.decode() if len(text) <= MAX_PREDICTION_BYTES else None


def _probabilities(of_row: Any) -> str | None:
    if not isinstance(of_row, dict):
        return None
    text = orjson.dumps(of_row)
    return text.decode() if len(text) <= MAX_PROBABILITIES_BYTES else None
