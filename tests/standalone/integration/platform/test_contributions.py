"""What moved the predictions of a whole file is what a prediction of each row says."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from tests.support.models import Trained, iris_logistic, mixed_pipeline


@pytest.fixture(scope="module")
def trained() -> Trained:
    return mixed_pipeline()


@pytest.fixture(scope="module")
def explained(serve: Any, trained: Trained) -> str:
    return str(serve(trained.model)["id"])


def job(account: httpx.Client, id_: str, rows: list[Any], **query: str) -> str:
    """Return the path of a finished job's results."""
    body = "".join(json.dumps({"input": row, "base": place}) + "\n" for place, row in enumerate(rows))
    made = account.post(
        f"/api/v1/predict/{id_}/batch",
        content=body,
        headers={"Content-Type": "application/x-ndjson"},
        params=query,
    )
    assert made.status_code == 202, made.text
    ended = account.get(made.headers["Location"], params={"wait": 60}).json()
    assert (ended["state"], ended["rows_failed"], ended["contributions"]) == ("succeeded", 0, True), ended
    return str(ended["results_url"])


def test_a_job_gives_the_contributions_of_each_row(
    account: httpx.Client, explained: str, trained: Trained
) -> None:
    rows = trained.rows[:20]
    wanted = ["prediction", "contributions"]
    live = account.post(f"/predict/{explained}", json={"inputs": rows, "return": wanted}).raise_for_status()
    url = job(account, explained, rows, **{"return": ",".join(wanted)})
    lines = [json.loads(line) for line in account.get(url).text.splitlines()]
    assert [line["contributions"] for line in lines] == live.json()["contributions"]
    assert [line["prediction"] for line in lines] == live.json()["predictions"]
    table = list(csv.DictReader(io.StringIO(account.get(url, params={"format": "csv"}).text)))
    first = live.json()["contributions"][0]
    label, terms = next(iter(first["classes"].items()))
    assert table[0]["contributions_scale"] == first["scale"]
    assert float(table[0][f"contributions_base_{label}"]) == terms["base"]
    for name, value in terms["values"].items():
        assert float(table[0][f"contribution_{label}_{name}"]) == value


def test_a_job_of_numbers_alone_gives_them_too(account: httpx.Client, serve: Any) -> None:
    """Rows of numbers are sent as a matrix where none are wanted."""
    flowers = iris_logistic()
    id_ = serve(flowers.model)["id"]
    url = job(account, id_, flowers.rows[:5], **{"return": "contributions"})
    for line in map(json.loads, account.get(url).text.splitlines()):
        assert len(line["contributions"]["classes"]) == 3


def test_a_job_for_what_has_none_is_refused(account: httpx.Client, explained: str) -> None:
    answer = account.post(
        f"/api/v1/predict/{explained}/batch",
        content="[1]",
        headers={"Content-Type": "application/json"},
        params={"return": "scores"},
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "return")
