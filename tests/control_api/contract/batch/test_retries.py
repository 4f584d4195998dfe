"""Jobs whose rows are tried again: all of them, or those without a prediction, which keep their numbers."""

import asyncio
import csv
import io
from typing import Any

import httpx
import orjson
import pytest
from modelport_control_api.batch.sources.fetching import Fetching, Reader
from modelport_control_api.batch.storage.chunks import Chunk, combine, read_chunk, write_results
from modelport_control_api.batch.storage.failed_rows import FailedRows
from modelport_control_api.batch.wiring import BatchServices
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.leases import LeaseRepository
from modelport_control_api.batch_worker.preparing import Preparing

from tests.control_api.contract.batch.test_jobs_api import KEEP, ann, model_id, platform, submit
from tests.control_api.unit.models.platform import Account, Platform

__all__ = ["ann", "model_id", "platform"]

ROWS = 7
BODY = "customer,sepal_length,sepal_width,petal_length,petal_width\n" + "".join(
    f"c{number},5.1,3.5,{'oops' if number == 3 else number},0.2\n" for number in range(ROWS)
)


class Worker:
    """Cuts as the real one does; its model fails on rows whose petals have one of the `bad` lengths."""

    def __init__(self, platform: Platform) -> None:
        self.files = platform.plane.public.state.services.get(BatchServices).files
        database = platform.plane.context.database
        self.leases = LeaseRepository(database, "w", lease_seconds=60, keep=KEEP)
        fetching = Fetching(self.files, Reader(), max_bytes=1000, pauses=())
        self.preparing = Preparing(self.leases, self.files, fetching, LeasedTasks(), cut=asyncio.Event())

    async def work(self, *, bad: set[float] = frozenset(), chunks: int = 100) -> None:  # type: ignore[assignment]
        assert await self.preparing.do_one()
        for version in await self.leases.open_versions():
            for _ in range(chunks):
                if (claimed := await self.leases.claim_chunk(version)) is None:
                    break
                chunk = read_chunk(await self.files.read_chunk(claimed.job_id, claimed.number))
                results = write_results(predicted(chunk, bad))
                await self.files.put_result(claimed.job_id, claimed.number, results)
                failed = len(predicted(chunk, bad).errors)
                assert await self.leases.finish_chunk(claimed, failed, len(results))


def predicted(chunk: Chunk, bad: set[float]) -> Any:
    lengths = [row[2] for row in orjson.loads(chunk.as_json())]
    errors = {place: "no" for place, length in enumerate(lengths) if length in bad}
    return combine(
        chunk, [None if at in errors else length for at, length in enumerate(lengths)], None, errors
    )


@pytest.fixture
async def worker(platform: Platform) -> Worker:
    return Worker(platform)


async def retry(ann: Account, job: dict[str, Any], rows: str, **headers: str) -> httpx.Response:
    url = f"/api/v1/jobs/{job['id']}/retry"
    return await ann.http.post(url, params={"rows": rows}, headers=headers)


