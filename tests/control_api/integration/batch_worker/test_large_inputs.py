"""A real worker process and small files that stand for much: their jobs end with words, and nothing stays."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from modelport_control_api.batch import repository
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database

from tests.support.lone_worker import database_with_a_job, find, input_of, start_worker, until

ONE_PAGE = {"use_dictionary": False, "data_page_size": 1 << 30, "compression": "zstd"}
NUMBERS = {"columns": [{"name": "x", "kind": "number", "optional": False}], "input": "rows"}
MIB = 1 << 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with database_with_a_job(tmp_path, signature=NUMBERS, input_format="parquet", input_bytes=1) as made:
        yield made


@pytest.mark.parametrize(
    ("text_bytes", "rows", "options", "limits", "words"),
    [
        pytest.param(
            MIB // 4,
            1200,
            {},
            {},
            "take more than 269,735,456 bytes",
            id="more than a small file may stand for",
        ),
        pytest.param(
            MIB, 8, {}, {"BATCH_MAX_CELL_BYTES": "65536"}, "'note', the most that a cell", id="a cell"
        ),
        pytest.param(
            MIB, 20, {}, {"BATCH_MAX_JOB_BYTES": str(3 * MIB)}, "take more than 3,145,728 bytes", id="a job"
        ),
        pytest.param(
            MIB,
            240,
            ONE_PAGE,
            {"WORKER_MEMORY_BYTES": str(300 * MIB)},
            "takes more memory to read",
            id="memory",
        ),
    ],
)
async def test_it_ends_the_job_and_leaves_no_file(
    tmp_path: Path,
    database: Database,
    text_bytes: int,
    rows: int,
    options: dict[str, Any],
    limits: dict[str, str],
    words: str,
) -> None:
    write_input(tmp_path, text_bytes, rows, options)
    async with worker(tmp_path, **limits):
        await until(database, lambda job: job.state == "failed")
        while input_of(tmp_path).parent.exists():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.05)
    job = find(database)
    assert job.reason == "InputInvalid", job.message
    assert words in job.message
    assert "smaller files" in job.message or "leave the column out" in job.message
    assert job.finished_at is not None
    assert job.expires_at == job.finished_at


async def test_a_cancelled_job_is_no_longer_cut(tmp_path: Path, database: Database) -> None:
    write_input(tmp_path, 100_000, 2500, {})
    chunks = input_of(tmp_path).parent / "chunks"
    async with worker(tmp_path):
        await until(database, lambda job: job.chunks_prepared > 2)
        with database.transaction() as session:
            job = repository.lock(session, "job")
            assert job is not None
            repository.end(session, job, "cancelled", utc_now(), timedelta(days=1))
        await asyncio.sleep(2)
        there = len(list(chunks.iterdir()))
        await asyncio.sleep(1)
        assert len(list(chunks.iterdir())) == there < 120


def write_input(root: Path, text_bytes: int, rows: int, options: dict[str, Any]) -> None:
    path = input_of(root)
    path.parent.mkdir(parents=True)
    table = pyarrow.table({"x": [1.0] * rows, "note": ["a" * text_bytes] * rows})
    pyarrow.parquet.write_table(table, path, **options)
    assert path.stat().st_size < 1_200_000


@asynccontextmanager
async def worker(root: Path, **limits: str) -> AsyncIterator[None]:
    process = await start_worker(root, **limits)
    try:
        yield
    finally:
        process.kill()
        await process.wait()
