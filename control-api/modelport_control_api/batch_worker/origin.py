"""The chunks of a job that another one tries again, read in a thread."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from modelport_control_api.batch.storage.chunks import Chunk, ChunkResults, read_chunk, read_results
from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.batch_worker.leases import LeaseRepository


@dataclass(frozen=True)
class StoredOrigin:
    files: BatchFiles
    desk: LeaseRepository
    job_id: str
    only_failed: bool = True
    """Else as if none had been done."""

    def chunks(self) -> Iterator[tuple[Chunk, ChunkResults | None]]:
        count, done = self.desk.chunks_of(self.job_id)
        wanted = done if self.only_failed else set()
        if not count:
            raise FileNotFoundError(self.job_id)
        with asyncio.Runner() as runner:
            for number in range(count):
                chunk = read_chunk(runner.run(self.files.read_chunk(self.job_id, number)))
                results = None
                if number in wanted:
                    results = read_results(runner.run(self.files.read_result(self.job_id, number)))
                yield chunk, results
