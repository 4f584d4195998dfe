"""A version's life; a model whose process is killed."""

import io
import os
import signal
import time
from typing import Any

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from tests.support.platform_process import PlatformProcess, settled, wait_until_ready
from tests.support.waiting import eventually


def iris_model() -> LogisticRegression:
    """Trained on an array: it knows no names of features."""
    data = load_iris()
    return LogisticRegression(max_iter=500).fit(data.data, data.target_names[data.target])


def saved(model: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def upload(
    client: httpx.Client, model: Any, path: str = "/api/v1/models/upload", **fields: str
) -> dict[str, Any]:
    response = client.post(path, files={"file": ("model.joblib", saved(model))}, data=fields)
    made: dict[str, Any] = response.raise_for_status().json()
    return made


def serving_version(client: httpx.Client, model_id: str) -> str:
    response = client.post(f"/predict/{model_id}", json={"input": [5.1, 3.5, 1.4, 0.2]})
    return str(response.raise_for_status().json()["version"])


def wait_for_version(client: httpx.Client, model_id: str, version: str) -> None:
    give_up_at = time.monotonic() + 240
    while serving_version(client, model_id) != version:
        assert time.monotonic() < give_up_at, f"{version} is not served"
        time.sleep(0.05)


def test_a_new_version_takes_over_is_rolled_back_and_all_is_deleted(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        model_id = upload(client, iris_model(), name="lives")["id"]
        wait_until_ready(client, model_id)
        assert serving_version(client, model_id) == "v1"

        # It knows one class where callers know three, and takes a row of any width.
        dummy = DummyClassifier(strategy="constant", constant="never").fit([[0] * 4], ["never"])
        held = upload(client, dummy, f"/api/v1/models/{model_id}/versions")
        arrived = settled(client, f"/api/v1/models/{model_id}/versions/{held['name']}")
        assert (arrived["status"], arrived["reason"]) == ("ready", "SignatureChanged"), arrived
        whats = {change["what"] for change in arrived["compatibility"]["changes"]}
        assert {"classes_removed", "classes_added"} <= whats
        assert serving_version(client, model_id) == "v1"

        traffic = f"/api/v1/models/{model_id}/traffic"
        assert client.put(traffic, json={"v2": 100}).status_code == 409
        client.put(traffic, params={"force": "true"}, json={"v2": 100}).raise_for_status()
        wait_for_version(client, model_id, "v2")

        client.post(f"/api/v1/models/{model_id}/rollback").raise_for_status()
        wait_for_version(client, model_id, "v1")

        assert client.delete(f"/api/v1/models/{model_id}").status_code == 204
        give_up_at = time.monotonic() + 120
        while client.post(f"/predict/{model_id}", json={"input": [5.1, 3.5, 1.4, 0.2]}).status_code != 404:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)


def test_a_killed_model_is_back_and_meanwhile_is_said_to_be_away(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        before = set(platform.runtimes())
        model_id = upload(client, iris_model(), name="killed")["id"]
        wait_until_ready(client, model_id)
        (pid,) = set(platform.runtimes()) - before
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        responses = []
        while not responses or responses[-1].status_code != 200:
            responses.append(
                client.post(
                    f"/predict/{model_id}",
                    json={"input": [5.1, 3.5, 1.4, 0.2]},
                    headers={"Cache-Control": "no-cache"},
                )
            )
            assert time.monotonic() - killed_at < 30
        for response in responses[:-1]:
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
        assert responses[-1].json()["prediction"] == "setosa"
        assert set(platform.runtimes()) - before - {pid}, "it answers from another process"


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/.well-known/jwks.json"]
)
def test_one_port_has_the_pages_of_all_parts(platform: PlatformProcess, path: str) -> None:
    assert httpx.get(f"{platform.url}{path}", timeout=30).status_code == 200


@pytest.mark.parametrize(("accept", "there"), [("text/html,*/*;q=0.8", "/ui/"), ("*/*", "/docs")])
def test_the_root_leads_browsers_to_the_ui_and_others_to_the_docs(
    platform: PlatformProcess, accept: str, there: str
) -> None:
    response = httpx.get(f"{platform.url}/", headers={"Accept": accept}, timeout=30)
    assert response.headers["Location"] == there


def test_the_metrics_of_models_are_for_this_machine_only(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        model_id = upload(client, iris_model(), name="counted")["id"]
        wait_until_ready(client, model_id)
        own = f'modelport_runtime_ready{{model="{model_id}"'
        # Left out of one page is a runtime that a busy machine keeps from responding within a second.
        eventually(lambda: own in httpx.get(f"{platform.url}/metrics", timeout=30).text)
        proxied = httpx.get(f"{platform.url}/metrics", headers={"X-Forwarded-For": "203.0.113.7"}, timeout=30)
        assert "modelport_operator_models" in proxied.text
        assert model_id not in proxied.text
