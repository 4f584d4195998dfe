"""How rollouts end, and what holds them, as sentences."""

from collections.abc import Iterable

from modelport_crds.mlmodel import Finding, RolloutStatus
from modelport_http.wording import counted

_UNKNOWN = {
    "disagreement": "how often it answers otherwise",
    "error_rate": "how often it fails",
    "refusal_rate": "how often it refuses",
    "p99_ratio": "how slow it is",
    "quality": "how often it is right",
}


def serves_on(rollout: RolloutStatus) -> str:
    """`v1 serves on.`"""
    return f"{rollout.baseline} serves on."


def beyond(rollout: RolloutStatus, finding: Finding, *, where: str = "") -> str:
    """`v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated); v1 serves on.`"""
    return f"{where}{finding.message.rstrip('.')}; {serves_on(rollout)}"


def promoted(rollout: RolloutStatus, rows: int, requests: int) -> str:
    """`v2 stayed within what is tolerated over 20 compared rows and 12 requests of callers; v2 serves.`"""
    return (
        f"{rollout.version} stayed within what is tolerated over {counted(rows, 'compared row')} and "
        f"{counted(requests, 'request')} of callers; {rollout.version} serves."
    )


def inconclusive(rollout: RolloutStatus, hours: int) -> str:
    """`After 24 hours it is not known well enough how slow it is; v1 serves on.`"""
    return (
        f"After {counted(hours, 'hour')} it is not known well enough {unknown(rollout.findings)}; "
        f"{serves_on(rollout)}"
    )


def unknown(findings: Iterable[Finding]) -> str:
    """Name what is still to be found out, in words; of nothing looked at yet too."""
    open_ = [_UNKNOWN[each.guardrail] for each in findings if each.state == "unknown"]
    return " and ".join(open_) or "how it compares"
