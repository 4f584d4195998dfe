"""Several replicas publish: never two the same model at once, and always the latest state in the end."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from modelport_control_api import outbox
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.session import Database
from modelport_control_api.identity import Caller, Origin, Principal
from modelport_control_api.publisher.advisory_lock import LockLost, turn
from modelport_control_api.publisher.publisher import Publisher, PublisherIntervals
from modelport_control_api.registry import service
from modelport_control_api.registry.quotas import Limits
from sqlalchemy import text

from tests.control_api.unit.models.fake_cluster import FakeCluster

PACE = PublisherIntervals(poll=0.05, first_retry=0.01, last_retry=0.05)
VERSION = service.NewVersion("sklearn", "a" * 64, 10, {"input": [1, 2]})
REPLICAS = 3


class SlowCluster(FakeCluster):
    """Takes its time, and notes when two write the same model at once."""

    def __init__(self) -> None:
        super().__init__()
        self.writing: set[str] = set()
        self.collisions = 0

    async def apply(self, obj: dict[str, Any], *, field_manager: str) -> dict[str, Any]:
        name = obj["metadata"]["name"]
        self.collisions += name in self.writing
        self.writing.add(name)
        await asyncio.sleep(0.02)
        self.writing.discard(name)
        return await super().apply(obj, field_manager=field_manager)


def caller(database: Database) -> Caller:
    with database.transaction() as session:
        session.add(User(id="ann", email="ann@example.com", password_hash="-", full_name=None))
    principal = Principal("ann", "ann@example.com", False, frozenset(), "session", "s1")
    return Caller(principal, Origin("r", "127.0.0.1"))


def pending(database: Database) -> dict[str, int]:
    with database.transaction(read_only=True) as session:
        return outbox.pending(session)


async def test_replicas_never_write_a_model_at_once_and_end_with_the_latest(postgres_url: str) -> None:
    database, cluster = Database(postgres_url), SlowCluster()
    ann = caller(database)
    with database.transaction() as session:
        model_id = service.create_model(
            session, ann, name="Iris", description="", version=VERSION, limits=Limits(100, 10**9)
        ).id
    async with AsyncExitStack() as stack:
        databases = [Database(postgres_url) for _ in range(REPLICAS)]
        publishers = [Publisher(each, cluster, "models", PACE) for each in databases]
        tasks = [asyncio.create_task(publisher.run()) for publisher in publishers]
        for each in (*databases, database):
            stack.callback(each.close)
        for number in range(1, 41):
            change = {"timeout_seconds": number}
            await asyncio.to_thread(_change, database, ann, model_id, change)
            publishers[number % REPLICAS].wake()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(120):
            while await asyncio.to_thread(pending, database):  # noqa: ASYNC110 - a row tells nobody
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert cluster.collisions == 0
    assert cluster.objects[model_id]["spec"]["timeoutSeconds"] == 40


def _change(database: Database, ann: Caller, model_id: str, change: dict[str, Any]) -> None:
    with database.transaction() as session:
        service.change_model(session, ann, model_id, change)


async def test_a_turn_is_held_by_one_and_free_afterward(postgres_url: str) -> None:
    one, other = Database(postgres_url), Database(postgres_url)
    async with turn(one, "iris") as first, turn(other, "iris") as second, turn(other, "wine") as another:
        assert (first, second, another) == (True, False, True)
    async with turn(other, "iris") as free:
        assert free
    one.close()
    other.close()


async def test_a_lock_that_the_database_took_back_is_reported_as_lost(postgres_url: str) -> None:
    database = Database(postgres_url)
    lost = False
    try:
        async with turn(database, "iris"):
            with database.engine.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
    except LockLost:
        lost = True
    assert lost
    database.close()
