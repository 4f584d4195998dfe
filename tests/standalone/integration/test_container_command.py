"""The command of the image of the whole platform, as hosting platforms start it: on their port, with a
real PostgreSQL and Redis by the names that they give these.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from modelport_control_api.db.engine import build_engine
from sqlalchemy import text

from tests.support.models import iris_logistic, save_joblib
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.redis_fixtures import RedisServer

pytestmark = pytest.mark.slow
_COMMAND = Path(__file__).parents[3] / "images" / "start.sh"
_ROW = {"input": [5.1, 3.5, 1.4, 0.2]}


class _Container(PlatformProcess):
    """The image's process: nothing of this machine's environment, data where the volume is."""

    def _launch(self, *arguments: str) -> subprocess.Popen[str]:
        with (self.home / "stderr").open("a") as stderr:
            return subprocess.Popen(
                ["sh", str(_COMMAND), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={
                    "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
                    "HOME": str(self.home),
                    "MODELPORT_DATA_DIR": str(self.data),
                    **self._env,
                },
            )


@pytest.fixture
def container(tmp_path: Path, empty_postgres_url: str, redis_server: RedisServer) -> Iterator[_Container]:
    address = empty_postgres_url.replace("postgresql://", "postgres://", 1)
    made = _Container(
        tmp_path,
        PORT="0",
        DATABASE_URL=address,
        REDIS_URL=redis_server.url,
        RENDER_EXTERNAL_URL="https://models.example.com",
        # As compose files have it where nobody set it.
        MODELPORT_TRUSTED_PROXIES="",
        MODELPORT_CONTROL_API_PUBLIC_URL="",
    )
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.communicate()


def test_a_model_outlives_the_container(
    container: _Container, empty_postgres_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    container.start()
    account = container.register_user()
    file = save_joblib(iris_logistic().model, tmp_path).read_bytes()
    sent = account.post("/api/v1/models/upload", files={"file": file}, data={"name": "iris"})
    model_id = sent.raise_for_status().json()["id"]
    wait_until_ready(account, model_id)
    first = account.post(f"/predict/{model_id}", json=_ROW)
    assert (first.status_code, first.headers["x-cache"]) == (200, "miss")
    assert (
        account.get(f"/api/v1/models/{model_id}")
        .json()["predict_url"]
        .startswith("https://models.example.com/")
    )
    assert not (container.data / "modelport.db").exists()
    with build_engine(empty_postgres_url).connect() as connection:
        assert connection.execute(text("SELECT name FROM models")).scalars().all() == ["iris"]
    with redis_server.client() as client:
        assert client.dbsize() > 0

    # What hosting platforms send; then the container is another one, with the same volume.
    assert container.stop(signal.SIGTERM) == 0
    container.start()
    assert "(shown this once)" not in container.output
    with httpx.Client(base_url=container.url, headers=account.headers, timeout=90) as again:
        wait_until_ready(again, model_id)
        kept = again.post(f"/predict/{model_id}", json=_ROW)
        assert (kept.headers["x-cache"], kept.content) == ("hit", first.content)
    assert container.stop(signal.SIGTERM) == 0


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    container = _Container(tmp_path, PORT="0", DATABASE_URL="postgresql://me:secret-word@127.0.0.1:1/none")
    with pytest.raises(AssertionError, match="it ended with 1"):
        container.start()
    complaint = (tmp_path / "stderr").read_text().splitlines()[-1]
    assert complaint.startswith("Error: The database of MODELPORT_CONTROL_API_DATABASE_URL cannot be used (")
    assert "check the address and that its server runs" in complaint
    assert "secret-word" not in (tmp_path / "stderr").read_text()
