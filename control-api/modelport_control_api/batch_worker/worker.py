"""All that one worker does, side by side. Its state is in the database and the object store alone."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from modelport_process.background import every

from modelport_control_api.alerts import retention
from modelport_control_api.alerts.delivery import Deliverer
from modelport_control_api.alerts.sending import Sender
from modelport_control_api.batch import announcing
from modelport_control_api.batch.sources.fetching import Fetching, Reader
from modelport_control_api.batch.storage import expiry
from modelport_control_api.batch.storage.files import BatchFiles, open_batch_files
from modelport_control_api.batch_worker.chunks import ChunkWork
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.leases import LeaseRepository, Version
from modelport_control_api.batch_worker.pod_client import Pods
from modelport_control_api.batch_worker.pod_discovery import PodDiscovery
from modelport_control_api.batch_worker.preparing import Preparing
from modelport_control_api.batch_worker.settings import Settings
from modelport_control_api.batch_worker.version_consumer import VersionConsumer, WorkerDeps
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database


class Maintenance:
    """`job_retention`: how long the row of a job stays when its files are gone."""

    def __init__(
        self, database: Database, files: BatchFiles, *, job_retention: timedelta, event_retention: timedelta
    ) -> None:
        self._database = database
        self._files = files
        self._job_retention = job_retention
        self._event_retention = event_retention

    async def expire(self) -> None:
        """Remove the files of jobs whose time is over, and rows of jobs and events that were long ago."""
        while await expiry.expire_due(self._database, self._files, utc_now()):
            pass
        while await expiry.remove_old(self._database, utc_now(), self._job_retention):
            pass
        while await asyncio.to_thread(retention.remove_old, self._database, utc_now(), self._event_retention):
            pass

    async def sweep(self) -> None:
        """Remove the files of jobs that are none."""
        await expiry.sweep(self._database, self._files, utc_now())


_LOOK_SECONDS = 1.0
# Slow servers hold each other up, and never what was sent.
_FETCHED_AT_ONCE = 4
# A job that was cancelled goes on for no longer than that.
_RENEW_SECONDS = 1.0
_RELEASE_SECONDS = 5.0
_EXPIRE_SECONDS = 60.0
_SWEEP_SECONDS = 3600.0


class Worker:
    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._leases = LeaseRepository(
            database,
            worker_name(),
            lease_seconds=settings.batch_lease_seconds,
            keep=timedelta(days=settings.batch_result_days),
            most_result_bytes=settings.batch_max_job_bytes,
            most_user_bytes=settings.user_max_bytes,
        )
        self._files: BatchFiles = open_batch_files(settings.artifacts_url, settings.disk_reserve_bytes)
        self._deps = WorkerDeps(
            self._leases,
            PodDiscovery.open(settings.internal_url, settings.internal_key),
            ChunkWork(self._leases, self._files),
            LeasedTasks(),
            asyncio.Event(),
        )
        reader = Reader(settings.batch_input_allowed_networks)
        fetching = Fetching(self._files, reader, max_bytes=settings.batch_max_bytes)
        self._preparing = Preparing(
            self._leases,
            self._files,
            fetching,
            self._deps.leased_tasks,
            cut=self._deps.cut,
            limits=settings.limits,
        )
        self._maintenance = Maintenance(
            database,
            self._files,
            job_retention=timedelta(days=settings.batch_job_retention_days),
            event_retention=timedelta(days=settings.event_retention_days),
        )
        self._deliverer = Deliverer(database, Sender(settings.webhook_allowed_networks), announcing.targets)
        self._consumers: dict[Version, asyncio.Task[None]] = {}
        self._has_jobs = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled; then what was taken is given back."""
        loops = [
            asyncio.create_task(_for_ever("looking for jobs", _LOOK_SECONDS, self._look)),
            asyncio.create_task(_for_ever("cutting inputs", _LOOK_SECONDS, self._prepare)),
            *(
                asyncio.create_task(_for_ever("fetching inputs", _LOOK_SECONDS, self._fetch))
                for _ in range(_FETCHED_AT_ONCE)
            ),
            asyncio.create_task(_for_ever("renewing leases", _RENEW_SECONDS, self._renew)),
            asyncio.create_task(_for_ever("sending webhooks", _LOOK_SECONDS, self._deliverer.deliver)),
            asyncio.create_task(_for_ever("removing files", _EXPIRE_SECONDS, self._maintenance.expire)),
            asyncio.create_task(_for_ever("sweeping files", _SWEEP_SECONDS, self._maintenance.sweep)),
        ]
        try:
            await asyncio.gather(*loops)
        finally:
            tasks = [*loops, *self._consumers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leases.release_all(), _RELEASE_SECONDS)
            await self._deps.pod_discovery.aclose()

    async def _look(self) -> None:
        """Have a lane for each version with unfinished jobs, and for no other."""
        versions = await self._leases.open_versions()
        if versions:
            self._has_jobs.set()
        else:
            self._has_jobs.clear()
        for version in self._consumers.keys() - versions:
            consumer = self._consumers.pop(version)
            consumer.cancel()
            await asyncio.gather(consumer, return_exceptions=True)
        for version in versions:
            if version not in self._consumers or self._consumers[version].done():
                self._consumers[version] = asyncio.create_task(
                    _for_ever("doing chunks", _LOOK_SECONDS, self._consumer(version).run)
                )

    def _consumer(self, version: Version) -> VersionConsumer:
        settings = self._settings
        pods = Pods(settings.batch_requests_per_pod, settings.batch_request_seconds)
        return VersionConsumer(version, self._deps, pods, pod_wait_seconds=settings.batch_pod_wait_seconds)

    async def _prepare(self) -> None:
        await self._has_jobs.wait()
        while await self._preparing.do_one():
            pass

    async def _fetch(self) -> None:
        await self._has_jobs.wait()
        while await self._preparing.do_one(elsewhere=True):
            pass

    async def _renew(self) -> None:
        tasks = self._deps.leased_tasks
        if before := tasks.snapshot():
            tasks.break_off(before, await self._leases.renew(tasks.leases_of(before)))


async def _for_ever(what: str, pause_seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    await every(pause_seconds, step, failed="batch_worker_step_failed", what=what)


def worker_name() -> str:
    """One for each process: the same machine may have several, one after the other too."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
