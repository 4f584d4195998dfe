"""Which stored files are still wanted, and the removal of the others without losing an upload in flight."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from modelport_control_api.artifacts.store import ArtifactStore

log = structlog.get_logger(__name__)

References = Callable[[set[str]], Awaitable[set[str]]]
"""Of the digests given, those that some version names."""


class ArtifactKeeper:
    """Removes files that no version names.

    A file is put before the row that names it is committed. In this process, `holding` keeps the collector
    off between the two. Another process' collector is kept off by `grace_seconds`: it leaves files alone
    that were put less than that ago. With a single process the grace is 0 and files go at once.
    """

    def __init__(self, store: ArtifactStore, references: References, *, grace_seconds: float) -> None:
        self._store = store
        self._references = references
        self.grace_seconds = grace_seconds
        self._grace = timedelta(seconds=grace_seconds)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def holding(self, sha256: str) -> AsyncIterator[None]:
        """Nothing collects `sha256` meanwhile: put it and commit the row that names it inside."""
        lock = self._locks.setdefault(sha256, asyncio.Lock())
        async with lock:
            yield

    async def collect_garbage(self) -> int:
        """Remove every file that no version names; give how many went."""
        candidates = [artifact.sha256 async for artifact in self._store.list_digests()]
        return await self.discard(candidates)

    async def discard(self, digests: Collection[str]) -> int:
        """Remove those of `digests` that no version names; give how many went."""
        unwanted = set(digests) - await self._references(set(digests))
        removed = 0
        for sha256 in sorted(unwanted):
            removed += await self._discard_one(sha256)
        if removed:
            log.info("artifacts_removed", count=removed)
        return removed

    async def _discard_one(self, sha256: str) -> bool:
        async with self.holding(sha256):
            # Checked again under the lock: an upload may have committed since the first check.
            if await self._references({sha256}):
                return False
            stored = await self._store.find(sha256)
            if stored is None or datetime.now(UTC) - stored.stored_at < self._grace:
                return False
            await self._store.delete(sha256)
            return True
