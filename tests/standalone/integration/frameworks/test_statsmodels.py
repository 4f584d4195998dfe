"""Results of statsmodels, which the platform has no library for: each file predicts what statsmodels did.

`tests/fixtures/statsmodels/generate.py` fitted them and stored what they predicted.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.other_libraries import predict_in
from tests.support.platform_process import PlatformProcess, settled, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures" / "statsmodels"
ANSWERS: dict[str, dict[str, Any]] = {
    folder: json.loads((SAVED / folder / "answers.json").read_text(encoding="utf-8"))
    for folder in ("old", "new")
}
ENVIRONMENTS = {"old": "statsmodels-0.14", "new": "statsmodels-0.15"}
REFUSED = {
    "arima": ("UnsupportedFormat", "fit a regression"),
    "unfitted": ("NotAModel", "save what fit() returns"),
    "smoother": ("UnsupportedFormat", "bs(column, df=…)"),
    "hazards_formula": ("UnsupportedFormat", "PHReg(times, columns)"),
    "session": ("LoadFailed", "'doubled' is not defined"),
}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def served(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The folder, and file → what the runtime predicts for its rows in that folder's environment."""
    folder = request.param
    rows = {f"{name}.joblib": answer["rows"] for name, answer in ANSWERS[folder].items()}
    if folder == "new":
        rows |= {f"{name}.joblib": [] for name in REFUSED}
        rows["plain.pickle"] = ANSWERS["new"]["ols_formula"]["rows"]
    python = EnvironmentStore(default_folder()).prepare(find(ENVIRONMENTS[folder]))
    answers = predict_in(python, "statsmodels", rows, SAVED / folder, only_known=True)
    assert not answers.has_sklearn
    return folder, answers.found


def test_a_file_predicts_what_statsmodels_did(served: tuple[str, dict[str, Any]]) -> None:
    folder, found = served
    for name, answer in ANSWERS[folder].items():
        given, expected = found[f"{name}.joblib"], answer["prediction"]
        assert "predictions" in given, f"{name}: {given}"
        if isinstance(expected[0], list):
            shares = [list(row.values()) for row in given["probabilities"]]
            assert shares == [pytest.approx(row, rel=1e-9, abs=1e-12) for row in expected], name
        else:
            assert given["predictions"] == pytest.approx(expected, rel=1e-9, abs=1e-12), name
    if folder == "new":
        assert found["plain.pickle"]["predictions"] == found["ols_formula.joblib"]["predictions"]
        _says_what_rows_hold(found)


def _says_what_rows_hold(found: dict[str, Any]) -> None:
    def columns(name: str, *keys: str) -> list[tuple[Any, ...]]:
        signature = found[f"{name}.joblib"]["signature"]
        return [tuple(column[key] for key in keys) for column in signature["columns"]]

    assert columns("ols_formula", "name", "kind", "values") == [
        ("age", "number", None),
        ("income", "number", None),
        ("city", "string", ["Lima", "Oslo", "Rome"]),
        ("member", "boolean", None),
    ]
    assert columns("by_formulaic", "name") == columns("ols_formula", "name")
    assert columns("quantreg", "name", "values") == [("income", None), ("zip code", [1, 2, 3])]
    assert columns("wls", "name", "optional") == [("const", True), ("age", False), ("income", False)]
    assert columns("removed", "name", "optional") == [("const", False), ("x1", False), ("x2", False)]
    for name in ("negative_binomial", "zero_inflated", "mnlogit"):
        assert columns(name, "name") == columns("wls", "name"), name
    classes = {name: found[f"{name}.joblib"]["signature"]["classes"] for name in ANSWERS["new"]}
    assert classes["mnlogit"] == ["high", "low", "middle"]
    assert classes["mnlogit_numbers"] == [1, 2, 3]
    assert classes["ordered"] == ["low", "middle", "high"]
    given = found["ordered.joblib"]
    likeliest = [max(row, key=row.__getitem__) for row in given["probabilities"]]
    assert given["predictions"] == likeliest


def test_what_predicts_no_row_is_refused_with_the_cure(served: tuple[str, dict[str, Any]]) -> None:
    folder, found = served
    if folder == "old":
        return
    for name, (reason, cure) in REFUSED.items():
        given = found[f"{name}.joblib"]
        assert given.get("reason") == reason, f"{name}: {given}"
        assert cure in given["message"]


def upload(client: httpx.Client, file: str, **fields: str) -> str:
    response = client.post(
        "/api/v1/models/upload",
        files={"file": (SAVED / file).read_bytes()},
        data={"name": file.replace("/", "-"), **fields},
    )
    return str(response.raise_for_status().json()["id"])


def test_a_platform_without_statsmodels_serves_it(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        files = ("new/ols_formula", "new/glm_binomial", "old/ols_formula", "old/glm_binomial")
        models = {each: upload(client, f"{each}.joblib") for each in files}
        broken = upload(client, "new/session.joblib")
        for each, model_id in models.items():
            folder, _, name = each.partition("/")
            _is_served(client, model_id, ENVIRONMENTS[folder], ANSWERS[folder][name])
        _refuses_bad_rows(client, models["new/ols_formula"])
        _constant_is_one(client, models["new/glm_binomial"])
        assert settled(client, f"/api/v1/models/{broken}")["status"] == "failed"
        (version,) = client.get(f"/api/v1/models/{broken}").json()["versions"]
        assert (version["reason"], "'doubled' is not defined" in version["message"]) == ("LoadFailed", True)


def _is_served(client: httpx.Client, model_id: str, environment: str, told: dict[str, Any]) -> None:
    wait_until_ready(client, model_id)
    (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
    assert (version["framework"], version["environment"]) == ("statsmodels", environment)
    assert version["sandbox"]["level"] == 2
    assert version["libraries"]["differences"] == []
    names = [column["name"] for column in version["signature"]["columns"]]
    rows = [{name: row[name] for name in names} for row in told["rows"]]
    # Many at once, as a batch of many callers is.
    response = client.post(f"/predict/{model_id}", json={"inputs": rows * 20})
    found = response.raise_for_status().json()["predictions"]
    assert found == pytest.approx(told["prediction"] * 20, rel=1e-9)
    log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
    assert "system_call_refused" not in log


def _refuses_bad_rows(client: httpx.Client, model_id: str) -> None:
    good = {"age": 30, "income": 50.5, "city": "Rome", "member": True}
    for wrong, field, said in [
        ({"city": "Bonn"}, "input.city", "is not one of the values that the model knows"),
        ({"city": None}, "input.city", "must not be null"),
        ({"member": "yes"}, "input.member", "must be true or false"),
        ({"age": "old"}, "input.age", "must be a number"),
        ({"street": "x"}, "input.street", "is not a field of this model"),
    ]:
        response = client.post(f"/predict/{model_id}", json={"input": good | wrong})
        assert response.status_code == 422, response.text
        (error,) = response.json()["errors"]
        assert error["field"] == field
        assert said in error["message"]
    # The logarithm of no number is none: that row's prediction alone is null.
    response = client.post(f"/predict/{model_id}", json={"inputs": [good, good | {"age": -1}, good]})
    first, missing, last = response.raise_for_status().json()["predictions"]
    assert (missing, first) == (None, last)


def _constant_is_one(client: httpx.Client, model_id: str) -> None:
    bare = {"age": 30, "income": 50.5}
    rows = [bare, {"const": 1, **bare}, {"const": None, **bare}, {"const": 0, **bare}]
    found = client.post(f"/predict/{model_id}", json={"inputs": rows}).raise_for_status().json()
    absent, one, null, zero = found["predictions"]
    assert absent == one == null != zero
