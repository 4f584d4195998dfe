"""The chunks of one version: as many at a time as its pods have places."""

import asyncio
import time
from dataclasses import dataclass

import structlog
from modelport_process.background import every

from modelport_control_api.batch_worker.chunks import ChunkWork
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.leases import ClaimedChunk, LeaseRepository, Version
from modelport_control_api.batch_worker.pod_client import Pods
from modelport_control_api.batch_worker.pod_discovery import Listed, PodDiscovery, PodDiscoveryAway

log = structlog.get_logger(__name__)

_LOOK_FOR_PODS_SECONDS = 1.0
_LOOK_FOR_CHUNKS_SECONDS = 0.25
_FULL = "The platform's disk has no room for results: it goes on when there is some."


@dataclass(frozen=True)
class WorkerDeps:
    """What the lanes of one worker share."""

    leases: LeaseRepository
    pod_discovery: PodDiscovery
    chunks: ChunkWork
    leased_tasks: LeasedTasks
    cut: asyncio.Event
    """Set when a chunk was cut."""


class VersionConsumer:
    """`run` until it is cancelled, which breaks off what is in progress."""

    def __init__(self, version: Version, deps: WorkerDeps, pods: Pods, *, pod_wait_seconds: float) -> None:
        self._version = version
        self._deps = deps
        self._pods = pods
        self._pod_wait_seconds = pod_wait_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone_since = time.monotonic()
        self._last_noted = "?"
        self._found = asyncio.Event()
        """Set when there are more pods."""

    async def run(self) -> None:
        """Do chunks until cancelled, or until claiming one raises; it may be called again then.

        What was in progress is free again at its lease's end.
        """
        looking = asyncio.create_task(self._look_for_pods())
        try:
            while True:
                if not await self._take_some():
                    await self._pause()
        finally:
            looking.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(looking, *self._tasks, return_exceptions=True)
            await self._pods.aclose()

    async def _take_some(self) -> bool:
        """False: no place or no chunk is free, or the disk is full."""
        if not self._has_place or not self._deps.chunks.has_room():
            return False
        self._deps.cut.clear()
        claimed = await self._deps.leases.claim_chunk(self._version)
        if claimed is None:
            return False
        task = asyncio.create_task(self._do(claimed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._deps.leased_tasks.add((claimed.job_id, claimed.number), task)
        return True

    async def _pause(self) -> None:
        """Until a place or a chunk may be free. Other workers cut chunks too, without any notice."""
        news = self._deps.cut
        if not self._has_place:
            # A chunk is no news then.
            news = self._found
            news.clear()
        hearing = asyncio.create_task(news.wait())
        try:
            await asyncio.wait(
                {hearing, *self._tasks}, timeout=_LOOK_FOR_CHUNKS_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            hearing.cancel()

    @property
    def _has_place(self) -> bool:
        return len(self._tasks) < self._pods.places

    async def _do(self, claimed: ClaimedChunk) -> None:
        try:
            await self._deps.chunks.do(claimed, self._pods)
        except Exception as error:  # noqa: BLE001 - whatever it was: logged, and the chunk is done another time
            log.warning("batch_chunk_failed", job=claimed.job_id, chunk=claimed.number, error=repr(error))
            # Not at once: what failed may be the database or the disk.
            await asyncio.sleep(_LOOK_FOR_PODS_SECONDS)
            await self._deps.leases.release_chunk(claimed)

    async def _look_for_pods(self) -> None:
        await every(_LOOK_FOR_PODS_SECONDS, self._follow_found, failed="jobs_without_pods_not_ended")

    async def _follow_found(self) -> None:
        try:
            listed = await self._deps.pod_discovery.find(*self._version)
        except PodDiscoveryAway as error:
            # The known pods go on being called.
            log.warning("pod_discovery_failed", error=str(error))
        else:
            await self._follow(listed)

    async def _note_waiting(self, words: str) -> None:
        """Also for jobs that came since it was last noted."""
        if words or self._last_noted:
            await self._deps.leases.note_waiting(self._version, words)
        self._last_noted = words

    def _waits_for(self, listed: Listed) -> str:
        if not self._deps.chunks.has_room():
            return _FULL
        return "" if listed.addresses else listed.message

    async def _follow(self, listed: Listed) -> None:
        places = self._pods.places
        await self._pods.update(listed.addresses)
        if self._pods.places > places:
            self._found.set()
        await self._note_waiting(self._waits_for(listed))
        if listed.addresses:
            self._alone_since = time.monotonic()
        elif not listed.exists:
            await self._deps.leases.fail_all_of(self._version, listed.reason, listed.message)
        elif time.monotonic() - self._alone_since > self._pod_wait_seconds:
            waited = f"No process of {self._version[1]} became ready within {self._pod_wait_seconds:.0f} s."
            await self._deps.leases.fail_all_of(self._version, listed.reason, f"{waited} {listed.message}")
