"""A real worker process that is killed over an input, with SIGKILL."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from modelport_control_api.auth.tables import User
from modelport_control_api.batch import repository
from modelport_control_api.batch.tables import BatchJob
from modelport_control_api.batch.worker.desk import MAX_PREPARE_ATTEMPTS
from modelport_control_api.db import migrate
from modelport_control_api.db.session import Database

_SECONDS = 40


async def test_the_last_death_over_an_input_fails_its_job(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/db.sqlite"
    migrate.upgrade(database_url)
    database = Database(database_url)
    try:
        with database.transaction() as session:
            session.add(User(id="ann", email="ann@example.com", password_hash="x"))
            session.add(
                BatchJob(
                    id="job",
                    owner_id="ann",
                    model_id="iris",
                    version="v1",
                    input_format="csv",
                    output_format="csv",
                    prepare_attempts=MAX_PREPARE_ATTEMPTS - 1,
                )
            )
        # Whoever reads it waits for ever.
        (tmp_path / "artifacts" / "batch" / "job").mkdir(parents=True)
        os.mkfifo(tmp_path / "artifacts" / "batch" / "job" / "input")
        doomed = await start_worker(tmp_path, database_url)
        await until(database, lambda job: job.prepare_attempts == MAX_PREPARE_ATTEMPTS)
        doomed.kill()
        await doomed.wait()
        next_one = await start_worker(tmp_path, database_url)
        await until(database, lambda job: job.state == "failed")
        next_one.kill()
        await next_one.wait()
        job = find(database)
        assert (job.reason, job.prepare_attempts) == ("InputInvalid", MAX_PREPARE_ATTEMPTS + 1)
        assert "the worker died over it 5 times" in job.message
    finally:
        database.close()


async def start_worker(root: Path, database_url: str) -> asyncio.subprocess.Process:
    environment = {
        **os.environ,
        "MODELPORT_CONTROL_API_DATABASE_URL": database_url,
        "MODELPORT_CONTROL_API_ARTIFACTS_URL": str(root / "artifacts"),
        "MODELPORT_CONTROL_API_INTERNAL_URL": f"unix:{root}/nobody.sock",
        "MODELPORT_INTERNAL_KEY": "nobody-is-asked-for-anything",
        "MODELPORT_CONTROL_API_WORKER_LISTEN": "",
        "MODELPORT_CONTROL_API_BATCH_LEASE_SECONDS": "3",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "modelport_control_api", "worker"), env=environment
    )


def find(database: Database) -> BatchJob:
    with database.transaction(read_only=True) as session:
        job = repository.find(session, "job")
        assert job is not None
        return job


async def until(database: Database, condition: Callable[[BatchJob], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition(find(database)):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.1)
