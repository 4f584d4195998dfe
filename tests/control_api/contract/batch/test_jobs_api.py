"""A job from its request to its results, on both databases. The test plays the worker."""

import asyncio
import csv
import io
import json
import pickle
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from modelport_control_api.batch import repository
from modelport_control_api.batch.pods.demand import Demand
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.storage.chunks import combine, read_chunk, write_chunk, write_results
from modelport_control_api.batch.wiring import BatchServices
from modelport_control_api.db.base import utc_now
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at, until

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
SIGNATURE: dict[str, Any] = {
    "task": "classifier",
    "columns": [{"name": name, "kind": "number", "dtype": "float64", "optional": False} for name in NAMES],
    "positional": False,
    "input": "rows",
    "outputs": ["prediction", "probabilities"],
    "classes": ["setosa", "versicolor", "virginica"],
}
TABLE = f"customer,{','.join(NAMES)}\nc1,5.1,3.5,1.4,0.2\nc2,oops,3.0,5.1,1.8\nc3,5.9,3.0,5.1,1.8\n"
LEASE = KEEP = timedelta(days=7)


@pytest.fixture
async def platform(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as running:
        yield running


@pytest.fixture
async def ann(platform: Platform) -> Account:
    return await platform.account("ann")


@pytest.fixture
async def model_id(platform: Platform, ann: Account) -> str:
    features, target = load_iris(return_X_y=True)
    model = pickle.dumps(LogisticRegression(max_iter=500).fit(features, target))
    made: str = (await ann.upload(model)).json()["id"]
    await platform.serve(made, {"v1": 100}, v1={**READY, "signature": SIGNATURE})
    return made


async def submit(ann: Account, model_id: str, body: str = TABLE, **query: Any) -> Any:
    headers = {"Content-Type": query.pop("content_type", "text/csv")}
    if key := query.pop("key", None):
        headers["Idempotency-Key"] = key
    return await ann.http.post(
        f"/api/v1/predict/{model_id}/batch", content=body.encode(), headers=headers, params=query
    )


async def work(platform: Platform, *, chunks: int | None = None) -> None:
    """Do what waits: predict the number of the flower's petals' length, as a text."""
    database, files = (
        platform.plane.context.database,
        platform.plane.public.state.services.get(BatchServices).files,
    )
    with database.transaction() as session:
        job = repository.claim_preparation(session, "w", utc_now(), LEASE)
        assert job is not None
    with files.open_input(job.id) as file:
        cut = Preparation(file, job.input_format, job.signature, job.key_columns)
        for number, chunk in enumerate(cut.chunks()):
            files.put_chunk(job.id, number, write_chunk(chunk))
            with database.transaction() as session:
                assert repository.add_chunk(session, job.id, "w", number, chunk.rows)
    with database.transaction() as session:
        repository.finish_preparation(
            session,
            job.id,
            "w",
            rows_total=cut.rows,
            key_columns=cut.key_columns,
            now=utc_now(),
            keep=KEEP,
        )
    done = 0
    while chunks is None or done < chunks:
        with database.transaction() as session:
            claimed = repository.claim_chunk(
                session, "w", utc_now(), LEASE, model_id=job.model_id, version=job.version
            )
        if claimed is None:
            return
        chunk = read_chunk(await files.read_chunk(job.id, claimed.number))
        rows = json.loads(chunk.as_json())
        kinds = ["setosa" if row[2] < 2 else "virginica" for row in rows]
        probabilities = [{"setosa": 0.25, "versicolor": 0.0, "virginica": 0.75} for _ in rows]
        results = combine(chunk, kinds, probabilities if job.probabilities else None, {})
        await files.put_result(job.id, claimed.number, write_results(results))
        with database.transaction() as session:
            assert repository.finish_chunk(
                session,
                job.id,
                claimed.number,
                "w",
                rows_failed=len(results.errors),
                now=utc_now(),
                keep=KEEP,
            )
        done += 1


async def test_a_table_comes_back_as_csv_json_lines_and_parquet(
    platform: Platform, ann: Account, model_id: str
) -> None:
    made = await submit(ann, model_id, probabilities="true")
    assert made.status_code == 202, made.text
    url = made.headers["Location"]
    assert (made.json()["state"], made.json()["version"]) == ("queued", "v1")
    assert (await ann.http.get(f"{url}/results")).status_code == 409
    await work(platform)
    job = (await ann.http.get(url, params={"wait": 5})).json()
    assert (job["state"], job["rows_total"], job["rows_done"], job["rows_failed"]) == ("succeeded", 3, 3, 1)
    assert (job["progress"], job["results_url"]) == (1.0, f"{url}/results")
    response = await ann.http.get(job["results_url"])
    assert response.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["customer"] for row in rows] == ["c1", "c2", "c3"]
    assert [row["prediction"] for row in rows] == ["setosa", "", "virginica"]
    assert rows[0]["probability_virginica"] == "0.75"
    assert rows[1]["error"] == "sepal_length must be a number, not 'oops'"
    lines = (await ann.http.get(f"{url}/results", params={"format": "jsonl"})).text.splitlines()
    assert json.loads(lines[2]) == {
        "customer": "c3",
        "row": 2,
        "prediction": "virginica",
        "probabilities": {"setosa": 0.25, "versicolor": 0.0, "virginica": 0.75},
        "error": None,
    }
    content = (await ann.http.get(f"{url}/results", params={"format": "parquet"})).content
    table = pyarrow.parquet.read_table(io.BytesIO(content)).to_pydict()
    assert table["row"] == [0, 1, 2]
    assert table["probability_setosa"] == [0.25, None, 0.25]
    assert table["error"][0] is None


