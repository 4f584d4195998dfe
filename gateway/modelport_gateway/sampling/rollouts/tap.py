"""Counts what callers had of both versions of a rollout, and has a share of it copied to the other one."""

import random

from modelport_crds.reasons import Reason

from modelport_gateway.outcome import PredictionResponse
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.sampling.rollouts.copying import Copying
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.usage.evidence import EvidenceCounter

# Said by the gateway or by limits, not by a version.
_NOT_THE_MODELS = {429, 499}
_NOT_SENT = {Reason.QUEUE_FULL, Reason.NO_READY_VERSION}


class RolloutTap:
    def __init__(self, evidence: EvidenceCounter, copying: Copying) -> None:
        self._evidence = evidence
        self._copying = copying

    def wants(self, route: Route, version: VersionRoute) -> bool:
        rollout = route.rollout
        return rollout is not None and (
            version.name == rollout.baseline or version.name == rollout.candidate  # noqa: PLR1714 - quicker
        )

    def take(self, seen: Seen) -> None:
        # Of every request of a rollout: each look that is spared counts.
        rollout, outcome, target = seen.route.rollout, seen.outcome, seen.request.target
        # Who named the version was not sent to it by the rollout, and tells nothing of its share.
        if rollout is None or target.version is not None or outcome.status in _NOT_THE_MODELS:
            return
        model, version, sent = seen.route.public_id, seen.version.name, outcome.response
        model_seconds = sent.model_seconds if type(sent) is PredictionResponse else 0.0
        self._evidence.note((model, rollout, version, outcome.status), model_seconds)
        if target.call is not Call.PREDICT or outcome.reason in _NOT_SENT:
            return
        percent = rollout.shadow_percent
        if percent >= 100 or random.random() * 100 < percent:  # noqa: S311 - nothing secret hangs on it
            self._copying.put(seen, rollout)
