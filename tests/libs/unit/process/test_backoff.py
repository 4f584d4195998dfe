"""Waits that grow, are spread, and begin again after a success."""

from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_process.backoff import Backoff, KeyedBackoff

_SECONDS = st.floats(0.001, 100)


@settings(deadline=None)
@given(_SECONDS, _SECONDS, st.sampled_from([1.5, 2.0, 4.0]), st.integers(0, 5000))
def test_a_delay_lies_between_half_its_limit_and_all_of_it(
    first: float, longest: float, factor: float, failures: int
) -> None:
    backoff = Backoff(first, longest, factor=factor)
    backoff.failures = failures
    limit = min(longest, first * factor ** min(failures, 20))
    assert limit / 2 <= backoff.next_delay() <= limit
    assert backoff.failures == failures + 1


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert len({Backoff(1, 8).next_delay() for _ in range(50)}) > 40


def test_a_success_begins_again() -> None:
    backoff = Backoff(1, 64)
    for _ in range(10):
        backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() <= 1


def test_each_key_has_failures_of_its_own() -> None:
    backoff: KeyedBackoff[str] = KeyedBackoff(1, 64)
    for _ in range(10):
        backoff.next_delay("a")
    assert backoff.next_delay("b") <= 1
    assert (backoff.failures("a"), backoff.failures("b"), backoff.failures("c")) == (10, 1, 0)
    backoff.succeeded("a")
    assert backoff.failures("a") == 0
