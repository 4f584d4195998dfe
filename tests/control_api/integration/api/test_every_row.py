"""Each row of docs/api.md, asked of a running platform: names, statuses and headers."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.control_api.integration.api.conftest import iris_file, upload_iris
from tests.support.platform_process import PASSWORD, settled, wait_until_ready

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture
def person(nobody: httpx.Client) -> dict[str, str]:
    """A new account's e-mail address and password."""
    body = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD}
    nobody.post("/api/v1/auth/register", json=body).raise_for_status()
    return body


def log_in(client: httpx.Client, person: dict[str, str]) -> dict[str, Any]:
    pair: dict[str, Any] = client.post("/api/v1/auth/login", json=person).raise_for_status().json()
    return pair


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "request_id"} <= body.keys()
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def test_a_session_lives_and_dies_as_documented(nobody: httpx.Client, person: dict[str, str]) -> None:
    taken = nobody.post("/api/v1/auth/register", json=person)
    assert_problem(taken, 409)
    first = log_in(nobody, person)
    assert first.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (first["token_type"], first["expires_in"]) == ("bearer", 1800)
    second = nobody.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.headers["cache-control"] == "no-store"
    again = nobody.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert again.json() == second.json()
    heir = {"refresh_token": second.json()["refresh_token"]}
    assert nobody.post("/api/v1/auth/logout", json=heir).status_code == 204
    ended = nobody.post("/api/v1/auth/refresh", json=heir)
    assert "www-authenticate" in ended.headers
    assert_problem(ended, 401)


def test_a_new_password_ends_the_other_sessions(nobody: httpx.Client, person: dict[str, str]) -> None:
    mine, other = log_in(nobody, person), log_in(nobody, person)
    change = {"password": "An0ther-Secret", "full_name": "Ann"}
    refused = nobody.patch("/api/v1/auth/me", headers=bearer(mine["access_token"]), json=change)
    assert assert_problem(refused, 422)["errors"][0]["field"] == "current_password"
    change["current_password"] = PASSWORD
    done = nobody.patch("/api/v1/auth/me", headers=bearer(mine["access_token"]), json=change)
    assert (done.status_code, done.json()["full_name"]) == (200, "Ann")
    assert nobody.get("/api/v1/auth/me", headers=bearer(mine["access_token"])).status_code == 200
    assert_problem(nobody.get("/api/v1/auth/me", headers=bearer(other["access_token"])), 401)


