"""Everything behind the model calls, built once: the artifact store, the publisher, the status watch."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog
from modelport_crds import names
from modelport_environments.resolving import Resolver
from modelport_process.background import Work, every
from sqlalchemy.orm import Session

from modelport_control_api.artifacts.keeper import ArtifactKeeper
from modelport_control_api.artifacts.store import ArtifactStore, local_folder, open_artifact_store
from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.disk import DiskReserve
from modelport_control_api.models.model_reader import ModelReader
from modelport_control_api.models.uploads import UploadService
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.publisher.publisher import BatchReplicas, Publisher
from modelport_control_api.publisher.statuses import ModelStatuses
from modelport_control_api.registry import quotas, repository
from modelport_control_api.registry.quotas import Holding, Limits
from modelport_control_api.settings import ModelsSettings

log = structlog.get_logger(__name__)
_SEVERAL_PROCESSES_GRACE_SECONDS = 300.0
# Another process may be receiving it, slowly.
_DEAD_UPLOAD_SECONDS = 3600.0
_COLLECT_EVERY_SECONDS = 600.0


OnReference = Callable[[str, int, Path], Awaitable[None]]
"""Of the model, and the version's number."""


@dataclass(frozen=True)
class ModelsServices:
    """`on_reference`: is given the file of each new reference, while it lies there."""

    cluster: Cluster
    namespace: str
    store: ArtifactStore
    keeper: ArtifactKeeper
    transactions: Transactions
    uploads: UploadService
    publisher: Publisher
    statuses: ModelStatuses
    reader: ModelReader
    reserve: DiskReserve
    limits: Limits
    public_url: str | None
    on_reference: OnReference

    @classmethod
    def build(
        cls,
        settings: ModelsSettings,
        database: Database,
        cluster: Cluster,
        batch_replicas: BatchReplicas,
        on_reference: OnReference,
    ) -> Self:
        """Wire the services; nothing runs yet. Makes the local folders for files. Raises `CannotStart`."""
        namespace = settings.models_namespace
        publisher = Publisher(
            database,
            cluster,
            namespace,
            overwrite=settings.overwrite_outside_changes,
            batch_replicas=batch_replicas,
        )
        transactions = Transactions(database, on_commit=publisher.wake)
        scratch = settings.scratch_dir or Path(tempfile.gettempdir()) / "modelport-uploads"
        store = open_artifact_store(settings.artifacts_url, scratch)
        reserve = _build_reserve(settings, database)
        grace = _grace_seconds(settings, database)
        statuses = ModelStatuses(cluster, namespace, all_namespaces=settings.watch_all_namespaces)
        keeper = _build_keeper(grace, store, transactions, statuses)
        return cls(
            cluster=cluster,
            namespace=namespace,
            store=store,
            keeper=keeper,
            transactions=transactions,
            uploads=UploadService(
                store,
                keeper,
                transactions,
                settings.upload_idle_seconds,
                reserve,
                choose_environments=settings.choose_environments,
                resolver=Resolver(max_bytes=settings.bundle_max_bytes) if settings.own_requirements else None,
            ),
            publisher=publisher,
            statuses=statuses,
            reader=ModelReader(statuses, publisher),
            reserve=reserve,
            limits=quotas.limits_of(settings),
            public_url=settings.public_url,
            on_reference=on_reference,
        )

    async def note_reference(self, model_id: str, number: int, path: Path | None) -> None:
        """Report the reference that came along with an upload, if any."""
        if path is not None:
            await self.on_reference(model_id, number, path)

    async def clean_up(self) -> None:
        """After an earlier run, before the first request."""
        untouched_seconds = _DEAD_UPLOAD_SECONDS if self.keeper.grace_seconds else 0.0
        leftovers = await asyncio.to_thread(self.store.clean_incoming, untouched_seconds)
        if leftovers:
            log.info("interrupted_uploads_removed", count=leftovers)

    async def require_quota(self, user_id: str, *, models: int) -> None:
        """Raises QuotaReached, before a body is read that could not be kept."""
        await self.transactions.read(
            lambda session: quotas.check_room(session, user_id, self.limits, models=models, size=1)
        )

    async def holding(self, user_id: str) -> Holding:
        """What the account holds, and the most that it may."""
        return await self.transactions.read(lambda session: quotas.read(session, user_id, self.limits))

    def background(self) -> tuple[Work, ...]:
        return (self.statuses.run, self.publisher.run, self._collect_for_ever)

    async def _collect_for_ever(self) -> None:
        # Before that nobody knows which files models applied with kubectl name.
        await self.statuses.synced.wait()
        await every(
            _COLLECT_EVERY_SECONDS,
            self.keeper.collect_garbage,
            failed="unreferenced_artifacts_not_removed",
        )


def _grace_seconds(settings: ModelsSettings, database: Database) -> float:
    if settings.artifact_grace_seconds is not None:
        return settings.artifact_grace_seconds
    one_process = database.engine.dialect.name == "sqlite"
    return 0.0 if one_process else _SEVERAL_PROCESSES_GRACE_SECONDS


def _build_reserve(settings: ModelsSettings, database: Database) -> DiskReserve:
    folders = (local_folder(settings.artifacts_url), database.folder)
    return DiskReserve(settings.disk_reserve_bytes, tuple(folder for folder in folders if folder))


def _build_keeper(
    grace: float, store: ArtifactStore, transactions: Transactions, statuses: ModelStatuses
) -> ArtifactKeeper:
    async def references(digests: set[str]) -> set[str]:
        def find(session: Session) -> set[str]:
            return repository.referenced_digests(session, digests)

        return await transactions.read(find) | _named_by_kubectl(statuses, digests)

    return ArtifactKeeper(store, references, grace_seconds=grace)


def _named_by_kubectl(statuses: ModelStatuses, digests: set[str]) -> set[str]:
    """Those of `digests` that models without a row name. Before the cluster was seen: all, to be safe."""
    if not statuses.synced.is_set():
        return digests
    uris = {
        stored.uri
        for _, live in statuses.all()
        if live.metadata.labels.get(names.LABEL_MANAGED_BY) != names.MANAGED_BY_CONTROL_API
        for version in live.spec.versions
        for stored in (version.artifact, version.lock)
        if stored is not None
    }
    return {digest for digest in digests if names.platform_artifact_uri(digest) in uris}
