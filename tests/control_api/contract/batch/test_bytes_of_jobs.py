"""What jobs store counts toward what their submitter may hold, on both databases."""

import asyncio
import pickle
from pathlib import Path
from typing import Any

import orjson
import pytest
from modelport_control_api.batch import repository
from modelport_control_api.batch.sources.fetching import Fetching, Reader
from modelport_control_api.batch.storage.chunks import Chunk, write_chunk
from modelport_control_api.batch.storage.files import LocalBatchFiles
from modelport_control_api.batch_worker import error_rows
from modelport_control_api.batch_worker.chunks import ChunkWork
from modelport_control_api.batch_worker.error_rows import Rejected, read_reply
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.leases import ClaimedChunk, LeaseRepository
from modelport_control_api.batch_worker.pod_client import Pods
from modelport_control_api.batch_worker.preparing import Preparing
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from obstore.store import MemoryStore

from tests.control_api.contract.batch.test_claims import KEEP, add_job, prepare, read
from tests.control_api.contract.batch.test_jobs_api import TABLE, ann, model_id, platform, submit, work
from tests.control_api.unit.models.platform import Account, Platform

__all__ = ["ann", "model_id", "platform"]

IRIS = ("iris", "v1")


async def quota_of(account: Account) -> dict[str, int]:
    quota: dict[str, int] = (await account.http.get("/api/v1/auth/me")).json()["quota"]
    return quota


def files_bytes(platform: Platform) -> int:
    return size_of(platform.root / "artifacts/batch")


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


async def allow(platform: Platform, account: Account, more: int) -> None:
    quota, root = await quota_of(account), await platform.admin()
    user = (await account.http.get("/api/v1/auth/me")).json()["id"]
    limit = {"max_bytes": quota["bytes"] + more}
    assert (await root.http.patch(f"/api/v1/admin/users/{user}", json=limit)).status_code == 200


async def test_inputs_count_until_their_job_is_gone(platform: Platform, ann: Account, model_id: str) -> None:
    before = await quota_of(ann)
    job = (await submit(ann, model_id)).json()
    quota = await quota_of(ann)
    assert quota["job_bytes"] == len(TABLE)
    assert quota["bytes"] == before["bytes"] + len(TABLE) == quota["model_bytes"] + len(TABLE)
    await work(platform)
    assert (await ann.http.delete(f"/api/v1/jobs/{job['id']}")).status_code == 204
    assert await quota_of(ann) == before


async def test_at_the_quota_no_job_is_taken_and_no_model(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await allow(platform, ann, 2 * len(TABLE))
    responses = await asyncio.gather(*(submit(ann, model_id) for _ in range(6)))
    assert sorted(response.status_code for response in responses) == [202, 202, 409, 409, 409, 409]
    refused = next(response.json() for response in responses if response.status_code == 409)
    assert f"{2 * len(TABLE)} of batch jobs" in refused["detail"]
    assert "ask an administrator" in refused["detail"]
    assert files_bytes(platform) == 2 * len(TABLE)
    assert (await ann.upload(pickle.dumps("any"))).status_code == 409
    first = next(response.json()["id"] for response in responses if response.status_code == 202)
    for _ in range(2):  # Cancelled, then removed.
        await ann.http.delete(f"/api/v1/jobs/{first}")
    assert (await submit(ann, model_id)).status_code == 202


async def test_what_is_cut_and_predicted_is_counted_to_the_byte(database: Database, tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path)
    add_job(database, input_bytes=8)
    (tmp_path / "rows.csv").write_bytes(b"a\n1\n2\n3\n")
    files.put_input("job", tmp_path / "rows.csv")
    leases = worker(database, 1 << 20)
    assert await preparing(leases, files).do_one()
    claimed = await leases.claim_chunk(IRIS)
    assert claimed is not None
    await ChunkWork(leases, files).do(claimed, Answering(b"1"))
    job = read(database)
    assert job.state == "succeeded"
    stored = size_of(tmp_path / "batch/job")
    assert (job.input_bytes or 0) + job.chunk_bytes + job.result_bytes == stored


async def test_chunks_that_are_too_much_end_the_job_without_files(database: Database, tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path)
    add_job(database, input_bytes=8)
    (tmp_path / "rows.csv").write_bytes(b"a\n1\n2\n3\n")
    files.put_input("job", tmp_path / "rows.csv")
    assert await preparing(worker(database, 9), files).do_one()
    is_ended_by_the_quota(database, "submit the job again")
    assert not (tmp_path / "batch/job").exists()
    assert read(database).chunk_bytes == 0


async def test_a_fetched_input_that_is_too_much_goes_again(database: Database, tmp_path: Path) -> None:
    bucket, files = MemoryStore(), LocalBatchFiles(tmp_path)
    bucket.put("rows.csv", b"a\n1\n2\n3\n")
    add_job(database, input_uri="s3://data/rows.csv")
    assert await preparing(worker(database, 7), files, bucket).do_one(elsewhere=True)
    is_ended_by_the_quota(database, "submit the job again")
    assert not (tmp_path / "batch/job").exists()


async def test_results_that_are_too_much_end_the_job_and_what_was_done_stays(
    database: Database, tmp_path: Path
) -> None:
    files, leases = LocalBatchFiles(tmp_path), worker(database, 100)
    first, second = await two_chunks(database, leases, files)
    await ChunkWork(leases, files).do(first, Answering(b"1"))
    assert read(database).rows_done == 2
    await ChunkWork(leases, files).do(second, Answering(b'"%b"' % (b"x" * 100)))
    is_ended_by_the_quota(database, "no prediction")
    assert results(tmp_path) == ["000000"], "what counts as nothing is not there"
    job = read(database)
    assert (job.rows_done, job.expires_at) == (2, (job.finished_at or utc_now()) + KEEP)


async def test_a_result_that_comes_after_the_jobs_end_is_not_kept(database: Database, tmp_path: Path) -> None:
    files, leases = LocalBatchFiles(tmp_path), worker(database, 1 << 20)
    first, second = await two_chunks(database, leases, files)
    await ChunkWork(leases, files).do(first, Answering(b"1"))
    with database.transaction() as session:
        job = repository.lock(session, "job")
        assert job is not None
        repository.end(session, job, "cancelled", utc_now(), KEEP)
    await ChunkWork(leases, files).do(second, Answering(b"1"))
    assert results(tmp_path) == ["000000"]


async def test_responses_too_large_leave_no_unread_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_rows, "MAX_RESULTS_BYTES", 1000)
    files, leases = LocalBatchFiles(tmp_path), worker(database, 1 << 30)
    first, _ = await two_chunks(database, leases, files)
    await ChunkWork(leases, files).do(first, Answering(b'"%b"' % (b"x" * 2000), alone=True))
    job = read(database)
    assert (job.state, job.reason, job.expires_at) == ("failed", "InputInvalid", job.finished_at)
    assert not (tmp_path / "batch/job").exists()


