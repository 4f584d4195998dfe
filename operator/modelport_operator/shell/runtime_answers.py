"""Reads what a runtime answered, as far as it can be believed."""

from typing import Annotated, Any, Literal

import msgspec
import structlog
from modelport_crds.mlmodel import AccelerationProof, Engine
from modelport_crds.reasons import Reason

from modelport_operator.core.probe_results import RuntimeStatus, SampleRefused
from modelport_operator.core.untrusted import plain_text

_log = structlog.get_logger()

# An MLModel with its status must fit into 1.5 MB of etcd, with several versions in it.
_MAX_SIGNATURE_BYTES = 256 * 1024
_MAX_DETAIL_BYTES = 16 * 1024
_MAX_DIFFERENCES = 20


class _WireAcceleration(msgspec.Struct):
    rows_compared: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    largest_difference: Annotated[float, msgspec.Meta(ge=0)] | None = None
    detail: str = ""


class _WireStatus(msgspec.Struct):
    state: Literal["loading", "ready", "failed"]
    reason: str | None = None
    message: str | None = None
    signature: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    libraries: dict[str, Any] | None = None
    differences: list[str] = []
    sandbox: dict[str, Any] | None = None
    engine: Engine | None = None
    acceleration: _WireAcceleration | None = None


class _WireError(msgspec.Struct):
    field: str = ""
    message: str = ""


class _WireProblem(msgspec.Struct):
    reason: str | None = None
    detail: str | None = None
    errors: list[_WireError] = []


def read_status(body: bytes) -> RuntimeStatus | None:
    """None: it is not a status."""
    try:
        said = msgspec.json.decode(body, type=_WireStatus)
    except (msgspec.MsgspecError, RecursionError) as error:
        _log.warning("runtime_status_unreadable", error=plain_text(str(error)))
        return None
    return RuntimeStatus(
        state=said.state,
        reason=known_reason(said.reason, Reason.LOAD_FAILED) if said.state == "failed" else None,
        message=plain_text(said.message or ""),
        signature=_bounded("signature", said.signature, _MAX_SIGNATURE_BYTES),
        sample=_bounded("sample", said.sample, _MAX_SIGNATURE_BYTES),
        libraries=_bounded("libraries", said.libraries, _MAX_DETAIL_BYTES),
        differences=_differences(said),
        sandbox=_bounded("sandbox", said.sandbox, _MAX_DETAIL_BYTES),
        engine=said.engine,
        acceleration=_proof(said.acceleration) if said.acceleration is not None else None,
    )


def read_refusal(code: int, body: bytes) -> SampleRefused:
    """A caller's error is about the sample, anything else about the model."""
    fallback = Reason.SAMPLE_INVALID if 400 <= code < 500 else Reason.SAMPLE_FAILED
    try:
        problem = msgspec.json.decode(body, type=_WireProblem)
    except (msgspec.MsgspecError, RecursionError):
        return SampleRefused(fallback, f"The sample was answered with status {code}.")
    return SampleRefused(fallback, _refusal_text(code, problem))


def known_reason(reason: str | None, fallback: Reason) -> Reason:
    return Reason(reason) if reason in set(Reason) else fallback


def _refusal_text(code: int, problem: _WireProblem) -> str:
    detail = problem.detail or f"The sample was answered with status {code}."
    fields = "; ".join(f"{error.field}: {error.message}" for error in problem.errors[:5])
    return plain_text(f"{detail} ({fields})" if fields else detail)


def _proof(said: _WireAcceleration) -> AccelerationProof:
    return AccelerationProof(
        rows_compared=said.rows_compared,
        largest_difference=said.largest_difference,
        detail=plain_text(said.detail),
    )


def _differences(said: _WireStatus) -> tuple[str, ...]:
    notes = [] if _fits(said.signature, _MAX_SIGNATURE_BYTES) else ["The signature is too large to be kept."]
    return tuple(plain_text(text, 200) for text in [*said.differences[:_MAX_DIFFERENCES], *notes])


def _bounded(name: str, value: dict[str, Any] | None, limit: int) -> dict[str, Any] | None:
    if _fits(value, limit):
        return value
    _log.warning("runtime_answer_dropped", part_of_status=name, limit_bytes=limit)
    return None


def _fits(value: dict[str, Any] | None, limit: int) -> bool:
    return value is None or len(msgspec.json.encode(value)) <= limit
