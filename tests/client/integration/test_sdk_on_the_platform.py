"""The SDK against the whole platform: one story for both clients."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib
import pytest
from modelport import AsyncModelport, Conflict, Forbidden, InvalidRequest, Modelport, NotFound, Unauthorized
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.client.unit.awaited import Awaited

PASSWORD = "Sensible-Passphrase-7"


@pytest.fixture(params=["blocking", "awaiting"])
def client(
    request: pytest.FixtureRequest, platform: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A new user, logged in."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("MODELPORT_API_KEY", raising=False)
    with asyncio.Runner() as runner:
        chosen: Any = (
            Modelport(platform.url)
            if request.param == "blocking"
            else Awaited(AsyncModelport(platform.url), runner)
        )
        email = f"{uuid4().hex}@example.com"
        chosen.account.register(email, PASSWORD)
        chosen.account.login(email, PASSWORD)
        yield chosen
        chosen.close()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True)), path)
    return path


def test_a_model_from_its_upload_to_its_end(
    client: Any, platform: Any, model_file: Path, tmp_path: Path
) -> None:
    rows, labels = load_iris(return_X_y=True)
    sent: list[int] = []
    made = client.models.upload(model_file, "Iris", on_progress=lambda done, _: sent.append(done))
    assert sent[-1] == model_file.stat().st_size
    model = client.models.wait(made.id)
    assert (model.status, model.traffic, [each.name for each in client.versions.list(model.id)]) == (
        "ready",
        {"v1": 100},
        ["v1"],
    )
    expected = joblib.load(model_file).predict(rows[:3]).tolist()
    assert [each.prediction for each in client.predict_many(model.id, rows[:3])] == expected
    assert client.predict(model.id, rows[0]).prediction == expected[0]
    with pytest.raises(InvalidRequest, match="4"):
        client.predict(model.id, [1.0])
    assert [each.id for each in client.models.list()] == [model.id]
    assert client.models.update(model.id, description="Petals").description == "Petals"
    with pytest.raises(Conflict, match="only version"):
        client.versions.delete(model.id, "v1")
    table = tmp_path / "rows.csv"
    table.write_text("".join(["a,b,c,d\n", *(",".join(map(str, row)) + "\n" for row in rows)]))
    client.versions.put_reference(model.id, "v1", table)
    assert client.versions.drift(model.id, "v1").state == "collecting"
    job = client.jobs.create(model.id, table, output="csv")
    assert client.jobs.wait(job.id, seconds=240).rows_done == len(labels)
    client.jobs.save_results(job.id, tmp_path / "results.csv")
    assert len((tmp_path / "results.csv").read_text().splitlines()) == len(labels) + 1
    assert [each.id for each in client.jobs.list(model_id=model.id)] == [job.id]
    client.models.delete(model.id)
    with pytest.raises(NotFound):
        client.models.get(model.id)


def test_a_key_may_predict_and_no_more(client: Any, platform: Any) -> None:
    made = client.keys.create("ci")
    assert [each.prefix for each in client.keys.list()] == [made.prefix]
    with Modelport(platform.url, made.key) as other, pytest.raises(Forbidden):
        other.keys.list()
    rotated = client.keys.rotate(made.id)
    client.keys.revoke(rotated.id)
    with Modelport(platform.url, rotated.key) as other, pytest.raises(Unauthorized):
        other.predict("iris", [1])
