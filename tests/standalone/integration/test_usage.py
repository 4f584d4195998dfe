"""Usage of a whole platform: in the ledger within seconds, and to the request through restarts."""

import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from modelport_standalone.data_dir import DataDir

from tests.support.models import iris_logistic, save_joblib
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.redis_fixtures import RedisServer
from tests.support.waiting import eventually

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


def predicted(client: httpx.Client, model: str, requests: int) -> Counter[tuple[int, str]]:
    """What the caller sees of as many requests: status and cache state."""
    responses = [client.post(f"/predict/{model}", json=ROW) for _ in range(requests)]
    assert {response.status_code for response in responses} == {200}
    return Counter((response.status_code, response.headers["x-cache"]) for response in responses)


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
        assert ada.post(f"/predict/{model}", json={"input": ["x"]}).status_code == 422
        # Not always one miss: on a busy machine Redis may be too slow, and the cache is left out then.
        seen = Counter({(422, "none"): 1}) + predicted(ada, model, 20)
        eventually(lambda: counted(platform, model) == seen)
        seen += predicted(ada, model, 10)
    assert platform.stop(signal.SIGTERM) == 0
    assert counted(platform, model) == seen
