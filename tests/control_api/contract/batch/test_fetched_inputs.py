"""A worker and the inputs that it fetches: cut once they are whole, or the reason why not."""

import asyncio
from pathlib import Path

import pytest
from modelport_control_api.batch.sources.fetching import Fetching, Reader
from modelport_control_api.batch.storage.files import LocalBatchFiles
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.preparing import Preparing
from modelport_control_api.db.session import Database
from modelport_control_api.registry.tables import BatchJob
from obstore.store import MemoryStore
from sqlalchemy import update

from tests.control_api.contract.batch.test_claims import NOW, add_job, leases, read

ROWS = b"a,b\n" + b"1,2\n" * 7


def preparing(database: Database, folder: Path, bucket: MemoryStore) -> Preparing:
    files = LocalBatchFiles(folder)
    fetching = Fetching(files, Reader(open_bucket=lambda _: bucket), max_bytes=1000, pauses=())
    return Preparing(leases(database, "w"), files, fetching, LeasedTasks(), cut=asyncio.Event())


async def test_a_named_input_is_fetched_once_and_cut(database: Database, tmp_path: Path) -> None:
    bucket = MemoryStore()
    bucket.put("rows.csv", ROWS)
    add_job(database, input_uri="s3://data/rows.csv")
    worker = preparing(database, tmp_path, bucket)
    # Those that were sent never wait for those that are fetched.
    assert not await worker.do_one()
    assert await worker.do_one(elsewhere=True)
    job = read(database)
    assert (job.state, job.rows_total, job.input_bytes) == ("running", 7, len(ROWS))
    # Its worker died before the end: what was fetched is there.
    bucket.delete("rows.csv")
    with database.transaction() as session:
        session.execute(update(BatchJob).values(rows_total=None, lease_until=NOW))
    assert await worker.do_one(elsewhere=True)
    assert read(database).rows_total == 7


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (None, "csv", "The input could not be fetched from s3://data/rows. Nothing lies there."),
        (bytes(1001), "csv", "It is larger than 1,000 bytes"),
        (b"", "csv", "It is empty."),
        (b"PK\x03\x04 no table", "parquet", "The file cannot be read as Parquet"),
        (b"<html>sign in</html>", "json", '{"inputs": [row'),
        (b"1,2\n3,4\n", "csv", "must name the columns"),
    ],
)
async def test_what_is_no_input_fails_its_job_in_words(
    *, database: Database, tmp_path: Path, content: bytes | None, kind: str, words: str
) -> None:
    bucket = MemoryStore()
    if content is not None:
        bucket.put("rows", content)
    signature = {"columns": [{"name": name, "kind": "number"} for name in "ab"], "input": "rows"}
    add_job(database, input_uri="s3://data/rows", signature=signature)
    with database.transaction() as session:
        session.execute(update(BatchJob).values(input_format=kind))
    assert await preparing(database, tmp_path, bucket).do_one(elsewhere=True)
    job = read(database)
    assert (job.state, job.reason) == ("failed", "InputInvalid")
    assert words in job.message
