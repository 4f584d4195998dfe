"""Which versions are compared with another one before they get its callers' requests, and what differs."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelport_crds.compatibility import compared, in_words, signature_changes, summary
from modelport_crds.mlmodel import Compatibility, MLModel
from modelport_crds.reasons import EXPLANATIONS, Reason

from modelport_control_api.registry.errors import ModelError
from modelport_control_api.registry.records import CompatibleWith, Traffic
from modelport_control_api.registry.status_view import heaviest, is_held
from modelport_control_api.registry.tables import ModelRow


class SignatureChanged(ModelError):
    """Requests would go to versions that lack what callers depend on. `differences`: by version."""

    status = 409
    reason = Reason.SIGNATURE_CHANGED

    def __init__(self, differences: Mapping[str, Compatibility]) -> None:
        sentences = [
            f"{name} lacks what callers of {found.version} depend on: {summary(found)}."
            for name, found in differences.items()
        ]
        super().__init__(" ".join([*sentences, EXPLANATIONS[Reason.SIGNATURE_CHANGED].cure]))
        self.differences = differences
        self.members = {"differences": {name: described(found) for name, found in differences.items()}}


def described(compatibility: Compatibility) -> dict[str, Any]:
    """Return it as the API shows it."""
    changes = [
        {
            "what": change.what,
            "name": change.name,
            "before": change.before,
            "after": change.after,
            "message": in_words(change),
        }
        for change in compatibility.changes
    ]
    return {"compatible_with": compatibility.version, "changes": changes, "more": compatibility.more}


def to_be_compared(wanted: Iterable[str], served: Traffic) -> dict[str, str]:
    """Return the versions of `wanted` that get no requests now, each with the one that most go to now.

    `served` is what they get now, or what was wanted until now where the cluster has not reported any yet.
    """
    baseline = heaviest(served)
    return {} if baseline is None else dict.fromkeys(sorted(set(wanted) - served.keys()), baseline)


def require_compatible(compatible_with: CompatibleWith, live: MLModel | None) -> None:
    """Raises SignatureChanged for what is known by now. The operator compares, and asks samples, too."""
    found = {name: difference(name, baseline, live) for name, baseline in compatible_with.items()}
    differing = {name: each for name, each in sorted(found.items()) if each.changes}
    if differing:
        raise SignatureChanged(differing)


def difference(version: str, baseline: str, live: MLModel | None) -> Compatibility:
    """Return how a version compares with `baseline`: as the operator has it, or by their signatures."""
    known = live.status.version(version) if live else None
    other = live.status.version(baseline) if live else None
    recorded = known.compatibility if known else None
    if recorded is not None and recorded.version == baseline:
        return recorded
    signatures = (other.signature if other else None, known.signature if known else None)
    return compared(baseline, signature_changes(*signatures))


def holds_traffic(row: ModelRow, live: MLModel | None) -> bool:
    """Return whether what the row wants is held, so that it never came to serve."""
    waiting = row.compatible_with or {}
    return live is not None and any(is_held(live.status.version(name)) for name in waiting)
