"""What a data scientist types, against the whole platform."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib
import numpy as np
import pandas as pd
import pytest
from modelport import Modelport, credentials
from modelport.cli import run
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

PASSWORD = "Sensible-Passphrase-7"


@dataclass
class Ended:
    returncode: int
    stdout: str
    stderr: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(
    platform: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command of a new user, logged in. In this process: starting Python each time takes longest."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MODELPORT_URL", platform.url)
    monkeypatch.delenv("MODELPORT_API_KEY", raising=False)

    def call(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = run(arguments)
        return Ended(code, *capsys.readouterr())

    registered = call("register", f"{uuid4().hex}@example.com", "--password-stdin", stdin=PASSWORD)
    assert registered.returncode == 0, registered.stderr
    return call


def wines() -> tuple[pd.DataFrame, pd.Series]:
    """Real wines with a text column made of a number, and holes in both kinds of column."""
    table, classes = load_wine(return_X_y=True, as_frame=True)
    names = np.array(["pale", "medium", "deep"], dtype=object)
    table["shade"] = names[np.digitize(table["color_intensity"], [3.5, 6])]
    table.loc[::7, "alcohol"] = np.nan
    table.loc[::11, "shade"] = np.nan
    return table[["alcohol", "hue", "proline", "shade"]], classes


def mixed_pipeline() -> Pipeline:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="unknown"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = make_column_transformer((numbers, ["alcohol", "hue", "proline"]), (texts, ["shade"]))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def upload(cli: Cli, model: Any, folder: Path, *arguments: str) -> dict[str, Any]:
    path = folder / "model.joblib"
    joblib.dump(model, path)
    done = cli("upload", str(path), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    uploaded: dict[str, Any] = json.loads(done.stdout)
    return uploaded


def test_a_pipeline_on_mixed_data_predicts_what_it_predicts_at_home(
    cli: Cli, platform: Any, tmp_path: Path
) -> None:
    table, classes = wines()
    pipeline = mixed_pipeline().fit(table, classes)
    sample = json.dumps({"alcohol": 13.2, "hue": 1.04, "proline": 1065.0, "shade": "medium"})
    model = upload(cli, pipeline, tmp_path, "--name", "Wines", "--sample", sample)
    rows = tmp_path / "rows.json"
    rows.write_text(table.to_json(orient="records"))
    answered = cli("predict", model["id"], f"@{rows}", "--json", "-p")
    assert answered.returncode == 0, answered.stderr
    answers = json.loads(answered.stdout)
    assert [each["prediction"] for each in answers] == pipeline.predict(table).tolist()
    shown = [list(each["probabilities"].values()) for each in answers]
    np.testing.assert_allclose(shown, pipeline.predict_proba(table), rtol=1e-12)
    with Modelport(platform.url) as client:
        from_python = client.predict_many(model["id"], table)
    assert [each.prediction for each in from_python] == pipeline.predict(table).tolist()


def test_a_life_of_a_model_from_the_shell(cli: Cli, tmp_path: Path) -> None:
    table, classes = wines()
    numbers = table[["hue", "proline"]]
    model = upload(cli, LogisticRegression(max_iter=5000).fit(numbers, classes), tmp_path, "--name", "Life")
    id_ = model["id"]
    assert model["traffic"] == {"v1": 100}

    always_two = LogisticRegression(max_iter=5000).fit(numbers, classes)
    always_two.intercept_[:] = [-1e9, -1e9, 1e9]
    upload(cli, always_two, tmp_path, "--to", id_, "--no-traffic")
    assert cli("predict", id_, "hue=1", "proline=1000", "--version", "v2").stdout == "2\n"
    assert cli("traffic", id_, "v2=100").stdout == "v2 100 %\n"
    assert cli("rollback", id_).stdout == "v1 100 %\n"
    assert id_ in cli("list").stdout
    assert cli("logs", id_).returncode == 0
    assert "engine    v1 " in cli("status", id_).stdout
    renamed = cli("update", id_, "--name", "Longer life", "--acceleration", "off", "--json")
    updated = json.loads(renamed.stdout)
    assert (updated["name"], updated["acceleration"]) == ("Longer life", "off")

    refused = cli("predict", id_, "hue=dark", "proline=1000")
    assert refused.returncode == 5
    assert "hue" in refused.stderr
    assert cli("delete", id_, "--version", "v1", "--yes").returncode == 5, "it serves"
    assert cli("delete", id_, "--yes").returncode == 0
    assert cli("status", id_).returncode == 4


def test_a_version_that_lacks_a_field_is_held_until_it_is_forced(cli: Cli, tmp_path: Path) -> None:
    table, classes = wines()
    both, one = table[["hue", "proline"]], table[["hue"]]
    id_ = upload(cli, LogisticRegression(max_iter=5000).fit(both, classes), tmp_path)["id"]
    narrow = tmp_path / "narrow.joblib"
    joblib.dump(LogisticRegression(max_iter=5000).fit(one, classes), narrow)
    held = cli("upload", str(narrow), "--to", id_, "--traffic", "20")
    assert held.returncode == 8, held.stderr
    assert "v2 against v1:\n  - input proline is gone\n" in held.stderr
    assert "it does not answer the sample of v1: " in held.stderr
    assert json.loads(cli("traffic", id_, "--json").stdout)["traffic"] == {"v1": 100}
    assert cli("predict", id_, "hue=1", "--version", "v2").returncode == 0
    again = cli("traffic", id_, "v1=80", "v2=20")
    assert (again.returncode, "input proline is gone" in again.stderr) == (8, True)
    assert cli("traffic", id_, "v1=80", "v2=20", "--force").returncode == 0
    assert json.loads(cli("status", id_, "--wait", "--json").stdout)["traffic"] == {"v1": 80, "v2": 20}

    # The same fields and classes as the version that most requests go to: nothing holds it.
    upload(cli, LogisticRegression(max_iter=5000).fit(both, classes), tmp_path, "--to", id_)
    assert json.loads(cli("status", id_, "--wait", "--json").stdout)["traffic"] == {"v3": 100}


def test_an_api_key_from_the_shell_predicts_until_it_is_revoked(
    cli: Cli, tmp_path: Path, platform: Any
) -> None:
    table, classes = wines()
    fitted = LogisticRegression(max_iter=5000).fit(table[["hue", "proline"]], classes)
    id_ = upload(cli, fitted, tmp_path)["id"]
    made = json.loads(cli("keys", "create", "app", "--model", id_, "--json").stdout)
    with Modelport(platform.url, made["key"]) as client:
        assert client.predict(id_, [1.0, 1000]).model == id_
        assert client.predict(id_, [1.0, 1000]).cached
    assert cli("keys", "revoke", made["id"], "--yes").returncode == 0
    assert json.loads(cli("keys", "list", "--json").stdout) == []


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x80\x04\x95 cut off"])
def test_a_file_that_is_no_model_ends_with_five_and_a_reason(
    cli: Cli, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(content)
    ended = cli("upload", str(path))
    assert (ended.returncode, ended.stdout) == (5, "")
    assert ended.stderr.startswith("Error: ")


def test_a_logout_ends_the_session_on_the_platform_too(cli: Cli, platform: Any) -> None:
    kept = credentials.load(platform.url)
    assert kept is not None
    assert cli("logout").returncode == 0
    assert cli("list").returncode == 3
    credentials.save(platform.url, credentials.Credentials(**{**vars(kept), "expires_at": 0}))
    ended = cli("list")
    assert ended.returncode == 3
    assert "session has ended" in ended.stderr
