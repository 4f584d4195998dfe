"""Who works at what: on both databases, with workers that race, die and come back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from modelport_control_api.alerts.tables import DeliveryRow
from modelport_control_api.batch import repository
from modelport_control_api.batch.repository import Held
from modelport_control_api.batch_worker.leases import MAX_PREPARE_ATTEMPTS, LeaseRepository
from modelport_control_api.db.session import Database
from modelport_control_api.registry.tables import BatchChunk, BatchJob
from sqlalchemy import func, select, update

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LEASE = timedelta(seconds=15)
LATER = NOW + LEASE * 2
KEEP = timedelta(days=7)
ENDED: dict[str, Any] = {"now": NOW, "keep": KEEP}


def add_job(database: Database, name: str = "job", age: int = 0, **facts: Any) -> None:
    with database.transaction() as session:
        session.add(
            BatchJob(
                id=name,
                owner_id="ann",
                model_id="iris",
                version="v1",
                input_format="csv",
                output_format="csv",
                created_at=NOW - timedelta(minutes=age),
                **facts,
            )
        )


def prepare(database: Database, name: str, chunks: int, *, rows: int = 10) -> None:
    """Cut into `chunks` by a worker that then goes on to other work."""
    with database.transaction() as session:
        job = repository.claim_preparation(session, "cutter", NOW, LEASE)
        assert job is not None
        assert job.id == name
    for number in range(chunks):
        with database.transaction() as session:
            assert repository.add_chunk(session, name, "cutter", number, rows)
    with database.transaction() as session:
        total = chunks * rows
        assert repository.finish_preparation(
            session, name, "cutter", rows_total=total, key_columns=["id"], **ENDED
        )


def claim(database: Database, worker: str = "w", now: datetime = NOW) -> tuple[str, int] | None:
    with database.transaction() as session:
        chunk = repository.claim_chunk(session, worker, now, LEASE, model_id="iris", version="v1")
        return None if chunk is None else (chunk.job_id, chunk.number)


def finish(database: Database, name: str, number: int, worker: str = "w", failed: int = 0) -> bool:
    with database.transaction() as session:
        return repository.finish_chunk(session, name, number, worker, rows_failed=failed, **ENDED)


def read(database: Database, name: str = "job") -> BatchJob:
    with database.transaction(read_only=True) as session:
        job = repository.find(session, name)
        assert job is not None
        return job


def test_workers_that_race_get_each_chunk_once_and_the_last_one_ends_the_job(database: Database) -> None:
    add_job(database, webhook_url="https://example.com/done")
    prepare(database, "job", 30)

    def work(worker: str) -> list[int]:
        done = []
        while (claimed := claim(database, worker)) is not None:
            assert finish(database, *claimed, worker, failed=1)
            done.append(claimed[1])
        return done

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(work, [f"w{i}" for i in range(6)]))
    assert Counter(number for each in done for number in each) == Counter(range(30))
    job = read(database)
    assert (job.state, job.rows_done, job.rows_failed) == ("succeeded", 300, 30)
    assert job.expires_at == NOW + KEEP
    with database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 1


def test_a_chunk_of_a_dead_worker_is_claimed_again_and_counts_once(database: Database) -> None:
    add_job(database)
    prepare(database, "job", 1)
    assert claim(database, "dead") == ("job", 0)
    assert claim(database, "other") is None
    assert claim(database, "other", LATER) == ("job", 0)
    assert not finish(database, "job", 0, "dead")
    assert finish(database, "job", 0, "other")
    assert not finish(database, "job", 0, "other")
    assert (read(database).rows_done, read(database).state) == (10, "succeeded")


def test_a_preparation_that_broke_off_goes_on_elsewhere(database: Database) -> None:
    add_job(database)
    with database.transaction() as session:
        assert repository.claim_preparation(session, "dead", NOW, LEASE) is not None
    with database.transaction() as session:
        assert repository.add_chunk(session, "job", "dead", 0, 10)
        assert repository.claim_preparation(session, "other", NOW, LEASE) is None
        assert repository.claim_preparation(session, "other", LATER, LEASE) is not None
    with database.transaction() as session:
        assert not repository.add_chunk(session, "job", "dead", 1, 10)
        assert repository.add_chunk(session, "job", "other", 0, 10)
        assert repository.add_chunk(session, "job", "other", 1, 10)
        assert session.scalar(select(func.count()).select_from(BatchChunk)) == 2


async def test_an_input_that_kills_its_workers_fails_its_job(database: Database) -> None:
    add_job(database)
    for deaths in range(MAX_PREPARE_ATTEMPTS):
        assert await leases(database, f"w{deaths}").claim_input() is not None
        # Lost with the worker, and given back in order: only the first counts.
        with database.transaction() as session:
            session.execute(update(BatchJob).values(lease_until=NOW))
        stopping = leases(database, f"stopping{deaths}")
        if deaths < MAX_PREPARE_ATTEMPTS - 1:
            assert await stopping.claim_input() is not None
            await stopping.release_all()
    assert read(database).prepare_attempts == MAX_PREPARE_ATTEMPTS
    assert await leases(database, "last").claim_input() is None
    job = read(database)
    assert (job.state, job.reason) == ("failed", "InputInvalid")
    assert "died over it 5 times" in job.message


async def test_an_input_is_not_to_blame_for_a_store_that_is_away(database: Database) -> None:
    add_job(database)
    worker = leases(database, "w")
    for counts, attempts in ((False, 0), (True, 1)):
        assert await worker.claim_input() is not None
        await worker.put_off_input("job", counts=counts)
        assert await worker.claim_input() is None
        job = read(database)
        assert (job.state, job.prepare_attempts) == ("running", attempts)
        with database.transaction() as session:
            session.execute(update(BatchJob).values(lease_until=NOW))


def leases(database: Database, worker: str) -> LeaseRepository:
    return LeaseRepository(database, worker, lease_seconds=LEASE.total_seconds(), keep=KEEP)


def test_chunks_that_are_all_done_do_not_end_a_job_that_is_still_being_cut(database: Database) -> None:
    add_job(database)
    with database.transaction() as session:
        repository.claim_preparation(session, "cutter", NOW, LEASE)
    with database.transaction() as session:
        repository.add_chunk(session, "job", "cutter", 0, 10)
    assert claim(database) == ("job", 0)
    assert finish(database, "job", 0)
    assert read(database).state == "running"
    with database.transaction() as session:
        repository.finish_preparation(session, "job", "cutter", rows_total=10, key_columns=[], **ENDED)
    assert read(database).state == "succeeded"


def test_a_small_job_does_not_wait_for_a_large_one(database: Database) -> None:
    add_job(database, "large", age=1)
    prepare(database, "large", 5)
    assert claim(database) == ("large", 0)
    add_job(database, "small")
    prepare(database, "small", 2)
    assert [claim(database) for _ in range(4)] == [("small", 0), ("large", 1), ("small", 1), ("large", 2)]


def test_renewal_returns_what_is_still_held(database: Database) -> None:
    add_job(database, "cut", age=1)
    with database.transaction() as session:
        repository.claim_preparation(session, "w", NOW, LEASE)
        repository.add_chunk(session, "cut", "w", 0, 10)
    add_job(database, "done")
    prepare(database, "done", 2)
    claimed = {claim(database), claim(database)}
    all_three = Held(frozenset({"cut"}), frozenset({("cut", 0), ("done", 0)}))
    with database.transaction() as session:
        held = repository.renew(session, "w", all_three, NOW + LEASE * 0.9, LEASE)
    assert held.preparations == {"cut"}
    assert held.chunks == claimed == {("cut", 0), ("done", 0)}
    # Without the renewal it would be free by now.
    assert claim(database, "other", NOW + LEASE * 1.5) == ("done", 1)
    with database.transaction() as session:
        repository.fail_job(session, "done", "NoReadyVersion", "gone", **ENDED)
        assert repository.renew(session, "w", all_three, NOW, LEASE).chunks == {("cut", 0)}


def test_a_chunk_whose_task_failed_is_free_though_its_worker_goes_on(database: Database) -> None:
    add_job(database)
    prepare(database, "job", 2)
    assert [claim(database), claim(database)] == [("job", 0), ("job", 1)]
    with database.transaction() as session:
        in_work = Held(frozenset(), frozenset({("job", 1)}))
        repository.renew(session, "w", in_work, NOW + LEASE * 0.9, LEASE)
    assert claim(database, "other", NOW + LEASE * 1.5) == ("job", 0)
    assert claim(database, "other", NOW + LEASE * 1.5) is None


def test_what_a_stopping_worker_gives_back_is_free_at_once(database: Database) -> None:
    add_job(database)
    prepare(database, "job", 2)
    assert claim(database, "old") == ("job", 0)
    with database.transaction() as session:
        repository.release_all(session, "old")
    assert claim(database, "new") == ("job", 0)
    with database.transaction() as session:
        repository.release_chunk(session, "job", 0, "old")
    assert claim(database, "other") == ("job", 1)


def test_an_ended_job_accepts_no_more_chunks_and_requests_no_pods(database: Database) -> None:
    add_job(database)
    prepare(database, "job", 2)
    assert claim(database) == ("job", 0)
    with database.transaction() as session:
        assert repository.requested_replicas(session) == {("iris", "v1"): 1}
        assert repository.fail_job(session, "job", "NoReadyVersion", "v1 is gone.", **ENDED)
        assert not repository.fail_job(session, "job", "LoadFailed", "too late", **ENDED)
        assert repository.requested_replicas(session) == {}
    assert not finish(database, "job", 0)
    assert claim(database) is None
    assert (read(database).state, read(database).reason) == ("failed", "NoReadyVersion")


async def test_results_over_the_limit_of_a_job_end_it_and_their_files_are_due(database: Database) -> None:
    add_job(database)
    prepare(database, "job", 3)
    worker = LeaseRepository(
        database, "w", lease_seconds=LEASE.total_seconds(), keep=KEEP, most_result_bytes=1000
    )
    claimed = [await worker.claim_chunk(("iris", "v1")) for _ in range(2)]
    assert claimed[0] is not None
    assert claimed[1] is not None
    assert await worker.finish_chunk(claimed[0], 0, 600)
    assert not await worker.finish_chunk(claimed[1], 0, 600)
    job = read(database)
    assert (job.state, job.reason, job.result_bytes, job.rows_done) == ("failed", "InputInvalid", 600, 10)
    assert (
        "more than 1,000 bytes, the most for one job: submit the input in several smaller files"
        in job.message
    )
    assert job.expires_at == job.finished_at