async def test_the_same_request_under_one_key_makes_one_job(ann: Account, model_id: str) -> None:
    query = {"key": "night-1", "webhook_url": "https://example.com/done"}
    responses = await asyncio.gather(*(submit(ann, model_id, **query) for _ in range(5)))
    assert {response.status_code for response in responses} == {202}
    assert len({response.json()["id"] for response in responses}) == 1
    assert len({response.json()["webhook_secret"] for response in responses}) == 1
    other = await submit(ann, model_id, output="parquet", **query)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    jobs = (await ann.http.get("/api/v1/jobs")).json()["items"]
    assert len(jobs) == 1
    assert "webhook_secret" not in jobs[0]


async def test_a_pod_is_requested_with_the_job_itself(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Demand) -> None:
        """The look at all jobs, every other second."""

    monkeypatch.setattr(Demand, "look", never)
    async with running_platform(settings_at(tmp_path, database_url), tmp_path) as platform:
        ann = await platform.account("ann")
        made: str = (await ann.upload(pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1])))).json()[
            "id"
        ]
        await platform.serve(made, {"v1": 100}, v1={**READY, "signature": SIGNATURE})
        assert (await submit(ann, made)).status_code == 202

        def pods_requested() -> bool:
            (version,) = platform.cluster.objects[made]["spec"]["versions"]
            return bool(version.get("batchReplicas"))

        await until(pods_requested)


async def test_a_cancelled_job_gives_what_was_done_and_goes_when_deleted(
    platform: Platform, ann: Account, model_id: str
) -> None:
    body = TABLE + "c4,5.9,3.0,5.1,1.8\n" * 20_000
    url = (await submit(ann, model_id, body)).headers["Location"]
    await work(platform, chunks=1)
    assert (await ann.http.delete(url)).status_code == 204
    job = (await ann.http.get(url)).json()
    assert (job["state"], job["rows_done"], job["rows_total"]) == ("cancelled", 20_000, 20_003)
    assert (await ann.http.get(f"{url}/results")).status_code == 409
    partial = await ann.http.get(f"{url}/results", params={"partial": "true"})
    assert len(partial.text.splitlines()) == 20_001
    assert (await ann.http.delete(url)).status_code == 204
    assert (await ann.http.get(url)).status_code == 404
    assert not list((platform.root / "artifacts" / "batch").iterdir())


@pytest.mark.parametrize(
    ("body", "query", "status", "words"),
    [
        ("", {}, 422, "empty"),
        ("a,b\n1,2\n", {}, 422, "lacks the columns 'sepal_length'"),
        ("1,2,3,4\n", {}, 422, "must name the columns"),
        (TABLE, {"key_columns": "nobody"}, 422, "key_columns names 'nobody'"),
        (TABLE, {"output": "xlsx"}, 422, "one of jsonl, csv, parquet"),
        (TABLE, {"webhook_url": "file:///etc/passwd"}, 422, "http:// or https://"),
        (TABLE, {"color": "blue"}, 422, "is no option"),
        (TABLE, {"content_type": "application/pdf"}, 415, "text/csv"),
        ('{"rows": []}', {"content_type": "application/json"}, 422, '{"inputs": [row'),
        ('{"inputs": []}', {"content_type": "application/json"}, 422, "no rows"),
    ],
)
async def test_what_cannot_be_done_is_said_at_once(
    ann: Account, model_id: str, body: str, query: dict[str, str], status: int, words: str
) -> None:
    response = await submit(ann, model_id, body, **query)
    assert response.status_code == status
    assert words in response.text.replace('\\"', '"')


