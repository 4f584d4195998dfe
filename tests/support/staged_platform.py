"""A control API at a real address, whose cluster the test plays: for pages of what is hard to bring about."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from tests.control_api.unit.models.platform import Platform, running_platform, settings_at

T = TypeVar("T")


@dataclass
class StagedPlatform:
    """`platform` lives on another thread's loop: what is awaited of it goes through `run`."""

    url: str
    platform: Platform
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@contextmanager
def staged_platform(folder: Path, database_url: str) -> Iterator[StagedPlatform]:
    """`database_url` is migrated."""
    ready, ended = threading.Event(), threading.Event()
    found: list[StagedPlatform] = []

    async def serve() -> None:
        async with running_platform(settings_at(folder, database_url), folder) as platform:
            config = uvicorn.Config(platform.plane.public, port=0, lifespan="off", log_level="warning")
            server = uvicorn.Server(config)
            serving = asyncio.ensure_future(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody when it listens
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            found.append(StagedPlatform(f"http://127.0.0.1:{port}", platform, asyncio.get_running_loop()))
            ready.set()
            await asyncio.to_thread(ended.wait)
            server.should_exit = True
            await serving

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(100)
    try:
        yield found[0]
    finally:
        ended.set()
        thread.join(30)
