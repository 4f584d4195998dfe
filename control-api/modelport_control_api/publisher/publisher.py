"""Publishes to the cluster what the database wants, until it sticks.

Level-triggered: an outbox entry names which model to look at, never what to do. The whole MLModel is computed
from the rows as they are now, so entries may be repeated or merged without harm, and a crash at any point
leaves the entry for the next start.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import structlog
from modelport_crds import names
from modelport_kube.kube import Rejected
from modelport_process.backoff import KeyedBackoff
from prometheus_client import Counter, Gauge
from sqlalchemy.orm import Session

from modelport_control_api import outbox
from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.publisher.advisory_lock import turn
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.publisher.manifest import build_manifest
from modelport_control_api.publisher.sync import make_so
from modelport_control_api.registry import repository
from modelport_control_api.registry.records import ModelRecord

log = structlog.get_logger(__name__)
PUBLISHED = Counter("modelport_control_api_published_models_total", "Times that the cluster took a model")
FAILURES = Counter(
    "modelport_control_api_publish_failures_total", "Times that the cluster did not take a model"
)
WAITING = Gauge(
    "modelport_control_api_outbox_waiting_models", "Models whose last change is not yet published"
)

BatchReplicas = Callable[[Session, str], Mapping[str, int]]
"""How many pods a model's versions need for batch jobs: version → pods."""

_APPLY_TIMEOUT_SECONDS = 30.0
_CONCURRENT_APPLIES = 8


