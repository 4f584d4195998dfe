"""What moved the predictions of a whole file, and on the mean, is what a prediction of each row says."""

import csv
import io
import json
from typing import Any

import httpx
import pytest
from sklearn.neighbors import KNeighborsClassifier

from tests.support.models import Trained, iris_logistic, mixed_pipeline
from tests.support.waiting import eventually


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


def importance(account: httpx.Client, url: str) -> dict[str, Any]:
    """Once it is computed."""

    def computed() -> dict[str, Any] | None:
        found: dict[str, Any] = account.get(f"{url}/importance").raise_for_status().json()
        return None if found["state"] == "computing" else found

    found: dict[str, Any] = eventually(computed)
    return found


def test_importance_is_computed_of_a_reference_and_of_history(
    account: httpx.Client, explained: str, trained: Trained
) -> None:
    url = f"/api/v1/models/{explained}/versions/v1"
    missing = account.get(f"{url}/importance")
    assert (missing.status_code, "reference" in missing.json()["detail"]) == (404, True)
    assert "History has 0 rows" in account.post(f"{url}/importance").json()["detail"]
    jobs = account.get("/api/v1/jobs").json()["items"]
    table = trained.data.head(40).assign(species="unused").to_csv(index=False)
    account.put(f"{url}/reference", content=table).raise_for_status()
    found = importance(account, url)
    assert (found["state"], found["source"], found["rows"]) == ("ready", "reference", 40), found
    body = {"inputs": trained.rows[:40], "return": ["contributions"]}
    live = account.post(f"/predict/{explained}", json=body).raise_for_status().json()["contributions"]
    for label, sums in found["classes"].items():
        for column in sums["columns"]:
            terms = [row["classes"][label]["values"][column["name"]] for row in live]
            assert column["mean"] == pytest.approx(sum(map(abs, terms)) / 40, abs=1e-9)
    means = [column["mean"] for column in found["columns"]]
    assert means == sorted(means, reverse=True)
    # It is no job of the user's.
    assert account.get("/api/v1/jobs").json()["items"] == jobs

    account.patch(f"/api/v1/models/{explained}", json={"history": {"percent": 100}}).raise_for_status()
    body = {"inputs": trained.rows[:35]}

    def begun() -> bool:
        account.post(f"/predict/{explained}", json=body, headers={"Cache-Control": "no-cache"})
        return account.post(f"{url}/importance").status_code == 202

    eventually(begun)
    history = importance(account, url)
    assert (history["state"], history["source"]) == ("ready", "history"), history
    assert history["rows"] >= 35
    # Of a reference that is gone nothing is known; what history gave stays.
    account.delete(f"{url}/reference").raise_for_status()
    assert account.get(f"{url}/importance").json() == history


def test_a_version_without_contributions_has_no_importance(account: httpx.Client, serve: Any) -> None:
    flowers = iris_logistic()
    id_ = serve(KNeighborsClassifier().fit(flowers.data, flowers.model.predict(flowers.data)))["id"]
    for call in (account.get, account.post):
        answer = call(f"/api/v1/models/{id_}/versions/v1/importance")
        assert (answer.status_code, "has none" in answer.json()["detail"]) == (409, True)
