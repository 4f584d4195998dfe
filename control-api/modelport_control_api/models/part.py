"""Everything behind the model calls, built once: the artifact store, the publisher, the status watch."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog
from fastapi import Request
from sqlalchemy.orm import Session

from modelport_control_api.artifacts.keeper import ArtifactKeeper
from modelport_control_api.artifacts.store import ArtifactStore, open_artifact_store
from modelport_control_api.db.session import Database
from modelport_control_api.models import repository
from modelport_control_api.models.intake import Intake
from modelport_control_api.models.lookout import Lookout
from modelport_control_api.models.settings import ModelsSettings
from modelport_control_api.models.transactions import Transactions
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.publisher.publisher import Publisher
from modelport_control_api.publisher.statuses import ModelStatuses

log = structlog.get_logger(__name__)
_SEVERAL_PROCESSES_GRACE_SECONDS = 300.0
_COLLECT_EVERY_SECONDS = 600.0


@dataclass(frozen=True)
class ModelsPart:
    """In `request.app.state.models`. `start` before the first request, `stop` after the last."""

    cluster: Cluster
    namespace: str
    store: ArtifactStore
    keeper: ArtifactKeeper
    transactions: Transactions
    intake: Intake
    publisher: Publisher
    statuses: ModelStatuses
    lookout: Lookout
    public_url: str | None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: ModelsSettings, database: Database, cluster: Cluster) -> Self:
        namespace = settings.models_namespace
        publisher = Publisher(database, cluster, namespace, overwrite=settings.overwrite_outside_changes)
        transactions = Transactions(database, on_commit=publisher.wake)
        scratch = settings.scratch_dir or Path(tempfile.gettempdir()) / "modelport-uploads"
        store = open_artifact_store(settings.artifacts_url, scratch)
        keeper = _build_keeper(settings, database, store, transactions)
        statuses = ModelStatuses(cluster, namespace, all_namespaces=settings.watch_all_namespaces)
        return cls(
            cluster=cluster,
            namespace=namespace,
            store=store,
            keeper=keeper,
            transactions=transactions,
            intake=Intake(store, keeper, transactions, settings.upload_idle_seconds),
            publisher=publisher,
            statuses=statuses,
            lookout=Lookout(statuses, publisher),
            public_url=settings.public_url,
        )

    async def start(self) -> None:
        """Clean up after an earlier run, then publish, watch and collect in the background."""
        leftovers = await asyncio.to_thread(self.store.clean_incoming)
        if leftovers:
            log.info("interrupted uploads removed", count=leftovers)
        for work in (self.statuses.run(), self.publisher.run(), self._collect_for_ever()):
            self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _collect_for_ever(self) -> None:
        while True:
            try:
                await self.keeper.collect_garbage()
            except Exception as error:  # noqa: BLE001 - logged; the next round tries again
                log.warning("unreferenced artifacts could not be removed", error=repr(error))
            await asyncio.sleep(_COLLECT_EVERY_SECONDS)


def get_models(request: Request) -> ModelsPart:
    part: ModelsPart = request.app.state.models
    return part


def _build_keeper(
    settings: ModelsSettings, database: Database, store: ArtifactStore, transactions: Transactions
) -> ArtifactKeeper:
    grace = settings.artifact_grace_seconds
    if grace is None:
        one_process = database.engine.dialect.name == "sqlite"
        grace = 0.0 if one_process else _SEVERAL_PROCESSES_GRACE_SECONDS

    async def references(digests: set[str]) -> set[str]:
        def find(session: Session) -> set[str]:
            return repository.referenced_digests(session, digests)

        return await transactions.read(find)

    return ArtifactKeeper(store, references, grace_seconds=grace)