async def test_the_format_of_a_form_is_detected_by_the_name_of_its_file(ann: Account, model_id: str) -> None:
    row = json.dumps([5.1, 3.5, 1.4, 0.2])
    response = await ann.http.post(
        f"/api/v1/predict/{model_id}/versions/v1/batch",
        files={"file": ("rows.jsonl", row.encode(), "application/octet-stream")},
        data={"output": "csv"},
    )
    assert response.status_code == 202, response.text
    assert (response.json()["input_format"], response.json()["output_format"]) == ("jsonl", "csv")


async def test_an_input_can_be_named_in_place_of_being_sent(
    platform: Platform, ann: Account, model_id: str
) -> None:
    url, uri = f"/api/v1/predict/{model_id}/batch", "https://data.example.com/rows.csv?key=secret"
    headers = {"Idempotency-Key": "night-2"}
    by_json = await ann.http.post(url, json={"input_uri": uri}, headers=headers)
    by_form = await ann.http.post(url, files={"input_uri": (None, uri)}, headers=headers)
    assert (by_json.status_code, by_form.status_code) == (202, 202), by_form.text
    job = by_json.json()
    assert by_form.json()["id"] == job["id"]
    assert (job["input_uri"], job["input_bytes"]) == (uri.removesuffix("?key=secret"), None)
    assert (job["input_format"], job["output_format"]) == ("csv", "csv")
    other = await ann.http.post(url, json={"input_uri": f"{uri}2"}, headers=headers)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert platform.incoming() == []


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        ({"json": {"input_uri": "s3://data/rows.csv"}}, "input_uri", "BATCH_INPUT_PREFIXES"),
        ({"json": {"input_uri": "http://127.0.0.1/rows.csv"}}, "input_uri", "https://"),
        ({"json": {"input_uri": "https://example.com/rows"}}, "format", "is missing"),
        ({"json": {"input_uri": 7}}, "input_uri", "must be a text"),
        ({"json": {"input_uri": "https://a.example/b.csv", "output": "csv"}}, "output", "query"),
        ({"files": {"input_uri": (None, "")}}, "input_uri", "is empty"),
        ({"files": {"output": (None, "csv")}}, "file", "is missing"),
        (
            {"files": {"input_uri": (None, "https://a.example/b.csv"), "file": ("a.csv", b"a,b")}},
            "input_uri",
            "beside a file",
        ),
    ],
)
async def test_an_input_that_is_named_wrongly(
    *, ann: Account, model_id: str, request_: dict[str, Any], field: str, words: str
) -> None:
    response = await ann.http.post(f"/api/v1/predict/{model_id}/batch", **request_)
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert words in response.json()["detail"]


async def test_who_may_not_use_a_model_or_a_job(platform: Platform, ann: Account, model_id: str) -> None:
    url = (await submit(ann, model_id)).headers["Location"]
    bob = await platform.account("bob")
    assert (await submit(bob, model_id)).status_code == 404
    assert (await bob.http.get("/api/v1/jobs")).json()["items"] == []
    for method, path in (("GET", url), ("DELETE", url), ("GET", f"{url}/results")):
        assert (await bob.http.request(method, path)).status_code == 404
    assert (await ann.http.get(url)).json()["state"] == "queued"
    shared = await ann.http.patch(f"/api/v1/models/{model_id}", json={"access": "authenticated"})
    assert shared.status_code == 200
    assert (await submit(bob, model_id)).status_code == 202


async def test_no_ready_version_is_a_503_and_an_unknown_one_a_404(
    platform: Platform, ann: Account, model_id: str
) -> None:
    pinned = f"/api/v1/predict/{model_id}/versions/v7/batch"
    headers = {"Content-Type": "text/csv"}
    assert (await ann.http.post(pinned, content=TABLE.encode(), headers=headers)).status_code == 404
    failed = {"answered": False, "failed": True, "reason": "LoadFailed", "message": "It broke."}
    await platform.serve(model_id, {}, v1=failed)
    response = await submit(ann, model_id)
    assert (response.status_code, response.json()["reason"]) == (503, "NoReadyVersion")


async def test_expired_results_are_gone(platform: Platform, ann: Account, model_id: str) -> None:
    url = (await submit(ann, model_id)).headers["Location"]
    await work(platform)
    with platform.plane.context.database.transaction() as session:
        job = repository.find(session, url.rpartition("/")[2])
        assert job is not None
        job.expires_at = utc_now()
    assert (await ann.http.get(f"{url}/results")).status_code == 410
    assert (await ann.http.get(url)).json()["results_url"] is None


async def test_a_user_has_only_so_many_unfinished_jobs(ann: Account, model_id: str) -> None:
    seen = [(await submit(ann, model_id)).status_code for _ in range(21)]
    assert seen == [202] * 20 + [429]
