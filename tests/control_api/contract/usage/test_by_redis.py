"""From a gateway's counter into the ledger by a real Redis, through everything that can be away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa
from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.usage import ledger, stream
from modelport_control_api.usage.consumer import SamplesConsumer, UsageConsumer
from modelport_control_api.usage.metrics import SAMPLES_LOST
from modelport_control_api.usage.tables import RequestsOfMinute
from modelport_gateway.usage import reports
from modelport_gateway.usage.counter import UsageCounter
from modelport_gateway.usage.evidence import EvidenceCounter
from modelport_gateway.usage.observed import ObservedPredictions
from modelport_gateway.usage.redis_usage import RedisUsage
from modelport_gateway.usage.reports import SampleQueue, UsageReports
from modelport_telemetry.usage.wire import FIELD, SAMPLES_STREAM, USAGE_STREAM

from tests.gateway.unit.usage.test_counter import outcome
from tests.support.postgres_fixtures import PostgresServer
from tests.support.redis_fixtures import RedisServer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, in less time."""
    monkeypatch.setattr(reports, "_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(reports, "_FIRST_AGAIN_SECONDS", 0.5)
    monkeypatch.setattr(reports, "_FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(reports, "_LAST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(stream, "_BLOCK_MILLISECONDS", 100)
    monkeypatch.setattr(stream, "_ABANDONED_MILLISECONDS", 300)
    monkeypatch.setattr(stream, "_LOOK_EVERY_SECONDS", 0.1)


class CountingGateway:
    """A gateway that counts without end."""

    def __init__(self, redis_url: str) -> None:
        self.counter = UsageCounter(10_000)
        self.samples = SampleQueue()
        self.sink = RedisUsage(redis_url)
        self.reports = UsageReports(
            self.counter, self.samples, self.sink, EvidenceCounter(100), ObservedPredictions(100)
        )
        self.counted = 0

    async def count_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.counter.count(outcome(f"user-{self.counted % 7}"), 0.001, ended=time.perf_counter())
            self.counted += 1
            await asyncio.sleep(0.001)


@asynccontextmanager
async def counting(redis_url: str) -> AsyncIterator[CountingGateway]:
    gateway = CountingGateway(redis_url)
    running = asyncio.create_task(gateway.reports.run())
    try:
        yield gateway
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await gateway.reports.finish(10)
        await gateway.sink.aclose()


@asynccontextmanager
async def consuming(redis_url: str, database: Database) -> AsyncIterator[UsageConsumer]:
    consumer = UsageConsumer(redis_url, database)
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def total(database: Database) -> int:
    with database.transaction(read_only=True) as session:
        return int(
            session.scalar(sa.select(sa.func.coalesce(sa.func.sum(RequestsOfMinute.requests), 0))) or 0
        )


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(postgres_url)
    yield opened
    opened.close()


async def test_two_replicas_write_what_a_gateway_counted(redis_url: str, database: Database) -> None:
    async with consuming(redis_url, database), consuming(redis_url, database):
        async with counting(redis_url) as gateway:
            await gateway.count_for(1)
        assert total(database) == gateway.counted


async def test_a_redis_that_is_emptied_loses_nothing(redis_server: RedisServer, database: Database) -> None:
    async with consuming(redis_server.url, database):
        async with counting(redis_server.url) as gateway:
            with redis_server.client() as client:
                for _ in range(5):
                    await gateway.count_for(0.3)
                    await asyncio.to_thread(client.flushall)
        assert total(database) == gateway.counted


async def test_a_redis_that_dies_and_comes_back_empty_loses_nothing(
    breakable_redis: RedisServer, database: Database
) -> None:
    async with consuming(breakable_redis.url, database):
        async with counting(breakable_redis.url) as gateway:
            await gateway.count_for(0.5)
            breakable_redis.stop()
            await gateway.count_for(0.5)
            await asyncio.to_thread(breakable_redis.start)
            await gateway.count_for(0.5)
        assert total(database) == gateway.counted


async def test_while_the_database_is_away_usage_waits(
    redis_url: str, breakable_postgres: PostgresServer
) -> None:
    url = breakable_postgres.url("postgres")
    await asyncio.to_thread(migrate.upgrade, url)
    database = Database(url)
    async with consuming(redis_url, database):
        async with counting(redis_url) as gateway:
            await gateway.count_for(0.5)
            await asyncio.to_thread(breakable_postgres.shut_down)
            await gateway.count_for(0.5)
            await asyncio.to_thread(breakable_postgres.resume)
        assert total(database) == gateway.counted
    database.close()


async def test_a_replica_that_dies_between_the_commit_and_the_confirmation_changes_nothing(
    redis_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = asyncio.Event()

    async def die(*_: Any, **__: Any) -> None:
        died.set()
        await asyncio.Event().wait()

    async with counting(redis_url) as gateway:
        async with consuming(redis_url, database) as dying:
            monkeypatch.setattr(dying._stream, "forget", die)
            await gateway.count_for(0.3)
            await died.wait()
        before = total(database)
        assert before > 0, "it was committed"
        async with consuming(redis_url, database):
            await gateway.reports.finish(10)
    assert total(database) == gateway.counted >= before


async def test_what_a_stopped_gateway_left_in_redis_is_taken_over_from_a_replica_that_died(
    redis_url: str, redis_server: RedisServer, database: Database
) -> None:
    gateway = CountingGateway(redis_url)
    await gateway.count_for(0.05)
    await gateway.reports.turn()
    await gateway.sink.aclose()
    with redis_server.client() as client:
        client.xgroup_create(USAGE_STREAM, "control-api", id="0")
        assert client.xreadgroup("control-api", "died", {USAGE_STREAM: ">"})
    async with consuming(redis_url, database):
        await eventually(lambda: total(database) == gateway.counted)
        await eventually(lambda: entries(redis_server, USAGE_STREAM) == 0)


async def test_what_is_no_batch_is_set_aside_and_holds_up_nobody(
    redis_url: str, redis_server: RedisServer, database: Database
) -> None:
    with redis_server.client() as client:
        client.xadd(USAGE_STREAM, {FIELD: b"no batch"})
        client.xadd(USAGE_STREAM, {"other": b"field"})
    async with consuming(redis_url, database):
        async with counting(redis_url) as gateway:
            await gateway.count_for(0.2)
        assert total(database) == gateway.counted
        await eventually(lambda: entries(redis_server, USAGE_STREAM) == 0)
    with redis_server.client() as client:
        assert client.xpending(USAGE_STREAM, "control-api")["pending"] == 0


async def test_one_batch_that_the_database_refuses_does_not_keep_out_the_others(
    redis_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_one(session: Any, batches: Any) -> int:
        if any(line.caller == "user-3" for batch in batches for line in batch.lines):
            raise ValueError("a string with a NUL")
        return write(session, batches)

    write = ledger.write
    monkeypatch.setattr(ledger, "write", refuse_one)
    gateway = CountingGateway(redis_url)
    for number in range(7):
        gateway.counter.count(outcome(f"user-{number}"), 0.001, ended=time.perf_counter())
        await gateway.reports.turn()
    async with consuming(redis_url, database):
        await eventually(lambda: total(database) == 6)
    await gateway.sink.aclose()


async def test_samples_reach_their_handlers_and_what_fails_is_counted(
    redis_url: str, redis_server: RedisServer, database: Database
) -> None:
    taken: list[bytes] = []

    def keep(session: Any, payloads: list[bytes]) -> None:
        taken.extend(payloads)

    def fail(session: Any, payloads: list[bytes]) -> None:
        raise ValueError("none of ours")

    lost = SAMPLES_LOST.labels("drift")._value.get()
    consumer = SamplesConsumer(redis_url, database, {"history": keep, "drift": fail})
    running = asyncio.create_task(consumer.run())
    async with counting(redis_url) as gateway:
        for kind in ("history", "drift", "unknown", "history"):
            gateway.samples.put(kind, kind.encode())
        await eventually(lambda: len(taken) == 2)
        await eventually(lambda: entries(redis_server, SAMPLES_STREAM) == 0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert SAMPLES_LOST.labels("drift")._value.get() == lost + 1
    with redis_server.client() as client:
        assert client.xlen(SAMPLES_STREAM) == 0


def entries(redis_server: RedisServer, stream_name: str) -> int:
    """How many are left: those that were written are deleted only after their commit."""
    with redis_server.client() as client:
        return int(client.xlen(stream_name))


async def eventually(check: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 - the fact sets no event
            await asyncio.sleep(0.02)
