"""Two operators, one leader: handed over at once, taken over after a crash, given up when it is lost."""

import time
from contextlib import ExitStack

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import Operator, World, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _two(world: World, stack: ExitStack) -> tuple[Operator, Operator]:
    """The leader and the one that waits."""
    first = stack.enter_context(world.operator())
    until(first.leads)
    second = stack.enter_context(world.operator())
    until(lambda: second.get("/readyz").status_code == 200)
    return first, second


def test_one_leads_and_the_other_is_ready_to(world: World) -> None:
    with ExitStack() as stack:
        first, second = _two(world, stack)
        time.sleep(3)
        assert (first.leads(), second.leads()) == (True, False)
        assert second.get("/healthz").status_code == 200


def test_a_leader_that_stops_hands_over_at_once(world: World) -> None:
    with ExitStack() as stack:
        first, second = _two(world, stack)
        assert first.end() == 0
        began = time.monotonic()
        until(second.leads, seconds=10)
        assert time.monotonic() - began < 4
        world.models.run("apply", "-f", "-", input=mlmodel())
        until(lambda: world.reason("iris"))


def test_a_leader_that_was_killed_is_followed_when_its_lease_is_over(world: World) -> None:
    with ExitStack() as stack:
        first, second = _two(world, stack)
        first.kill()
        until(second.leads, seconds=25)


def test_a_leader_whose_lease_is_taken_ends_with_a_clear_line(world: World) -> None:
    with world.operator() as operator:
        until(operator.leads)
        taken = '-p={"spec": {"holderIdentity": "someone-else"}}'
        world.platform.run("patch", "lease", "modelport-operator", "--type=merge", taken)
        assert operator.process.wait(15) == 1
        assert "LeadershipLost: The Lease is held by someone-else." in operator.log.read_text()
