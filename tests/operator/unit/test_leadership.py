"""A leader whose process stood still; the rest takes an API server (tests/e2e/operator)."""

import asyncio
import time
from typing import Any

import pytest
from modelport_operator.shell.kubernetes import leadership
from modelport_operator.shell.kubernetes.leadership import Leadership, LeadershipLost


class Election:
    """Nobody else takes part. Its first renewals keep the process from everything for `standing` seconds."""

    def __init__(self, *standing: float) -> None:
        self.observed_record: Any = type("Record", (), {"holder_identity": "me"})
        self.renewals = 0
        self._standing = standing

    async def try_acquire_or_renew(self) -> bool:
        self.renewals += 1
        if self.renewals <= len(self._standing):
            time.sleep(self._standing[self.renewals - 1])  # noqa: ASYNC251 - it is to stand still
        else:
            await asyncio.sleep(0)
        return True


@pytest.fixture(autouse=True)
def _in_tenths_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"LEASE": 3.0, "RENEW_DEADLINE": 1.0, "RETRY": 0.05}.items():
        monkeypatch.setattr(leadership, f"{name}_SECONDS", seconds)


async def keeps(election: Election, seconds: float) -> None:
    leader = Leadership.__new__(Leadership)
    leader.identity = "me"
    leader._election = election  # type: ignore[assignment]
    async with asyncio.timeout(seconds):
        await leader.keep()


async def test_one_that_stood_still_past_its_deadline_tries_once_before_it_gives_up() -> None:
    election = Election(1.5)
    with pytest.raises(TimeoutError):
        await keeps(election, 2)
    assert election.renewals > 3


async def test_one_that_stood_still_until_others_may_lead_gives_up() -> None:
    election = Election(3.5)
    with pytest.raises(LeadershipLost, match="could not be renewed"):
        await keeps(election, 10)
