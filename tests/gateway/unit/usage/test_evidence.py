"""Counts of rollouts on their way into batches."""

from modelport_gateway.metrics import EVIDENCE_DROPPED
from modelport_gateway.routing.routes import RolloutRoute
from modelport_gateway.usage.evidence import EvidenceCounter


def step(name: str, rollout: int = 1) -> RolloutRoute:
    return RolloutRoute("iris", rollout, name, candidate="v2", baseline="v1", shadow_percent=100)


def taken(counter: EvidenceCounter, max_lines: int = 1000) -> dict[tuple[str, int, str, str], int]:
    lines = counter.take(max_lines)
    return {(line.model, line.rollout, line.step, line.counter): line.count for line in lines}


def test_what_is_alike_adds_up_and_is_taken_once() -> None:
    counter = EvidenceCounter(100)
    for _ in range(3):
        counter.add(step("shadow"), {"rows": 2, "pairs": 1})
    assert taken(counter) == {("iris", 1, "shadow", "rows"): 6, ("iris", 1, "shadow", "pairs"): 3}
    assert taken(counter) == {}
    assert not counter.is_waiting()


def test_rows_and_their_disagreements_are_never_torn_apart() -> None:
    counter = EvidenceCounter(100)
    for name in ("shadow", "5", "25"):
        counter.add(step(name), {"rows": 1, "disagreements": 1, "pairs": 1})
    assert {key[2] for key in taken(counter, max_lines=7)} == {"shadow", "5"}
    assert len(taken(counter, max_lines=2)) == 3


def test_more_different_counts_than_there_is_room_for_are_dropped_and_told() -> None:
    counter, before = EvidenceCounter(2), EVIDENCE_DROPPED._value.get()
    counter.add(step("5"), {"rows": 1, "pairs": 1, "other": 4})
    counter.add(step("5"), {"rows": 1})
    assert taken(counter) == {("iris", 1, "5", "rows"): 2, ("iris", 1, "5", "pairs"): 1}
    assert EVIDENCE_DROPPED._value.get() - before == 4
    counter.add(step("25"), {"other": 1})
    assert taken(counter) == {("iris", 1, "25", "other"): 1}
