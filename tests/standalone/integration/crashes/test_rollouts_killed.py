"""A rollout through the end of the platform, of Redis and of the database, in each of its states: it ends as
it would have, and no request is counted twice."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from modelport_control_api.db.engine import build_engine
from modelport_control_api.usage.tables import RolloutEvidence
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from sqlalchemy import func, select

from tests.standalone.integration.crashes.accounts import ROW, Account, register, serve, telling_model
from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform
from tests.support.postgres_fixtures import PostgresServer
from tests.support.redis_fixtures import RedisServer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.timeout(1200)]
STRATEGY = {
    "replay": {"rows": 0},
    "steps": [50],
    "step_minutes": 0,
    "step_requests": 200,
    "bake_minutes": 1,
}
PAUSE_SECONDS = 0.005
# Batches leave each second; on a busy machine somewhat later.
UNSENT_SECONDS = 5.0


class Callers:
    """One after the other, without end; each notes when it was answered."""

    def __init__(self, account: Account, url: str, model: str) -> None:
        self.sent = 0
        self.answered: list[float] = []
        self.failed: Counter[str] = Counter()
        self._url = f"{url}/predict/{model}"
        self._headers = {"Authorization": f"Bearer {account.access_token}", "Cache-Control": "no-store"}
        self._stop = threading.Event()

    @contextmanager
    def calling(self) -> Iterator[None]:
        thread = threading.Thread(target=self._call)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _call(self) -> None:
        with httpx.Client(headers=self._headers, timeout=60) as client:
            while not self._stop.wait(PAUSE_SECONDS):
                self.sent += 1
                try:
                    status = client.post(self._url, json={"input": ROW}).status_code
                except httpx.TransportError as error:
                    self.failed[type(error).__name__] += 1
                    continue
                if status == 200:
                    self.answered.append(time.monotonic())
                else:
                    self.failed[str(status)] += 1


class Scene:
    """A platform on a database and a Redis of its own, with a rollout that has not left the shadow."""

    def __init__(self, platform: KillablePlatform, postgres: PostgresServer, redis: RedisServer) -> None:
        self.platform, self.postgres, self.redis = platform, postgres, redis
        self.killed_at: list[float] = []
        self.start()
        account = register(platform.url)
        self.client = account.client(platform.url)
        self.model = serve(self.client, "told")
        files = {"file": telling_model("told")}
        path = f"/api/v1/models/{self.model}"
        self.client.post(f"{path}/versions", files=files, data={"traffic": "0"}).raise_for_status()
        body = {"version": "v2", "strategy": STRATEGY}
        begun = self.client.post(f"{path}/rollouts", json=body).raise_for_status().json()
        self.rollout = f"{path}/rollouts/{begun['id']}"
        self.callers = Callers(account, platform.url, self.model)

    def start(self) -> None:
        self.platform.start(
            MODELPORT_CONTROL_API_DATABASE_URL=self.postgres.url("postgres"),
            MODELPORT_REDIS_URL=self.redis.url,
        )

    def kill_the_platform(self) -> None:
        self.killed_at.append(time.monotonic())
        self.platform.kill()
        self.start()

    def kill_redis(self) -> None:
        self.redis.stop()
        self.redis.start()

    def stop_the_database(self) -> None:
        self.postgres.shut_down()
        self.postgres.resume()

    def show(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(self.rollout).raise_for_status().json()
        return found

    def is_back(self) -> bool:
        """Whether the database answers again."""
        return self.client.get(self.rollout).is_success

    def until(self, state: str) -> dict[str, Any]:
        """Stay in that state, once it is there."""
        found: dict[str, Any] = eventually(lambda: (now := self.show())["state"] == state and now)
        return found

    def steer(self, step: str) -> None:
        self.client.post(f"{self.rollout}/{step}").raise_for_status()

    def counts(self) -> Counter[str]:
        """Of all steps, by counter."""
        total = func.sum(RolloutEvidence.count)
        engine = build_engine(self.postgres.url("postgres"))
        with engine.connect() as connection:
            rows = connection.execute(
                select(RolloutEvidence.counter, total).group_by(RolloutEvidence.counter)
            ).all()
        engine.dispose()
        return Counter({name: int(count) for name, count in rows})

    def settled(self) -> Counter[str]:
        """What was counted, once that no longer changes."""
        before = self.counts()
        while True:
            time.sleep(UNSENT_SECONDS)
            now = self.counts()
            if now == before:
                return now
            before = now


@pytest.fixture
def scene(breakable_postgres: PostgresServer, breakable_redis: RedisServer) -> Iterator[Scene]:
    with killable_platform() as platform:
        made = Scene(platform, breakable_postgres, breakable_redis)
        yield made
        made.client.close()
        assert platform.stop() == 0


@pytest.mark.parametrize("disturb", [Scene.kill_the_platform, Scene.kill_redis, Scene.stop_the_database])
def test_a_rollout_ends_as_it_would_have(disturb: Callable[[Scene], None], scene: Scene) -> None:
    scene.until("shadowing")
    with scene.callers.calling():
        for state in ("shadowing", "canary", "baking"):
            scene.until(state)
            scene.steer("pause")
            disturb(scene)
            eventually(scene.is_back)
            if state != "baking":
                scene.steer("resume")
    found = scene.settled()
    assert_counted_once(scene, found)
    scene.steer("resume")
    ended = eventually(lambda: (now := scene.show())["ended_at"] and now)
    assert ended["state"] == "promoted", ended
    print(ended["verdict"], dict(scene.callers.failed), scene.callers.sent, len(scene.callers.answered))


def assert_counted_once(scene: Scene, found: Counter[str]) -> None:
    callers = scene.callers
    requests = sum(found[counters.live_requests(side)] for side in (BASELINE, CANDIDATE))
    copies = found[counters.PAIRS] + found[counters.DROPPED]
    print(f"{len(callers.answered)} answered of {callers.sent}, {requests} counted, {copies} copied")
    if not scene.killed_at:
        assert not callers.failed
        assert requests == copies == len(callers.answered)
        return
    lost = sum(
        killed - UNSENT_SECONDS < answered <= killed
        for answered in callers.answered
        for killed in scene.killed_at
    )
    assert len(callers.answered) - lost <= requests <= callers.sent
    assert copies <= requests
