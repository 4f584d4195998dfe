"""What users ask for reaches the cluster, whatever fails in between and whenever the process dies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from modelport_control_api import outbox
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.base import Base
from modelport_control_api.db.session import Database
from modelport_control_api.identity import Caller, Origin, Principal
from modelport_control_api.publisher.publisher import Publisher, PublisherIntervals
from modelport_control_api.registry import service
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.registry.records import ModelRecord
from modelport_crds import mlmodel

from tests.control_api.unit.models.fake_cluster import FakeCluster
from tests.support.waiting import until

NAMESPACE = "modelport-models"
PACE = PublisherIntervals(poll=30, resync=600, first_retry=0.01, last_retry=0.05)
VERSION = service.NewVersion("sklearn", "a" * 64, 10, {"input": [1, 2]})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/control.sqlite")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        session.add(User(id="ann", email="ann@example.com", password_hash="-", full_name=None))
    yield database
    database.close()


@pytest.fixture
def ann() -> Caller:
    scopes = frozenset({"models:read", "models:write"})
    principal = Principal("ann", "ann@example.com", False, scopes, "session", "s1")
    return Caller(principal, Origin("request-1", "127.0.0.1"))


@asynccontextmanager
async def publishing(
    database: Database, cluster: FakeCluster, pace: PublisherIntervals = PACE, *, overwrite: bool = False
) -> AsyncIterator[Publisher]:
    publisher = Publisher(database, cluster, NAMESPACE, pace, overwrite=overwrite)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def create(database: Database, caller: Caller, version: service.NewVersion = VERSION) -> ModelRecord:
    with database.transaction() as session:
        return service.create_model(
            session, caller, name="Iris", description="", version=version, limits=Limits(100, 10**9)
        )


def pending(database: Database) -> dict[str, int]:
    with database.transaction(read_only=True) as session:
        return outbox.pending(session)


async def test_the_order_of_a_samples_fields_goes_along_with_it(database: Database, ann: Caller) -> None:
    """They may be the names of a model that knows none; the Kubernetes API sorts them."""
    cluster = FakeCluster()
    sample = {"input": {"width": 1, "age": 2, "length": 3}}
    record = create(database, ann, service.NewVersion("sklearn", "a" * 64, 10, sample))
    async with publishing(database, cluster):
        await until(lambda: not pending(database))
    (version,) = cluster.objects[record.id]["spec"]["versions"]
    assert version["sampleColumns"] == ["width", "age", "length"]


async def test_a_model_reaches_the_cluster_as_a_whole_resource(database: Database, ann: Caller) -> None:
    cluster = FakeCluster()
    record = create(database, ann)
    async with publishing(database, cluster):
        await until(lambda: not pending(database))
    obj = cluster.objects[record.id]
    model = mlmodel.from_object(obj)
    assert obj["metadata"]["namespace"] == NAMESPACE
    assert obj["metadata"]["labels"]["serving.modelport.dev/model"] == record.id
    assert model.spec.owner == "ann"
    assert model.spec.traffic == (mlmodel.WantedTarget(version="v1", weight=100),)
    assert model.spec.cache == mlmodel.Cache(ttl_seconds=3600)
    assert model.spec.versions[0].artifact.uri == "artifact:" + "a" * 64
    assert model.spec.versions[0].sample == {"input": [1, 2]}


async def test_a_commit_is_published_at_once_without_waiting_for_the_poll(
    database: Database, ann: Caller
) -> None:
    cluster = FakeCluster()
    async with publishing(database, cluster) as publisher:
        first = create(database, ann)
        publisher.wake()
        await until(lambda: first.id in cluster.objects and not pending(database))
        record = create(database, ann)
        publisher.wake()
        await until(lambda: record.id in cluster.objects)


async def test_a_failing_cluster_is_called_until_the_change_is_applied(
    database: Database, ann: Caller
) -> None:
    cluster = FakeCluster(fail_applies=5)
    record = create(database, ann)
    async with publishing(database, cluster):
        await until(lambda: not pending(database))
    assert cluster.fail_applies == 0
    assert record.id in cluster.objects


async def test_one_model_that_fails_holds_up_no_other(database: Database, ann: Caller) -> None:
    bad, good = create(database, ann), create(database, ann)

    class Picky(FakeCluster):
        async def apply(self, obj: dict[str, object], *, field_manager: str) -> dict[str, object]:
            if obj["metadata"]["name"] == bad.id:  # type: ignore[index]  # the Kubernetes API's plain dictionaries
                raise ConnectionError
            return await super().apply(obj, field_manager=field_manager)

    cluster = Picky()
    async with publishing(database, cluster):
        await until(lambda: good.id in cluster.objects)
        await until(lambda: set(pending(database)) == {bad.id})


async def test_what_was_committed_before_a_crash_is_published_by_the_next_start(
    database: Database, ann: Caller
) -> None:
    record = create(database, ann)
    cluster = FakeCluster(fail_applies=10_000)
    async with publishing(database, cluster):
        await until(lambda: cluster.fail_applies < 10_000)
    assert record.id in pending(database)
    cluster.fail_applies = 0
    async with publishing(database, cluster):
        await until(lambda: record.id in cluster.objects and not pending(database))


async def test_a_deleted_model_leaves_the_cluster_even_if_it_fails_first(
    database: Database, ann: Caller
) -> None:
    cluster = FakeCluster()
    record = create(database, ann)
    async with publishing(database, cluster) as publisher:
        await until(lambda: record.id in cluster.objects)
        cluster.fail_applies = 2
        with database.transaction() as session:
            service.delete_model(session, ann, record.id)
        publisher.wake()
        await until(lambda: record.id not in cluster.objects and not pending(database))


async def test_with_overwrite_a_start_restores_what_was_lost_and_removes_what_no_row_has(
    database: Database, ann: Caller
) -> None:
    cluster = FakeCluster()
    record = create(database, ann)
    async with publishing(database, cluster):
        await until(lambda: not pending(database) and record.id in cluster.objects)
    orphan = {**cluster.objects.pop(record.id)}
    orphan["metadata"] = {**orphan["metadata"], "name": "orphan"}
    by_hand = {**orphan, "metadata": {"name": "by-hand", "namespace": NAMESPACE, "labels": {}}}
    cluster.objects = {"orphan": orphan, "by-hand": by_hand}
    async with publishing(database, cluster, overwrite=True):
        await until(lambda: set(cluster.objects) == {record.id, "by-hand"})


async def test_a_change_during_an_apply_is_applied_after_it(database: Database, ann: Caller) -> None:
    record = create(database, ann)

    class Slow(FakeCluster):
        async def apply(self, obj: dict[str, object], *, field_manager: str) -> dict[str, object]:
            if not self.applies:
                with database.transaction() as session:
                    service.change_model(session, ann, record.id, {"access": "public"})
            return await super().apply(obj, field_manager=field_manager)

    cluster = Slow()
    async with publishing(database, cluster):
        await until(lambda: len(cluster.applies) == 2)
    assert mlmodel.from_object(cluster.objects[record.id]).spec.access == "public"
