"""What this worker is about to do: kept by leases, and broken off when a lease is lost or a job cancelled."""

import asyncio
from collections.abc import Hashable

from modelport_control_api.batch.repository import Held


class LeasedTasks:
    """By (job, chunk number), or by job of the inputs that are being cut."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def add(self, key: str | tuple[str, int], task: asyncio.Task[None]) -> None:
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def snapshot(self) -> dict[Hashable, asyncio.Task[None]]:
        return dict(self._tasks)

    @staticmethod
    def break_off(before: dict[Hashable, asyncio.Task[None]], held: Held) -> None:
        """`before`: a snapshot from before `held` was read: it does not know what was taken since."""
        for key, task in before.items():
            if key not in held.chunks and key not in held.preparations:
                task.cancel()
