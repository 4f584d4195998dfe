"""A real worker process that is killed over an input, with SIGKILL."""

import os
from pathlib import Path

from modelport_control_api.batch_worker.leases import MAX_PREPARE_ATTEMPTS

from tests.support.lone_worker import database_with_a_job, find, input_of, start_worker, until


async def test_the_last_death_over_an_input_fails_its_job(tmp_path: Path) -> None:
    tried = MAX_PREPARE_ATTEMPTS - 1
    with database_with_a_job(tmp_path, input_format="csv", prepare_attempts=tried) as database:
        # Readers of it wait forever.
        input_of(tmp_path).parent.mkdir(parents=True)
        os.mkfifo(input_of(tmp_path))
        doomed = await start_worker(tmp_path, BATCH_LEASE_SECONDS="3")
        await until(database, lambda job: job.prepare_attempts == MAX_PREPARE_ATTEMPTS)
        doomed.kill()
        await doomed.wait()
        next_one = await start_worker(tmp_path, BATCH_LEASE_SECONDS="3")
        await until(database, lambda job: job.state == "failed")
        next_one.kill()
        await next_one.wait()
        job = find(database)
        assert (job.reason, job.prepare_attempts) == ("InputInvalid", MAX_PREPARE_ATTEMPTS + 1)
        assert "the worker died over it 5 times" in job.message
