"""Names of what is counted while a rollout goes on. Counts only ever grow, so they can be added up anywhere.

`Pair`: a request that one version answered and whose copy the other one answered, or should have.
"""

from collections.abc import Callable, Mapping

ROWS = "shadow.rows"
"""Rows that both versions answered: one of a pair, drawn at random, since rows of one request are alike."""
DISAGREEMENTS = "shadow.disagreements"
"""Of these, rows that they answered differently (`modelport_evidence.comparing`)."""

PAIRS = "shadow.pairs"
"""Requests with what came of both."""
DROPPED = "shadow.dropped"
"""Requests that were to be copied and were not: no room, too long, or no pod. They judge nobody."""

CANDIDATE, BASELINE = "candidate", "baseline"
OK = 200


def failed_alone(side: str) -> str:
    """Name the pairs in which this version failed (5xx, no response) and the other one did not."""
    return f"shadow.failed.{side}"


def refused_alone(side: str) -> str:
    """Name the pairs in which this version refused (4xx) what the other one answered."""
    return f"shadow.refused.{side}"


def unanswered_alone(statuses: Mapping[str, int]) -> str | None:
    """Name what is counted of a pair, by each side's HTTP status; None: both answered, or neither did."""
    refusing = [side for side, status in statuses.items() if status != OK]
    if len(refusing) != 1:
        return None
    [side] = refusing
    return refused_alone(side) if 400 <= statuses[side] < 500 else failed_alone(side)


def shadow_latency(side: str, bucket: int) -> str:
    """Name the copies to this version whose latency was in this bucket of
    `modelport_telemetry.usage.latency`.

    Of the candidate alone, where the baseline's model had answered: what they are beside is what it took for
    callers.
    """
    return f"shadow.latency.{side}:{bucket}"


def live_requests(side: str) -> str:
    """Name the requests that callers had from this version."""
    return f"live.requests.{side}"


def live_errors(side: str) -> str:
    """Name those of them that it failed (5xx)."""
    return f"live.errors.{side}"


def live_refusals(side: str) -> str:
    """Name those of them that it refused (4xx)."""
    return f"live.refusals.{side}"


def live_latency(side: str, bucket: int) -> str:
    """Name those of them, answered by the model, for which it took as long as this bucket says."""
    return f"live.latency.{side}:{bucket}"


def latencies(counts: Mapping[str, int], name: Callable[[str, int], str], side: str) -> dict[int, int]:
    """Return how many calls of this version are in each bucket. `name`: of shadow or live latencies."""
    start = name(side, 0).removesuffix("0")
    return {int(each.removeprefix(start)): count for each, count in counts.items() if each.startswith(start)}


def known_rows(side: str) -> str:
    """Name the rows that callers had from this version and whose truth is known; one of a request."""
    return f"truth.rows.{side}"


def wrong_rows(side: str) -> str:
    """Name those of them that it did not predict as they are."""
    return f"truth.wrong.{side}"


def segment_rows(segment: str) -> str:
    """Name the compared rows of a segment such as `shape is missing`."""
    return f"segment.rows:{segment}"


def segment_disagreements(segment: str) -> str:
    """Name those of them that were answered differently."""
    return f"segment.disagreements:{segment}"


def is_of_segment(counter: str) -> bool:
    """Whether its name holds a value of callers' rows."""
    return counter.startswith((segment_rows(""), segment_disagreements("")))
