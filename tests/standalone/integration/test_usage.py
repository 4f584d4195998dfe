"""Usage of a whole platform: in the ledger within seconds, and to the request through restarts."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from modelport_standalone.data_dir import DataDir

from tests.support.models import iris_logistic, save_joblib
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.redis_fixtures import RedisServer

ROW = {"input": [5.1, 3.5, 1.4, 0.2]}


def counted(platform: PlatformProcess, model: str) -> dict[tuple[int, str], int]:
    """Requests by status and cache state."""
    file = DataDir(platform.data).database
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT status, cache, SUM(requests) FROM usage_requests_day WHERE model_id = ? GROUP BY 1, 2",
            [model],
        ).fetchall()
    return {(status, cache): requests for status, cache, requests in rows}


@pytest.mark.parametrize("way", ["direct", "redis"])
def test_every_prediction_is_in_the_ledger_within_seconds_and_after_a_stop(
    new_platform: Callable[..., PlatformProcess], redis_server: RedisServer, tmp_path: Path, way: str
) -> None:
    redis = {"MODELPORT_REDIS_URL": redis_server.url} if way == "redis" else {}
    platform = new_platform(**redis).start()
    file = save_joblib(iris_logistic().model, tmp_path).read_bytes()
    with platform.register_user() as ada:
        model = ada.post("/api/v1/models/upload", files={"file": file}, data={"name": "iris"}).json()["id"]
        wait_until_ready(ada, model)
        for _ in range(20):
            assert ada.post(f"/predict/{model}", json=ROW).status_code == 200
        assert ada.post(f"/predict/{model}", json={"input": ["x"]}).status_code == 422
        expected = {(200, "miss"): 1, (200, "hit"): 19, (422, "none"): 1}
        deadline = time.monotonic() + 20
        while counted(platform, model) != expected:
            assert time.monotonic() < deadline, counted(platform, model)
            time.sleep(0.05)

        for _ in range(10):
            assert ada.post(f"/predict/{model}", json=ROW).status_code == 200
    assert platform.stop(signal.SIGTERM) == 0
    expected[200, "hit"] += 10
    assert counted(platform, model) == expected
