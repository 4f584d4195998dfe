"""A rollout of the same model while what it goes through is killed in each of its states.

It is promoted as if nothing had been, no request fails, and nothing is counted twice.
"""

import asyncio
import re
from typing import Any

import httpx
import pytest

from tests.e2e.disturbances.harness import Harness
from tests.e2e.disturbances.kinds import kill_a_gateway, kill_postgresql, kill_redis, kill_the_operators
from tests.support.open_loop import Report
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(2400)]

STATES = ("shadowing", "canary", "baking")
KILLS = (kill_a_gateway, kill_redis, kill_postgresql, kill_the_operators)
# Each state lasts until it is seen to have begun, and is paused.
STRATEGY = {
    "replay": {"rows": 0},
    "steps": [50],
    "step_minutes": 0,
    "step_requests": 500,
    "bake_minutes": 1,
}
# A gateway that is killed takes with it what it counted since it last sent, which it does each second.
RATE, LOST_SECONDS = 50.0, 2


async def test_a_rollout_ends_as_if_nothing_had_been_killed(harness: Harness, cores_to_itself: None) -> None:
    await asyncio.to_thread(harness.settle)
    uploaded = ("upload", str(harness.file), "--to", harness.model_id, "--no-traffic", "--json")
    await asyncio.to_thread(harness.person.cli, *uploaded)
    async with harness.under_load(RATE) as load:
        ended = await asyncio.to_thread(_roll_out, harness)
        report = await load.finish()
    assert ended["state"] == "promoted", ended
    assert not report.failed, (report.statuses, [each.error for each in report.failed[:5]])
    _check_counts(ended, report)


def _roll_out(harness: Harness) -> Any:
    """Return the rollout as it ended."""
    versions = harness.person.model(harness.model_id)["versions"]
    newest = max((each["name"] for each in versions), key=lambda name: int(name[1:]))
    path = f"/api/v1/models/{harness.model_id}/rollouts"
    with harness.person.http() as client:
        begun = client.post(path, json={"version": newest, "strategy": STRATEGY}).raise_for_status().json()
        rollout = f"{path}/{begun['id']}"
        for state in STATES:
            _wait_for(client, rollout, state)
            client.post(f"{rollout}/pause").raise_for_status()
            for kill in KILLS:
                _kill(harness, kill)
            client.post(f"{rollout}/resume").raise_for_status()
            # While it goes on to the next state, too.
            kill_the_operators(harness)
        return _wait_for(client, rollout, "promoted")


def _wait_for(client: httpx.Client, rollout: str, state: str) -> Any:
    def reached() -> Any:
        found = client.get(rollout).raise_for_status().json()
        assert found["state"] == state or not found["ended_at"], found
        return found if found["state"] == state else None

    return eventually(reached, seconds=400)


def _kill(harness: Harness, kill: Any) -> None:
    """Return once it runs again: one that is killed must not meet the end of another."""

    def restarts() -> int:
        counts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
        return sum(map(int, harness.release.run("get", "pods", "-o", counts).split()))

    before = restarts()
    kill(harness)
    eventually(lambda: restarts() > before)
    harness.settle()


def _check_counts(ended: Any, report: Report) -> None:
    """Rows are those that both versions had; requests those that callers had from the candidate."""
    found = re.search(r"over ([\d,]+) compared rows and ([\d,]+) requests", ended["verdict"])
    assert found, ended
    rows, requests = (int(each.replace(",", "")) for each in found.groups())
    of_candidate = sum(each.version == ended["version"] for each in report.sent)
    assert rows <= len(report.sent)
    assert requests <= of_candidate
    lost = RATE * LOST_SECONDS * len(STATES)
    assert requests >= of_candidate - lost, (requests, of_candidate)
