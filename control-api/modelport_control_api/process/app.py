"""Wires the control API together: the public app, the internal app, and what runs beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from fastapi import FastAPI
from modelport_http.client_address import HOW_TO_TRUST
from modelport_process.background import Work, working
from modelport_store.store import Store
from modelport_telemetry.usage import drift_counts, kept_prediction
from pydantic import SecretStr
from sqlalchemy.orm import Session

from modelport_control_api.accounts.api_keys import known
from modelport_control_api.accounts.auth import credentials
from modelport_control_api.accounts.sessions import ended
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.alerting.states import ModelStates
from modelport_control_api.batch.pods import demand
from modelport_control_api.batch.pods.demand import Demand
from modelport_control_api.batch.wiring import BatchServices
from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.disk import DiskReserve
from modelport_control_api.drift import repository as drift_arrivals
from modelport_control_api.experiments.evaluator import ExperimentEvaluator
from modelport_control_api.feedback.retention import FeedbackRetention
from modelport_control_api.history import repository
from modelport_control_api.history.retention import Retention
from modelport_control_api.http import problems
from modelport_control_api.http.context import AppState, Context
from modelport_control_api.importance.samples import Samples
from modelport_control_api.importance.wiring import ImportanceServices
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.monitoring.evaluator import Evaluator
from modelport_control_api.monitoring.wiring import DriftServices
from modelport_control_api.process.apps import build_internal, build_public
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.quality.falls.watching import QualityWatch
from modelport_control_api.quality.gauges.keeping import QualityGauges
from modelport_control_api.quality.wiring import QualityServices
from modelport_control_api.rollouts.ends import RolloutEnds
from modelport_control_api.rollouts.leftovers import EvidenceSweep
from modelport_control_api.settings import Settings
from modelport_control_api.usage.samples import Handler, Handlers
from modelport_control_api.usage.wiring import UsageServices


def sample_handlers(reserve: DiskReserve) -> Handlers:
    """Return what writes each kind of sample. Each raises `OSError` while less than the reserve is free."""
    by_kind: Handlers = {kept_prediction.KIND: repository.write, drift_counts.KIND: drift_arrivals.write}
    return {kind: _while_there_is_room(reserve, handler) for kind, handler in by_kind.items()}


def _while_there_is_room(reserve: DiskReserve, handler: Handler) -> Handler:
    """Best effort takes nothing of what is kept for logins, deletes and usage."""

    def write(session: Session, payloads: list[bytes]) -> None:
        reserve.require()
        handler(session, payloads)

    return write


log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ControlPlane:
    """Serve `public` to users and `internal` to the platform's own parts, inside `running()`."""

    public: FastAPI
    internal: FastAPI
    context: Context
    accounts: AccountServices
    models: ModelsServices
    background: tuple[Work, ...]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything beside the requests: publisher, status watch, clean-up."""
        settings = self.context.settings
        if settings.public_url and not settings.trusted_proxies:
            log.warning(
                "no_trusted_proxies",
                detail="callers who come through one proxy share its address",
                cure=HOW_TO_TRUST,
            )
        try:
            await self.models.clean_up()
            async with working(self.background):
                yield
        finally:
            self.accounts.passwords.close()
            self.context.database.close()


def build(
    settings: Settings, *, store: Store, cluster: Cluster, redis_url: SecretStr | None = None
) -> ControlPlane:
    """The database must be migrated before the first request. Raises `SigningKeysError` without a key.

    `redis_url`: where gateways send usage to, if not here.
    """
    database = Database(settings.database_url.get_secret_value())
    accounts = AccountServices.build(settings, database, store)
    context = Context(settings, database, store, partial(credentials.authenticate, accounts))
    replicas = partial(demand.wanted_of, settings.batch_max_replicas)
    batch = BatchServices.build(settings)
    samples = Samples(batch.files, Transactions(database))
    models = ModelsServices.build(settings, database, cluster, replicas, samples.keep_reference)
    importance = ImportanceServices(models, samples)
    usage = UsageServices.build(settings, database, sample_handlers(models.reserve), redis_url)
    drift = DriftServices.build(settings, models)
    quality = QualityServices.build(settings, models)
    state = AppState(context, accounts, models, models.store, usage, drift, batch, importance, quality)
    public, internal = build_public(settings), build_internal()
    for app in (public, internal):
        state.attach(app)
        problems.register(app)
    background = (
        *models.background(),
        *usage.background(),
        *_background(settings, accounts, drift),
        importance.keeper.run,
        importance.keeper.sweep_forever,
        RolloutEnds(models).run,
        EvidenceSweep(models).run,
        ModelStates(models).run,
        ExperimentEvaluator(models).run,
        QualityWatch(database).run,
        QualityGauges(quality).run,
    )
    return ControlPlane(public, internal, context, accounts, models, background)


def _background(settings: Settings, accounts: AccountServices, drift: DriftServices) -> tuple[Work, ...]:
    """What belongs to no slice's services."""
    database, models = accounts.database, drift.models
    wanted = Demand(models.transactions, models.statuses, settings.batch_max_replicas)
    evaluator = Evaluator(database, drift, retention_days=settings.drift_retention_days)
    retention = Retention(
        database, max_rows=settings.history_max_rows, every_seconds=settings.history_sweep_seconds
    )

    async def mark_keys() -> None:
        await known.mark_all(accounts)

    async def report_ended() -> None:
        await ended.keep_reporting(accounts)

    compared = FeedbackRetention(database, every_seconds=settings.history_sweep_seconds)
    return (wanted.run, evaluator.run, retention.run, compared.run, mark_keys, report_ended)
