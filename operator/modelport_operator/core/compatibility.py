"""Whether a version may get the requests of callers of another one: the `compatibleWith` of its share.

Compared once for each pod template, when the version has answered: the signatures that both reported, and the
other one's sample, which it is asked too. What differs holds the traffic where it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from modelport_crds.compatibility import change, compared, signature_changes, summary
from modelport_crds.mlmodel import MLModel, SampleAnswer, SignatureChange, VersionStatus
from modelport_crds.reasons import Reason
from modelport_crds.shares import baselines, weights
from msgspec.structs import replace

from modelport_operator.core.observed.probe_results import BaselineResult, SampleRefused
from modelport_operator.core.problems import with_cure

_JSON_TYPES = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list"}


def baseline_of(model: MLModel, version: str) -> str | None:
    """Return the version that this one must be compatible with to get its share.

    None: there is none, it never answered, or there is nobody to protect: this one has requests already, or
    nothing serves.
    """
    served = weights(model.status.traffic)
    known = model.status.version(_compatible_with(model, version))
    if not served or version in served or known is None or known.name == version:
        return None
    return known.name if known.answered else None


def is_compared(known: VersionStatus | None, baseline: str) -> bool:
    """Return whether the version was compared with `baseline`, though perhaps with an earlier template."""
    return known is not None and known.compatibility is not None and known.compatibility.version == baseline


def held_back(model: MLModel, versions: Mapping[str, VersionStatus]) -> set[str]:
    """Return the versions to which no traffic moves: what differs, or what is still to be compared."""
    return {
        name
        for name, known in versions.items()
        if (baseline := baseline_of(model, name)) is not None
        and (not is_compared(known, baseline) or _differs(known))
    }


def with_comparison(model: MLModel, known: VersionStatus, result: BaselineResult | None) -> VersionStatus:
    """With what came of this pass's comparison, and without one that the spec does not ask for any more."""
    if result is not None and known.answered:
        found = compared(result.version, _changes(model, known, result))
        known = replace(known, compatibility=found)
    if known.compatibility and known.compatibility.version != _compatible_with(model, known.name):
        known = replace(known, compatibility=None)
    return known


def hold_if_changed(model: MLModel, known: VersionStatus) -> VersionStatus:
    """Give a version that would serve, and is not what callers depend on, the reason why it does not."""
    found = known.compatibility
    if found is None or not found.changes or known.reason != Reason.SERVING:
        return known
    if baseline_of(model, known.name) is None:
        return known
    differs = (
        f"It gets no requests, since callers of {found.version} depend on what differs: {summary(found)}"
    )
    message = with_cure(Reason.SIGNATURE_CHANGED, differs)
    return replace(known, reason=Reason.SIGNATURE_CHANGED, message=message)


def _compatible_with(model: MLModel, version: str) -> str:
    return baselines(model.spec.traffic).get(version, "")


def _differs(known: VersionStatus) -> bool:
    return known.compatibility is not None and bool(known.compatibility.changes)


def _changes(model: MLModel, known: VersionStatus, result: BaselineResult) -> Iterator[SignatureChange]:
    before = model.status.version(result.version)
    yield from signature_changes(before.signature if before else None, known.signature)
    if isinstance(result.answer, SampleRefused):
        yield change("sample", name=result.version, after=result.answer.message)
    elif result.answer is not None and before is not None and before.sample_answer is not None:
        yield from _of_answers(result.version, before.sample_answer, result.answer)


def _of_answers(version: str, before: SampleAnswer, after: SampleAnswer) -> Iterator[SignatureChange]:
    """Both are of one row: a number that became a list breaks callers, another number does not."""
    was, now = _answer_type(before), _answer_type(after)
    if was and now and was != now:
        yield change("answer_type", name=version, before=was, after=now)


def _answer_type(answer: SampleAnswer) -> str:
    """Empty: unknown, as of a long response, of which only the beginning is kept."""
    try:
        body: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    prediction = body.get("prediction") if isinstance(body, dict) else None
    return "" if prediction is None else _JSON_TYPES.get(type(prediction), "an object")
