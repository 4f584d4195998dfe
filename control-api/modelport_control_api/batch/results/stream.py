"""A download in pieces. It needs the memory of one chunk, however long the job."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from modelport_control_api.batch.results.columns import Columns
from modelport_control_api.batch.results.writers import WRITERS, Writer
from modelport_control_api.batch.storage.chunks import ChunkResults, read_results
from modelport_control_api.batch.storage.files import BatchFiles

MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


async def stream_results(
    files: BatchFiles, job_id: str, chunks: Sequence[int], output_format: str
) -> AsyncIterator[bytes]:
    """Give the file of `chunks`' results, in that order. Raises `FileNotFoundError` if they are gone."""
    columns = Columns()
    if output_format != "jsonl":
        # A table's columns must be known before its first row.
        for number in chunks:
            columns.see(await _read(files, job_id, number))
    writer: Writer = WRITERS[output_format](columns)
    yield writer.begin()
    for number in chunks:
        results = await _read(files, job_id, number)
        yield await asyncio.to_thread(writer.rows, results)
    yield writer.end()


async def _read(files: BatchFiles, job_id: str, number: int) -> ChunkResults:
    data = await files.read_result(job_id, number)
    return await asyncio.to_thread(read_results, data)
