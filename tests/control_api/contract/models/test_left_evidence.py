"""What was counted of rollouts that are over goes on both databases, though it came after their end."""

import pickle
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from modelport_control_api.rollouts.leftovers import EvidenceSweep
from modelport_control_api.usage import evidence
from modelport_telemetry.usage.wire import EvidenceLine
from sklearn.linear_model import LogisticRegression

from tests.control_api.contract.usage.test_ledger import batch, write
from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Platform, running_platform, settings_at, until
from tests.control_api.unit.models.test_kubectl import by_hand

CONTENT = pickle.dumps(LogisticRegression())
"""Nobody loads it: the cluster is played."""


@pytest.fixture
async def platform(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        yield running


def count(platform: Platform, *rollouts: tuple[str, int]) -> None:
    """Play a gateway whose batch comes now."""
    lines = [EvidenceLine(model_id, number, "5", "shadow.rows", 1) for model_id, number in rollouts]
    assert write(platform.plane.context.database, batch(evidence=lines)) == 1


def counted(platform: Platform) -> set[tuple[str, int]]:
    with platform.plane.context.database.transaction(read_only=True) as session:
        return evidence.counted(session)


async def sweep(platform: Platform) -> None:
    platform.settle()
    await EvidenceSweep(platform.plane.models).sweep()


async def test_what_comes_after_the_end_goes_and_what_goes_on_stays(
    platform: Platform,
) -> None:
    ann = await platform.account("ann")
    over, on = [(await ann.upload(CONTENT)).json()["id"] for _ in range(2)]
    for model_id in (over, on):
        await platform.serve(model_id, {"v1": 100})
        assert (await ann.upload_version(model_id, CONTENT, rollout="guarded")).status_code == 202
        await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
        await until(lambda: "rollout" in platform.cluster.objects[model_id]["spec"])  # noqa: B023
    count(platform, (over, 1), (on, 1))
    platform.cluster.set_rollout(over, id=1, version="v2", baseline="v1", state="RolledBack")
    await until(lambda: "rollout" not in platform.cluster.objects[over]["spec"])
    assert counted(platform) == {(on, 1)}
    count(platform, (over, 1), (on, 1), ("deleted-1", 4))
    await sweep(platform)
    assert counted(platform) == {(on, 1)}


async def test_of_kubectl_what_goes_on_stays_and_its_end_needs_no_word(platform: Platform) -> None:
    model = by_hand("wine")
    model["spec"]["rollout"] = {"id": 7, "version": "v1"}
    platform.cluster.put(model)
    await platform.heard("wine", lambda live: live is not None)
    count(platform, ("wine", 6), ("wine", 7))
    await sweep(platform)
    assert counted(platform) == {("wine", 7)}
    platform.cluster.set_rollout("wine", id=7, version="v1", state="Canary")
    await platform.heard("wine", lambda live: live.status.rollout)
    await sweep(platform)
    assert counted(platform) == {("wine", 7)}
    platform.cluster.set_rollout("wine", id=7, version="v1", state="Promoted")
    await platform.heard("wine", lambda live: live.status.rollout.is_over)
    await sweep(platform)
    assert counted(platform) == set()


async def test_while_the_cluster_is_out_of_sight_nothing_goes(platform: Platform) -> None:
    count(platform, ("wine", 6))
    assert platform.plane.models.statuses.live_for() < 30
    await EvidenceSweep(platform.plane.models).sweep()
    assert counted(platform) == {("wine", 6)}
