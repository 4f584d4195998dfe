"""Counts what callers had of both versions of a rollout, and has a share of it copied to the other one."""

import random

from modelport_crds.reasons import Reason

from modelport_gateway.outcome import Outcome, PredictionRequest, PredictionResponse
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.sampling.rollouts.copying import Copying
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.usage.evidence import EvidenceCounter

# Said by the gateway or by limits, not by a version.
_NOT_THE_MODELS = {429, 499}
_PREDICT = Call.PREDICT
_NOT_SENT = {Reason.QUEUE_FULL, Reason.NO_READY_VERSION}


class RolloutTap:
    def __init__(self, evidence: EvidenceCounter, copying: Copying) -> None:
        self._evidence = evidence
        self._copying = copying

    def wants(
        self, route: Route, version: VersionRoute, request: PredictionRequest, outcome: Outcome
    ) -> bool:
        # Of every request of a rollout: each look that is spared counts.
        rollout, name, target = route.rollout, version.name, request.target
        if rollout is None or target.version is not None or outcome.status in _NOT_THE_MODELS:
            # Who named the version was not sent to it by the rollout, and tells nothing of its share.
            return False
        is_candidate = name == rollout.candidate
        if not is_candidate and name != rollout.baseline:
            return False
        sent = outcome.response
        model_seconds = sent.model_seconds if type(sent) is PredictionResponse else 0.0
        self._evidence.note(rollout, is_candidate, outcome.status, model_seconds)
        if outcome.reason in _NOT_SENT or (target.call is not _PREDICT and not _is_json(request, sent)):
            return False
        percent = rollout.shadow_percent
        is_drawn = percent >= 100 or random.random() * 100 < percent  # noqa: S311 - nothing secret hangs on it
        return is_drawn and self._copying.has_room(rollout, is_candidate)

    def take(self, seen: Seen) -> None:
        if rollout := seen.route.rollout:
            self._copying.put(seen, rollout, seen.version.name == rollout.candidate)


def _is_json(request: PredictionRequest, sent: object) -> bool:
    """Of an inference request: neither it nor its response has binary tensors, which nothing here reads."""
    is_binary = isinstance(sent, PredictionResponse) and sent.json_bytes is not None
    return not is_binary and not request.headers.has(b"inference-header-content-length")