async def results(ann: Account, job_id: str) -> list[dict[str, str]]:
    response = await ann.http.get(f"/api/v1/jobs/{job_id}/results")
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_failed_rows_are_tried_again_under_their_own_numbers(
    ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    assert (await retry(ann, job, "failed")).status_code == 409
    await worker.work(bad={1.0, 5.0, 6.0})
    made = await retry(ann, job, "failed")
    assert made.status_code == 202, made.text
    again = made.json()
    assert made.headers["location"] == f"/api/v1/jobs/{again['id']}"
    assert (again["retry_of"], again["retry_rows"], again["version"]) == (job["id"], "failed", "v1")
    await worker.work(bad={5.0})
    ended = (await ann.http.get(f"/api/v1/jobs/{again['id']}")).json()
    assert (ended["state"], ended["rows_total"], ended["rows_failed"]) == ("succeeded", 4, 2)
    rows = await results(ann, again["id"])
    assert [(row["row"], row["customer"], row["prediction"]) for row in rows] == [
        ("1", "c1", "1.0"),
        ("3", "c3", ""),
        ("5", "c5", ""),
        ("6", "c6", "6.0"),
    ]
    # The numbers are the input's through any number of tries.
    once_more = (await retry(ann, again, "failed")).json()
    await worker.work()
    assert [(row["row"], row["prediction"]) for row in await results(ann, once_more["id"])] == [
        ("3", ""),
        ("5", "5.0"),
    ]


async def test_all_rows_of_a_try_are_tried_again_under_their_own_numbers(
    ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.work(bad={1.0, 5.0})
    tried = (await retry(ann, job, "failed")).json()
    response = await retry(ann, tried, "all")
    assert response.status_code == 409
    await worker.work(bad={5.0})
    again = tried
    for _ in range(2):
        made = await retry(ann, again, "all")
        assert made.status_code == 202, made.text
        again = made.json()
        await worker.work()
        rows = [(row["row"], row["prediction"]) for row in await results(ann, again["id"])]
        assert rows == [("1", "1.0"), ("3", ""), ("5", "5.0")]


async def test_a_try_that_did_not_get_all_its_rows_says_whose_to_try(
    ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.work()
    tried = (await retry(ann, job, "failed")).json()
    await ann.http.delete(f"/api/v1/jobs/{tried['id']}")
    for rows in ("all", "failed"):
        response = await retry(ann, tried, rows)
        assert (response.status_code, f"taken from job {job['id']}" in response.text) == (409, True)


async def test_all_rows_are_tried_again_also_when_the_first_job_is_gone(
    ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.work(bad={1.0})
    again = (await retry(ann, job, "all")).json()
    assert (await ann.http.delete(f"/api/v1/jobs/{job['id']}")).status_code == 204
    await worker.work()
    rows = await results(ann, again["id"])
    assert [int(row["row"]) for row in rows] == list(range(ROWS))
    assert rows[1]["prediction"] == "1.0"


async def test_what_cannot_be_tried_again_is_said(ann: Account, model_id: str, worker: Worker) -> None:
    good = BODY.replace("oops", "3")
    job = (await submit(ann, model_id, good)).json()
    await ann.http.delete(f"/api/v1/jobs/{job['id']}")
    response = await retry(ann, job, "failed")
    assert (response.status_code, "not read to its end: try all rows" in response.text) == (409, True)
    again = (await retry(ann, job, "all")).json()
    await worker.work()
    response = await retry(ann, again, "failed")
    assert (response.status_code, "Each of its rows has a prediction" in response.text) == (409, True)
    assert (await retry(ann, job, "some")).status_code == 422


async def test_under_one_key_there_is_one_retry(ann: Account, model_id: str, worker: Worker) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.work()
    key = {"Idempotency-Key": "again"}
    first = (await retry(ann, job, "all", **key)).json()
    assert (await retry(ann, job, "all", **key)).json()["id"] == first["id"]
    assert (await retry(ann, job, "failed", **key)).status_code == 422


async def test_somebody_elses_job_cannot_be_tried_again(
    platform: Platform, ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.work()
    bob = await platform.account("bob")
    assert (await retry(bob, job, "all")).status_code == 404
    url = f"/api/v1/jobs/{job['id']}/retry"
    async with httpx.AsyncClient(transport=ann.http._transport, base_url=ann.http.base_url) as nobody:
        assert (await nobody.post(url)).status_code == 401


async def test_a_job_reports_the_name_of_its_file_and_what_it_waits_for(ann: Account, model_id: str) -> None:
    sent = await ann.http.post(
        f"/api/v1/predict/{model_id}/batch", files={"file": ("C:\\rows\\may.csv", BODY.encode(), "text/csv")}
    )
    job = sent.json()
    assert (job["input_name"], job["waiting_for"]) == (
        "may.csv",
        "It waits for the batch worker to read its input.",
    )
    assert (job["retry_of"], job["retry_rows"]) == (None, None)


async def test_jobs_report_what_they_wait_for_until_their_pod_is_there(
    ann: Account, model_id: str, worker: Worker
) -> None:
    job = (await submit(ann, model_id, BODY)).json()
    await worker.preparing.do_one()
    await worker.leases.note_waiting((model_id, "v1"), "Its process is starting.")
    url = f"/api/v1/jobs/{job['id']}"
    assert (await ann.http.get(url)).json()["waiting_for"] == "Its process is starting."
    await worker.leases.note_waiting((model_id, "v1"), "")
    assert (await ann.http.get(url)).json()["waiting_for"] is None


def test_rows_that_were_never_predicted_count_as_failed() -> None:
    matrix = Chunk(10, 3, b"\0" * 16 + b"\1" * 16, {1: "bad"}, {"id": ["a", "b", "c"]}, 2)
    texts = Chunk(13, 3, b'["x","y"]', {0: "no JSON"}, {"id": ["d", "e", "f"]})

    class Origin:
        def chunks(self) -> Any:
            yield matrix, None
            yield texts, combine(texts, [None, 1], None, {0: "no"})

    rows = FailedRows(Origin())
    first, second = rows.chunks()
    assert (first.numbers, first.inputs, first.errors) == ([10, 11, 12], matrix.inputs, {1: "bad"})
    assert (second.numbers, second.inputs, second.errors) == ([13, 14], b'["x"]', {0: "no JSON"})
    assert (second.keys, rows.rows, rows.key_columns) == ({"id": ["d", "e"]}, 5, ["id"])
