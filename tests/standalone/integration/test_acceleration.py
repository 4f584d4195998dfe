"""A model's acceleration from its upload to its switch, on the whole platform and under load."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.datasets import load_iris

from tests.standalone.integration.test_life_of_a_version import iris_model, upload
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.waiting import eventually

FRESH = {"Cache-Control": "no-cache"}
ROWS: list[list[float]] = load_iris().data.tolist()


@dataclass
class Load:
    """What became of requests that were sent one after the other, and the labels that were answered."""

    lost: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@contextmanager
def under_load(client: httpx.Client, model_id: str) -> Iterator[Load]:
    load, stopping = Load(), threading.Event()

    def send() -> None:
        with httpx.Client(
            base_url=client.base_url, headers={**client.headers, **FRESH}, timeout=30
        ) as caller:
            while not stopping.is_set():
                _send(caller, model_id, load)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield load
    finally:
        stopping.set()
        sender.join(60)


def _send(caller: httpx.Client, model_id: str, load: Load) -> None:
    row = ROWS[(len(load.labels) * 7) % len(ROWS)]
    try:
        response = caller.post(f"/predict/{model_id}", json={"input": row})
    except httpx.HTTPError as error:
        load.lost.append(repr(error))
        return
    if response.status_code == httpx.codes.OK:
        load.labels.append(response.json()["prediction"])
    else:
        load.lost.append(response.text)


def version_of(client: httpx.Client, model_id: str) -> dict[str, Any]:
    model = client.get(f"/api/v1/models/{model_id}").raise_for_status().json()
    version: dict[str, Any] = model["versions"][0]
    return version


def wait_for_engine(client: httpx.Client, model_id: str, engine: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + 800
    while (version := version_of(client, model_id))["engine"] != engine:
        assert time.monotonic() < give_up_at, version
        time.sleep(0.1)
    return version


def probabilities(client: httpx.Client, model_id: str) -> tuple[list[str], np.ndarray[Any, Any]]:
    body = {"inputs": ROWS, "return": ["prediction", "probabilities"]}
    response = client.post(f"/predict/{model_id}", json=body, headers=FRESH).raise_for_status().json()
    return response["predictions"], np.array([list(each.values()) for each in response["probabilities"]])


@pytest.fixture(scope="module")
def client(platform: PlatformProcess) -> Iterator[httpx.Client]:
    with platform.register_user() as session:
        yield session


@pytest.fixture(scope="module")
def fast(client: httpx.Client) -> str:
    model_id: str = upload(client, iris_model(), name="fast")["id"]
    wait_until_ready(client, model_id)
    return model_id


def test_a_model_is_accelerated_with_a_proof(client: httpx.Client, fast: str) -> None:
    version = version_of(client, fast)
    assert version["engine"] == "numpy", version["acceleration"]
    assert version["acceleration"]["rows_compared"] >= 1000
    assert 0 <= version["acceleration"]["largest_difference"] <= 1e-6
    assert version["acceleration"]["detail"]


def test_a_switch_to_off_and_back_loses_no_request_and_changes_no_response(
    client: httpx.Client, fast: str
) -> None:
    accelerated = probabilities(client, fast)
    with under_load(client, fast) as load:
        changed = client.patch(f"/api/v1/models/{fast}", json={"acceleration": "off"})
        assert changed.raise_for_status().json()["acceleration"] == "off"
        off = wait_for_engine(client, fast, "native")
        native = probabilities(client, fast)
        client.patch(f"/api/v1/models/{fast}", json={"acceleration": "auto"}).raise_for_status()
        wait_for_engine(client, fast, "numpy")
        eventually(lambda: len(load.labels) > 100, seconds=100)
    assert load.lost == []
    assert set(load.labels) == {"setosa", "versicolor", "virginica"}
    assert (off["status"], off["acceleration"]["rows_compared"]) == ("ready", 0)
    assert "off" in off["acceleration"]["detail"]
    assert accelerated[0] == native[0] == iris_model().predict(ROWS).tolist()
    assert np.abs(accelerated[1] - native[1]).max() <= 1e-6


def test_a_model_may_be_uploaded_unaccelerated(client: httpx.Client) -> None:
    made = upload(client, iris_model(), name="as it is", acceleration="off")
    wait_until_ready(client, made["id"])
    version = version_of(client, made["id"])
    assert (made["acceleration"], version["engine"]) == ("off", "native")
    assert version["acceleration"]["detail"] == "Acceleration is switched off."


def test_an_operator_may_have_the_original_dropped_once_it_is_proven(
    new_platform: Callable[..., PlatformProcess],
) -> None:
    platform = new_platform(MODELPORT_OPERATOR_RECHECK_EVERY="0").start()
    with platform.register_user() as client:
        model_id = upload(client, iris_model(), name="light")["id"]
        wait_until_ready(client, model_id)
        (front,) = platform.runtimes()
        give_up_at = time.monotonic() + 120
        while Path(f"/proc/{front}/task/{front}/children").read_text().split():
            assert time.monotonic() < give_up_at, "the model's process is still there"
            time.sleep(0.05)
        assert probabilities(client, model_id)[0] == iris_model().predict(ROWS).tolist()
        assert "dropped" in version_of(client, model_id)["acceleration"]["detail"]
