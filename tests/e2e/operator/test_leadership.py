"""Two operators, one leader: handed over at once, taken over after a crash, given up when it is lost."""

import time
from contextlib import ExitStack

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import Harness, Operator, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _two(harness: Harness, stack: ExitStack) -> tuple[Operator, Operator]:
    """The leader and the one that waits."""
    first = stack.enter_context(harness.operator())
    until(first.leads)
    second = stack.enter_context(harness.operator())
    until(lambda: second.get("/readyz").status_code == 200)
    return first, second


def test_one_leads_and_the_other_is_ready_to(harness: Harness) -> None:
    with ExitStack() as stack:
        first, second = _two(harness, stack)
        time.sleep(3)
        assert (first.leads(), second.leads()) == (True, False)
        assert second.get("/healthz").status_code == 200


def test_a_leader_that_stops_hands_over_at_once(harness: Harness) -> None:
    with ExitStack() as stack:
        first, second = _two(harness, stack)
        assert first.end() == 0
        began = time.monotonic()
        until(second.leads, seconds=10)
        assert time.monotonic() - began < 4
        harness.models.run("apply", "-f", "-", input=mlmodel())
        until(lambda: harness.reason("iris"))


def test_a_leader_that_was_killed_is_followed_when_its_lease_is_over(harness: Harness) -> None:
    with ExitStack() as stack:
        first, second = _two(harness, stack)
        first.kill()
        until(second.leads, seconds=25)


def test_a_leader_whose_lease_is_taken_ends_with_a_clear_line(harness: Harness) -> None:
    with harness.operator() as operator:
        until(operator.leads)
        taken = '-p={"spec": {"holderIdentity": "someone-else"}}'
        harness.platform.run("patch", "lease", "modelport-operator", "--type=merge", taken)
        assert operator.process.wait(15) == 1
        assert "LeadershipLost: The Lease is held by someone-else." in operator.log.read_text()