async def test_responses_too_large_leave_the_results_that_are_there(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_rows, "MAX_RESULTS_BYTES", 1000)
    files, leases = LocalBatchFiles(tmp_path), worker(database, 1 << 30)
    first, second = await two_chunks(database, leases, files)
    await ChunkWork(leases, files).do(first, Answering(b"1"))
    await ChunkWork(leases, files).do(second, Answering(b'"%b"' % (b"x" * 2000), alone=True))
    job = read(database)
    assert (job.state, job.expires_at) == ("failed", (job.finished_at or utc_now()) + KEEP)
    assert results(tmp_path) == ["000000"]


class Answering(Pods):
    """Answers each row with the same JSON value, however long."""

    def __init__(self, value: bytes, *, alone: bool = False) -> None:
        """alone: it takes no two rows together."""
        super().__init__(1, 1.0)
        self._value = value
        self._alone = alone

    def pod_client(self, **_: bool) -> Any:
        return self

    async def predict(self, inputs: bytes, rows: int) -> Any:
        if self._alone and rows > 1:
            return Rejected("one by one")
        body = b'{"predictions":[%b]}' % b",".join([self._value] * rows)
        return read_reply(200, body, rows, probabilities=False)


def worker(database: Database, most_user_bytes: int) -> LeaseRepository:
    return LeaseRepository(database, "w", lease_seconds=60, keep=KEEP, most_user_bytes=most_user_bytes)


def preparing(
    leases: LeaseRepository, files: LocalBatchFiles, bucket: MemoryStore | None = None
) -> Preparing:
    fetching = Fetching(
        files, Reader(open_bucket=lambda _: bucket or MemoryStore()), max_bytes=1000, pauses=()
    )
    return Preparing(leases, files, fetching, LeasedTasks(), cut=asyncio.Event())


async def two_chunks(
    database: Database, leases: LeaseRepository, files: LocalBatchFiles
) -> tuple[ClaimedChunk, ClaimedChunk]:
    add_job(database)
    prepare(database, "job", 2, rows=2)
    for number in range(2):
        files.put_chunk("job", number, write_chunk(Chunk(2 * number, 2, orjson.dumps([[1], [2]]), {}, {})))
    first, second = await leases.claim_chunk(IRIS), await leases.claim_chunk(IRIS)
    assert first is not None
    assert second is not None
    return first, second


def is_ended_by_the_quota(database: Database, cure: str) -> None:
    job = read(database)
    assert (job.state, job.reason) == ("failed", "StorageQuotaReached")
    assert "ask an administrator" in job.message
    assert cure in job.message


def results(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "batch/job/results").iterdir())
