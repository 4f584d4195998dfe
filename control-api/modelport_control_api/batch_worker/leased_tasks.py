"""What this worker is about to do: kept by leases, and broken off when a lease is lost or a job cancelled."""

import asyncio
from collections.abc import Mapping

from modelport_control_api.batch.repository import Held

Key = str | tuple[str, int]
"""A job whose input is being cut, or (job, chunk number)."""


class LeasedTasks:
    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def add(self, key: Key, task: asyncio.Task[None]) -> None:
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def snapshot(self) -> dict[Key, asyncio.Task[None]]:
        return dict(self._tasks)

    @staticmethod
    def leases_of(tasks: Mapping[Key, asyncio.Task[None]]) -> Held:
        """Return the leases that these tasks need."""
        preparations = frozenset(key for key in tasks if isinstance(key, str))
        return Held(preparations, frozenset(key for key in tasks if not isinstance(key, str)))

    @staticmethod
    def break_off(before: Mapping[Key, asyncio.Task[None]], held: Held) -> None:
        """`before`: a snapshot from before `held` was read: it does not know what was taken since."""
        for key, task in before.items():
            if key not in held.chunks and key not in held.preparations:
                task.cancel()
