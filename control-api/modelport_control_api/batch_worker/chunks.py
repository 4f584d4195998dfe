"""One chunk: read it, have its rows predicted, write its results, report it done."""

import structlog
from modelport_crds.reasons import Reason
from modelport_http.wording import counted
from prometheus_client import Counter

from modelport_control_api.batch.storage.chunks import Chunk, combine, read_chunk, write_results
from modelport_control_api.batch.storage.contributions import Contributions
from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.batch_worker.error_rows import (
    MAX_RESULTS_BYTES,
    Predicted,
    ResultsTooLarge,
    RowResults,
    bisect_bad_rows,
)
from modelport_control_api.batch_worker.leases import ClaimedChunk, LeaseRepository
from modelport_control_api.batch_worker.pod_client import Pods
from modelport_control_api.registry.quotas import QuotaReached

log = structlog.get_logger(__name__)
ROWS = Counter("modelport_worker_rows_total", "Rows of batch jobs that this worker did", ["outcome"])

# Taken so often, it may be what ends the workers that take it: then in smaller and smaller pieces.
_USUAL_ATTEMPTS = 5
_MOST_ATTEMPTS = 30


class ChunkWork:
    """Any exception of `do` means: another time."""

    def __init__(self, leases: LeaseRepository, files: BatchFiles) -> None:
        self._leases = leases
        self._files = files

    def has_room(self) -> bool:
        """For results. A chunk that is taken without would be reported as one that nobody can do."""
        return self._files.has_room()

    async def do(self, claimed: ClaimedChunk, pods: Pods) -> None:
        """Predict the chunk's rows, store the results, and count the chunk as done.

        Ends the job if its results are too large or its owner's quota is full; neither is raised.
        """
        chunk = read_chunk(await self._files.read_chunk(claimed.job_id, claimed.number))
        try:
            predicted = await self._predict(claimed, chunk, pods)
        except ResultsTooLarge:
            text = _too_large(chunk)
            if await self._leases.fail_for_good(claimed.job_id, Reason.INPUT_INVALID, text):
                await self._files.remove(claimed.job_id)
            return
        await self._finish(claimed, chunk, predicted)

    async def _finish(self, claimed: ClaimedChunk, chunk: Chunk, predicted: RowResults) -> None:
        # None of them has a response if all were refused.
        probabilities = predicted.probabilities
        if claimed.probabilities and probabilities is None:
            probabilities = [None] * chunk.sendable
        contributions = predicted.contributions
        if claimed.contributions and contributions is None:
            contributions = Contributions(None, [None] * chunk.sendable)
        results = combine(chunk, predicted.predictions, probabilities, predicted.errors, contributions)
        # The file first: a worker that dies in between leaves a chunk that is done again, with the same
        # result.
        data = write_results(results)
        await self._files.put_result(claimed.job_id, claimed.number, data)
        failed = len(results.errors)
        if await self._count(claimed, failed, len(data)):
            ROWS.labels("predicted").inc(chunk.rows - failed)
            ROWS.labels("failed").inc(failed)
        elif await self._leases.has_ended(claimed.job_id, claimed.number):
            await self._files.remove_result(claimed.job_id, claimed.number)

    async def _count(self, claimed: ClaimedChunk, failed: int, size: int) -> bool:
        try:
            return await self._leases.finish_chunk(claimed, failed, size)
        except QuotaReached as error:
            text = f"{error} Then try the rows that have no prediction again."
            await self._leases.fail(claimed.job_id, Reason.STORAGE_QUOTA_REACHED, text)
            return False

    async def _predict(self, claimed: ClaimedChunk, chunk: Chunk, pods: Pods) -> RowResults:
        if claimed.attempts > _MOST_ATTEMPTS:
            workers = counted(claimed.attempts - 1, "worker")
            text = f"was not predicted: {workers} took its chunk and did not finish it"
            return RowResults([None] * chunk.sendable, None, dict.fromkeys(range(chunk.sendable), text))
        pod_client = pods.pod_client(probabilities=claimed.probabilities, contributions=claimed.contributions)
        halvings = max(0, claimed.attempts - _USUAL_ATTEMPTS)
        # A matrix is answered without contributions.
        if chunk.columns and chunk.sendable and not halvings and not claimed.contributions:
            result = await pod_client.predict_matrix(chunk.inputs, chunk.sendable, chunk.columns)
            if isinstance(result, Predicted):
                return RowResults.of(result)
        # What was wrong with a matrix shows as JSON: rows are sent alone there.
        most_rows = max(1, chunk.rows >> halvings)
        if claimed.contributions:
            most_rows = min(most_rows, pods.most_explained_rows)
        return await bisect_bad_rows(pod_client.predict, chunk.as_json(), chunk.sendable, most_rows=most_rows)


def _too_large(chunk: Chunk) -> str:
    return (
        f"The model's predictions for {counted(chunk.rows, 'row')} from row {chunk.first_row} on take "
        f"more than {counted(MAX_RESULTS_BYTES, 'byte')}, the most for rows that are predicted together: "
        "submit the input in files of fewer rows, or without probabilities or contributions."
    )