@dataclass(frozen=True, slots=True)
class PublisherIntervals:
    """Seconds. `poll` finds what another replica left; `resync`: see `Publisher`."""

    poll: float = 5.0
    resync: float = 600.0
    first_retry: float = 0.5
    last_retry: float = 60.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`batch_replicas`: version → pods."""

    record: ModelRecord
    batch_replicas: Mapping[str, int]


class Publisher:
    """Runs in every replica; each model is published by one at a time.

    The cluster is written to when something was changed through the API. With `overwrite` everything is also
    compared with the cluster now and then, and what was changed there by others is undone.
    """

    def __init__(
        self,
        database: Database,
        cluster: Cluster,
        namespace: str,
        intervals: PublisherIntervals | None = None,
        *,
        overwrite: bool = False,
        batch_replicas: BatchReplicas = lambda _session, _model_id: {},
    ) -> None:
        self._database = database
        self._transactions = Transactions(database)
        self._cluster = cluster
        self._namespace = namespace
        self._intervals = intervals or PublisherIntervals()
        self._overwrite = overwrite
        self._batch_replicas = batch_replicas
        self._woken = asyncio.Event()
        self._backoff: KeyedBackoff[str] = KeyedBackoff(
            self._intervals.first_retry, self._intervals.last_retry
        )
        self._retry_at: dict[str, float] = {}
        self._refusals: dict[str, str] = {}
        self._applies = asyncio.Semaphore(_CONCURRENT_APPLIES)
        # Models to look at that have no entry in the outbox; unlike those they need not survive a restart.
        self._again: set[str] = set()

    def wake(self) -> None:
        """Something was committed. Call it on the event loop."""
        self._woken.set()

    def refusal(self, model_id: str) -> str | None:
        """Why the cluster does not take the model as it is; None: it does, or none was sent yet."""
        return self._refusals.get(model_id)

    async def run(self) -> None:
        """Publish forever."""
        next_resync = self._now() if self._overwrite else float("inf")
        while True:
            self._woken.clear()
            try:
                if self._now() >= next_resync:
                    await self.resync()
                    next_resync = self._now() + self._intervals.resync
                await self.publish_due()
            except Exception as error:  # noqa: BLE001 - counted and logged; publishing must never end
                # The database or the listing failed as a whole: the next round tries again.
                FAILURES.inc()
                log.warning("publishing_failed", error=repr(error))
            await self._sleep()

    async def resync(self) -> None:
        """Look at every model again, and at those of ours in the cluster that no row has any more."""
        # The cluster first: a model that is made in between is then in the database's result, never taken
        # for one that was deleted.
        ours = {names.LABEL_MANAGED_BY: names.MANAGED_BY_CONTROL_API}
        there = await self._cluster.list(names.KIND, self._namespace, ours)
        wanted = await self._transactions.read(repository.all_ids)
        self._again |= wanted | {str(obj["metadata"]["name"]) for obj in there}

    async def publish_due(self) -> None:
        """Publish every model that waits and is not backing off; failures are kept for a later round."""
        pending = await self._transactions.read(outbox.pending)
        waiting = {**dict.fromkeys(self._again, 0), **pending}
        WAITING.set(len(waiting))
        self._forget_all_but(waiting)
        due = [model_id for model_id in waiting if self._due(model_id)]
        await asyncio.gather(*(self._publish_or_retry(model_id, waiting[model_id]) for model_id in due))

    def _due(self, model_id: str) -> bool:
        return self._retry_at.get(model_id, 0.0) <= self._now()

    def _forget_all_but(self, waiting: Collection[str]) -> None:
        """Another replica has published the others meanwhile."""
        for model_id in (self._retry_at.keys() | self._refusals.keys()) - set(waiting):
            self._settle(model_id)

    async def _publish_or_retry(self, model_id: str, up_to: int) -> None:
        try:
            async with self._applies, turn(self._database, model_id) as is_ours:
                if is_ours:
                    await self._publish(model_id)
                    await self._transactions.write(
                        lambda session: outbox.mark_published(session, model_id, up_to)
                    )
        except Exception as error:  # noqa: BLE001 - whatever it was: counted, logged and tried again
            self._back_off(model_id, error)
            return
        if is_ours:
            self._settle(model_id)
            PUBLISHED.inc()
        else:
            self._backoff.succeeded(model_id)
            self._retry_at[model_id] = self._now() + self._intervals.first_retry

    def _settle(self, model_id: str) -> None:
        self._backoff.succeeded(model_id)
        self._retry_at.pop(model_id, None)
        self._refusals.pop(model_id, None)
        self._again.discard(model_id)

    async def _publish(self, model_id: str) -> None:
        wanted = await self._load(model_id)
        while True:
            async with asyncio.timeout(_APPLY_TIMEOUT_SECONDS):
                await self._apply(model_id, wanted)
            # A change that was committed meanwhile need not wait for the next round.
            latest = await self._load(model_id)
            if _revision(latest) == _revision(wanted):
                return
            wanted = latest

    async def _apply(self, model_id: str, wanted: _Wanted | None) -> None:
        if wanted is None:
            await self._cluster.delete(names.KIND, self._namespace, model_id)
        else:
            manifest = build_manifest(wanted.record, self._namespace, wanted.batch_replicas)
            await make_so(self._cluster, manifest)

    async def _load(self, model_id: str) -> _Wanted | None:
        def load(session: Session) -> _Wanted | None:
            row = repository.find(session, model_id)
            if row is None:
                return None
            return _Wanted(repository.to_record(row), self._batch_replicas(session, model_id))

        return await self._transactions.read(load)

    def _back_off(self, model_id: str, error: Exception) -> None:
        if isinstance(error, Rejected):
            self._refusals[model_id] = str(error)
        # It may be half done, and another replica may have crossed out its entry.
        self._again.add(model_id)
        self._retry_at[model_id] = self._now() + self._backoff.next_delay(model_id)
        FAILURES.inc()
        failures = self._backoff.failures(model_id)
        log.warning("model_not_applied", model=model_id, failures=failures, error=repr(error))

    async def _sleep(self) -> None:
        waits = [at - self._now() for at in self._retry_at.values()]
        seconds = max(0.01, min([self._intervals.poll, *waits]))
        # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes together with the
        # wake-up, and the task would outlive its stop.
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _revision(wanted: _Wanted | None) -> tuple[int, Mapping[str, int]] | None:
    return (wanted.record.revision, wanted.batch_replicas) if wanted else None