def test_a_rotated_key_works_for_its_grace_and_the_list_has_pages(
    nobody: httpx.Client, ann: httpx.Client, iris_id: str
) -> None:
    old = ann.post("/api/v1/api-keys", json={"name": "ci"}).json()
    new = ann.post(f"/api/v1/api-keys/{old['id']}/rotate", json={"grace_seconds": 60}).json()
    assert new["key"] != old["key"]
    for key in (old["key"], new["key"]):
        response = predict(nobody, iris_id, {"input": ROW}, {"X-API-Key": key})
        assert response.status_code == 200, response.text
    another = ann.post("/api/v1/api-keys", json={"name": "another"}).json()
    page = ann.get("/api/v1/api-keys", params={"limit": 1}).json()
    assert [item["id"] for item in page["items"]] == [another["id"]]
    assert "key" not in page["items"][0]
    rest = ann.get("/api/v1/api-keys", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert rest["items"][0]["last_used_at"] is not None
    assert ann.delete(f"/api/v1/api-keys/{another['id']}").status_code == 204


def predict(
    client: httpx.Client, id_: str, body: Any, headers: dict[str, str] | None = None
) -> httpx.Response:
    return client.post(f"/predict/{id_}", json=body, headers=headers)


def test_a_prediction_has_its_headers_and_a_cached_one_the_same_bytes(
    ann: httpx.Client, iris_id: str
) -> None:
    body = {"input": [6.0, 3.0, 4.0, 1.0]}
    first = predict(ann, iris_id, body)
    again = ann.post(f"/api/v1/predict/{iris_id}", json=body)
    assert [response.headers["x-cache"] for response in (first, again)] == ["miss", "hit"]
    assert first.content == again.content
    for response in (first, again):
        assert response.headers["x-modelport-version"] == "v1"
        assert response.headers["server-timing"].startswith("gateway;dur=")
        assert {"ratelimit", "ratelimit-policy", "x-request-id"} <= response.headers.keys()


@pytest.mark.parametrize(
    ("directive", "width", "answered", "asked_again"),
    [("no-cache", 0.3, "miss", "hit"), ("no-store", 0.4, "bypass", "miss")],
)
def test_cache_control_is_honored(
    ann: httpx.Client, iris_id: str, directive: str, width: float, answered: str, asked_again: str
) -> None:
    body = {"input": [5.0, 3.0, 4.0, width]}
    response = predict(ann, iris_id, body, headers={"Cache-Control": directive})
    assert response.headers["x-cache"] == answered
    assert predict(ann, iris_id, body).headers["x-cache"] == asked_again


def test_probabilities_come_on_request_for_one_row_and_for_many(ann: httpx.Client, iris_id: str) -> None:
    both = ["prediction", "probabilities"]
    one = predict(ann, iris_id, {"input": ROW, "return": both}).json()
    many = predict(ann, iris_id, {"inputs": [ROW, [6.7, 3.0, 5.2, 2.3]], "return": both}).json()
    assert one.keys() == {"model", "version", "prediction", "probabilities"}
    assert one["probabilities"].keys() == {"setosa", "versicolor", "virginica"}
    assert many["predictions"] == ["setosa", "virginica"]
    assert [max(row, key=row.get) for row in many["probabilities"]] == many["predictions"]


def test_the_inference_protocol_works_by_model_and_by_version(ann: httpx.Client, iris_id: str) -> None:
    tensor = {"name": "input", "shape": [1, 4], "datatype": "FP64", "data": list(ROW.values())}
    for base in (f"/v2/models/{iris_id}", f"/v2/models/{iris_id}/versions/v1"):
        assert ann.get(base).json()["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 4]}]
        assert ann.get(f"{base}/ready").json()["ready"] is True
        outputs = ann.post(f"{base}/infer", json={"inputs": [tensor]}).json()["outputs"]
        assert outputs[0]["data"] == ["setosa"]


def test_versions_traffic_rollback_and_deletion(ann: httpx.Client) -> None:
    model = upload_iris(ann, description="for changes", sample='{"input": [5.1, 3.5, 1.4, 0.2]}')
    at = f"/api/v1/models/{model['id']}"
    assert model["predict_url"].endswith(f"/predict/{model['id']}")
    wait_until_ready(ann, model["id"])
    form = {"traffic": "0", "sample": "[5.1, 3.5, 1.4, 0.2]"}
    added = ann.post(f"{at}/versions", files={"file": iris_file()}, data=form)
    assert (added.status_code, added.headers["location"]) == (202, f"{at}/versions/v2")
    second = settled(ann, f"{at}/versions/v2")
    assert (second["status"], second["traffic"]) == ("ready", 0)
    assert second["sample_answer"]["prediction"] == "setosa"
    assert_problem(ann.put(f"{at}/traffic", json={"v1": 90, "v2": 9}), 422)
    assert_problem(ann.put(f"{at}/traffic", json={"v3": 100}), 422)
    assert ann.put(f"{at}/traffic", json={"v2": 100}).status_code == 200
    assert settled_traffic(ann, at) == {"v2": 100}
    assert ann.post(f"{at}/rollback").status_code == 200
    assert settled_traffic(ann, at) == {"v1": 100}
    assert_problem(ann.delete(f"{at}/versions/v1"), 409)
    assert ann.delete(f"{at}/versions/v2").status_code == 204
    assert "load_ended" in ann.get(f"{at}/versions/v1/logs").text
    assert ann.delete(at).status_code == 204
    assert_problem(ann.get(at), 404)


def settled_traffic(client: httpx.Client, at: str) -> dict[str, int]:
    """`wait` holds until the traffic is what was asked for."""
    model = settled(client, at)
    assert model["status"] == "ready", model
    traffic: dict[str, int] = model["traffic"]
    return traffic
