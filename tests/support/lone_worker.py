"""A real worker process without a platform: a database with one job, and nobody who has pods for it."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelport_control_api.accounts.tables import User
from modelport_control_api.batch import repository
from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.registry.tables import BatchJob

_SECONDS = 240


def input_of(root: Path) -> Path:
    """Where the job's input lies."""
    return root / "artifacts" / "batch" / "job" / "input"


@contextmanager
def database_with_a_job(root: Path, **job: Any) -> Iterator[Database]:
    """`job`: columns of `BatchJob` beside its identity."""
    migrate.upgrade(_url(root))
    database = Database(_url(root))
    try:
        with database.transaction() as session:
            session.add(User(id="ann", email="ann@example.com", password_hash="x"))
            session.add(
                BatchJob(id="job", owner_id="ann", model_id="iris", version="v1", output_format="csv", **job)
            )
        yield database
    finally:
        database.close()


async def start_worker(root: Path, **settings: str) -> asyncio.subprocess.Process:
    """`settings`: of the control API, named without their prefix."""
    environment = {
        # Not measured: it is killed in the end, and writes nothing of what it counted.
        **{name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"},
        "MODELPORT_INTERNAL_KEY": "nobody-is-asked-for-anything",
        # As `modelport up` has them: a memory limit then counts what is used, not what is set aside.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OPENBLAS_NUM_THREADS": "1",
        **{
            f"MODELPORT_CONTROL_API_{name}": value
            for name, value in {
                "DATABASE_URL": _url(root),
                "ARTIFACTS_URL": str(root / "artifacts"),
                "INTERNAL_URL": f"unix:{root}/nobody.sock",
                "WORKER_LISTEN": "",
                **settings,
            }.items()
        },
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


def _url(root: Path) -> str:
    return f"sqlite:///{root}/db.sqlite"
