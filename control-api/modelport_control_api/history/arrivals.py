"""What gateways send of requests and answers, written down where the model's owner still wants it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from modelport_telemetry.usage import kept_prediction
from sqlalchemy.orm import Session

from modelport_control_api.db.base import new_id
from modelport_control_api.history import repository


def write(session: Session, payloads: list[bytes]) -> None:
    """The handler of `history`. What is of no model, or of one whose history is off, is left out.

    Raises ValueError if a payload is none.
    """
    arrived = [kept_prediction.decode(payload) for payload in payloads]
    keeping = repository.redacted_fields_by_model(session, {each.model for each in arrived})
    repository.add(session, [_row(each) for each in arrived if _is_wanted(each, keeping)])


def _is_wanted(kept: kept_prediction.KeptPrediction, keeping: Mapping[str, Sequence[str]]) -> bool:
    # A gateway that has not heard of a change yet sends what the owner no longer wants to be kept.
    redact = keeping.get(kept.model)
    return redact is not None and set(redact) <= set(kept.redacted_fields)


def _row(kept: kept_prediction.KeptPrediction) -> dict[str, object]:
    return {
        "id": new_id(),
        "model_id": kept.model,
        "version": kept.version,
        "created_at": datetime.fromtimestamp(kept.at, UTC),
        "caller_id": kept.caller,
        "api_key_id": kept.api_key,
        "request_id": kept.request_id,
        "status": kept.status,
        "reason": kept.reason,
        "cache": kept.cache,
        "seconds": kept.seconds,
        "request": kept.request,
        "request_bytes": kept.request_bytes,
        "answer": kept.answer,
        "truncated": kept.truncated,
    }
