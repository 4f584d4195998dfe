"""Each test of this folder runs on both event loops, with a scripted Redis to ask."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from modelport_store.redis.store import RedisStore

from tests.support.event_loops import BOTH
from tests.support.scripted_redis import ScriptedRedis, scripted_redis

TIMEOUT_SECONDS = 1.0


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return BOTH


@pytest.fixture
def socket() -> Iterator[Path]:
    # Not tmp_path: a unix socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        yield Path(folder) / "redis.sock"


@pytest.fixture
async def redis(socket: Path) -> AsyncIterator[ScriptedRedis]:
    async with scripted_redis(socket) as running:
        yield running


@pytest.fixture
async def store(redis: ScriptedRedis) -> AsyncIterator[RedisStore]:
    built = RedisStore(redis.url, timeout_seconds=TIMEOUT_SECONDS)
    yield built
    await built.aclose()


@pytest.fixture
async def patient(redis: ScriptedRedis) -> AsyncIterator[RedisStore]:
    """With far more time than a loaded machine takes: for tests about something else than time."""
    built = RedisStore(redis.url, timeout_seconds=250)
    yield built
    await built.aclose()
