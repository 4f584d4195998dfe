"""The platform on a real Redis: answers outlive a restart, and predictions outlive Redis."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.models import iris_logistic, save_joblib
from tests.support.platform_process import launch, settled
from tests.support.redis_fixtures import RedisServer

ROW = {"input": [5.1, 3.5, 1.4, 0.2]}


def test_responses_outlive_a_restart_and_predictions_outlive_redis(
    new_platform: Callable[..., Any], breakable_redis: RedisServer, tmp_path: Path
) -> None:
    platform = new_platform(MODELPORT_REDIS_URL=breakable_redis.url).start()
    account = platform.register_user()
    file = save_joblib(iris_logistic().model, tmp_path).read_bytes()
    id_ = account.post("/api/v1/models/upload", files={"file": file}, data={"name": "iris"}).json()["id"]
    settled(account, f"/api/v1/models/{id_}")
    first = account.post(f"/predict/{id_}", json=ROW)
    assert (first.status_code, first.headers["x-cache"]) == (200, "miss")

    assert platform.stop() == 0
    platform.start()
    with httpx.Client(base_url=platform.url, headers=account.headers, timeout=360) as again:
        settled(again, f"/api/v1/models/{id_}")
        kept = again.post(f"/predict/{id_}", json=ROW)
        assert (kept.headers["x-cache"], kept.content) == ("hit", first.content)

        breakable_redis.stop()
        alone = [again.post(f"/predict/{id_}", json=ROW) for _ in range(5)]
        assert {response.status_code for response in alone} == {200}
        assert {response.content for response in alone} == {first.content}
        assert "ratelimit" in alone[-1].headers
        counted = again.get("/metrics").text
        assert [
            line for line in counted.splitlines() if "fallback" in line and not line.endswith((" 0", " 0.0"))
        ]


def test_an_address_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    process = launch(tmp_path, tmp_path / "data", MODELPORT_REDIS_URL="localhost:6379")
    assert process.wait(200) == 1
    (complaint,) = (tmp_path / "stderr").read_text().splitlines()
    assert complaint.startswith("Error: MODELPORT_REDIS_URL is no address of a Redis server")
