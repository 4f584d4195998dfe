"""Twenty bad requests: each gets the documented 4xx and names the field; none gives a 500."""

import json
from typing import Any

import httpx
import pytest

from tests.support.models import IRIS_FIELDS, iris_logistic_named, mixed_pipeline

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
JSON = {"Content-Type": "application/json"}


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if name != field}


# Name -> (body, status, the field that the response names).
BAD_BODIES: dict[str, tuple[Any, int, str | None]] = {
    "not JSON": ("{", 400, None),
    "nothing": ("", 400, None),
    "NaN is not JSON": ('{"input": [NaN, 1, 2, 3]}', 400, None),
    "a list instead of an object": ([], 422, None),
    "neither input nor inputs": ({}, 422, "input"),
    "both input and inputs": ({"input": ROW, "inputs": [ROW]}, 422, "input"),
    "empty inputs": ({"inputs": []}, 422, "inputs"),
    "inputs that is no list": ({"inputs": 3}, 422, "inputs"),
    "a missing field": ({"input": without("petal_width")}, 422, "input.petal_width"),
    "an unknown field": ({"input": {**ROW, "color": 1}}, 422, "input.color"),
    "a text for a number": ({"input": {**ROW, "petal_width": "wide"}}, 422, "input.petal_width"),
    "a number as text": ({"input": {**ROW, "petal_width": "0.2"}}, 422, "input.petal_width"),
    "true as text for a number": ({"input": {**ROW, "petal_width": "true"}}, 422, "input.petal_width"),
    "a list for a number": ({"input": {**ROW, "petal_width": [1]}}, 422, "input.petal_width"),
    "null where nothing may be missing": ({"input": {**ROW, "petal_width": None}}, 422, "input.petal_width"),
    "a row that is too short": ({"input": [1, 2, 3]}, 422, "input"),
    "a row that is too long": ({"input": [1, 2, 3, 4, 5]}, 422, "input"),
    "one bad row of many": ({"inputs": [ROW, {**ROW, "sepal_width": "x"}]}, 422, "inputs[1].sepal_width"),
    "an unknown output": ({"input": ROW, "return": ["shap"]}, 422, "return"),
    "an unknown option": ({"input": ROW, "explain": True}, 422, "explain"),
    "a number beyond floats": ('{"input": [1e999, 1, 2, 3]}', 400, None),
}


@pytest.fixture(scope="module")
def iris_id(serve: Any) -> str:
    return str(serve(iris_logistic_named().model)["id"])


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_naming_the_field(name: str, account: httpx.Client, iris_id: str) -> None:
    body, status, field = BAD_BODIES[name]
    content = body if isinstance(body, str) else json.dumps(body)
    response = account.post(f"/predict/{iris_id}", content=content, headers=JSON)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    if field is not None:
        assert [error["field"] for error in response.json()["errors"]][:1] == [field]


def test_every_bad_field_has_an_entry_of_its_own(account: httpx.Client, iris_id: str) -> None:
    body = {"input": dict.fromkeys(IRIS_FIELDS, "x")}
    response = account.post(f"/predict/{iris_id}", json=body)
    assert {error["field"] for error in response.json()["errors"]} == {
        f"input.{name}" for name in IRIS_FIELDS
    }


def test_a_category_the_model_does_not_know_is_named_with_those_it_knows(
    account: httpx.Client, serve: Any
) -> None:
    trained = mixed_pipeline()
    id_ = serve(trained.model)["id"]
    response = account.post(f"/predict/{id_}", json={"input": {**trained.rows[1], "shape": "round"}})
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["field"] == "input.shape"
    assert "long" in error["message"]
    assert "short" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/predict/none-such", JSON, 404),
        ("POST", "/predict/..%2f..%2fetc", JSON, 404),
        ("GET", "/predict/{id}", {}, 405),
        ("POST", "/predict/{id}/versions/v99", JSON, 404),
        ("POST", "/predict/{id}", {"Content-Type": "text/csv"}, 415),
        ("POST", "/predict/{id}", {**JSON, "Authorization": "Bearer nonsense"}, 401),
        ("POST", "/predict/{id}", {**JSON, "Authorization": "Bearer mlp_live_nonsense"}, 401),
        ("POST", "/v2/models/{id}/infer", JSON, 422),
        ("GET", "/api/v1/models/none-such", {}, 404),
        ("GET", "/api/v1/models?limit=0", {}, 422),
        ("PUT", "/api/v1/models/{id}/traffic", JSON, 422),
        ("GET", "/nowhere", {}, 404),
    ],
)
def test_a_bad_call_is_a_problem_and_never_a_500(
    account: httpx.Client, iris_id: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    content = json.dumps({"x": 1}) if method != "GET" else None
    response = account.request(method, path.replace("{id}", iris_id), content=content, headers=headers)
    assert response.status_code == status, response.text
    kind = "application/json" if path.startswith("/v2/") else "application/problem+json"
    assert response.headers["content-type"] == kind


def test_others_models_and_models_that_do_not_exist_look_the_same(
    outsider: httpx.Client, iris_id: str
) -> None:
    responses = [
        outsider.post(f"/predict/{id_}", json={"input": ROW}) for id_ in (iris_id, "none-such-00000")
    ]
    bodies = [{**response.json(), "request_id": ""} for response in responses]
    assert [response.status_code for response in responses] == [404, 404]
    assert bodies[0] == bodies[1]


def test_a_body_over_the_limit_is_refused(account: httpx.Client, iris_id: str) -> None:
    body = json.dumps({"inputs": [[1.0, 2.0, 3.0, 4.0]] * 800_000})
    response = account.post(f"/predict/{iris_id}", content=body, headers=JSON)
    assert response.status_code == 413


@pytest.mark.parametrize(
    "path", ["/predict/{id}", "/v2/models/{id}/infer", "/api/v1/models", "/", "/ui/login", "/readyz"]
)
def test_a_name_that_is_pointed_at_this_machine_reaches_nothing(
    account: httpx.Client, iris_id: str, path: str
) -> None:
    method = "POST" if iris_id in (path := path.replace("{id}", iris_id)) else "GET"
    content = json.dumps({"input": ROW}) if method == "POST" else None
    for headers in ({"Host": "evil.example:8000"}, {"X-Forwarded-Host": "evil.example"}):
        response = account.request(method, path, content=content, headers=JSON | headers)
        assert (response.status_code == 421) == ("Host" in headers), response.text
        assert "evil" not in response.text + str(response.headers)
