"""Counts what callers had of both versions of a rollout, and has a share of it copied to the other one."""

import random

from modelport_crds.reasons import Reason
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE

from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import RolloutRoute, Route, VersionRoute
from modelport_gateway.sampling.rollouts.copying import Copy, Copying
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
        return rollout is not None and version.name in {rollout.baseline, rollout.candidate}

    def take(self, seen: Seen) -> None:
        rollout = seen.route.rollout
        # Who named the version was not sent to it by the rollout, and tells nothing of its share.
        if rollout is None or seen.named_version or seen.status in _NOT_THE_MODELS:
            return
        side = CANDIDATE if seen.version.name == rollout.candidate else BASELINE
        self._evidence.add(seen.route.public_id, rollout, _live(seen, side))
        if self._is_to_be_copied(seen, rollout):
            self._copying.put(Copy(seen, rollout, side))

    @staticmethod
    def _is_to_be_copied(seen: Seen, rollout: RolloutRoute) -> bool:
        if seen.call is not Call.PREDICT or seen.reason in _NOT_SENT:
            return False
        return random.random() * 100 < rollout.shadow_percent  # noqa: S311 - nothing secret hangs on it


def _live(seen: Seen, side: str) -> dict[str, int]:
    counts = {counters.live_requests(side): 1}
    if seen.status >= 500:
        counts[counters.live_errors(side)] = 1
    elif seen.status >= 400:
        counts[counters.live_refusals(side)] = 1
    return counts
