"""Wires the control API together: the public app, the internal app, and what runs beside them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import structlog
from fastapi import FastAPI
from modelport_http.client_address import HOW_TO_TRUST
from modelport_http.connections.redirects import LocalRedirectsMiddleware
from modelport_http.middleware import (
    AccessLogMiddleware,
    BodyLimitMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)
from modelport_http.problem import ProblemMiddleware
from modelport_process.background import Work, working
from modelport_store.store import Store
from pydantic import SecretStr
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from modelport_control_api.account import endpoints as account
from modelport_control_api.accounts import jwks
from modelport_control_api.accounts.api_keys import endpoints as api_keys
from modelport_control_api.accounts.api_keys import introspection, known
from modelport_control_api.accounts.audit import endpoints as audit
from modelport_control_api.accounts.auth import credentials
from modelport_control_api.accounts.auth import endpoints as auth
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.admin import endpoints as admin
from modelport_control_api.analytics import endpoints as analytics
from modelport_control_api.artifacts import endpoints as artifacts
from modelport_control_api.batch import endpoints as jobs
from modelport_control_api.batch.pods import demand
from modelport_control_api.batch.pods import endpoints as batch_pods
from modelport_control_api.batch.pods.demand import Demand
from modelport_control_api.batch.submission import endpoints as job_submission
from modelport_control_api.batch.wiring import BatchServices
from modelport_control_api.db.session import Database
from modelport_control_api.history import endpoints as history
from modelport_control_api.history.retention import Retention
from modelport_control_api.http import health, problems
from modelport_control_api.http.app_state import AppState
from modelport_control_api.http.context import Context
from modelport_control_api.http.docs_pages import add_docs
from modelport_control_api.http.metrics import MetricsMiddleware
from modelport_control_api.http.openapi.document import DESCRIPTION, TAGS, DocumentedApp
from modelport_control_api.models import endpoints as models_calls
from modelport_control_api.models import version_endpoints as versions_calls
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.monitoring import endpoints as drift_calls
from modelport_control_api.monitoring import internal_endpoints as drift_internal
from modelport_control_api.monitoring.evaluator import Evaluator
from modelport_control_api.monitoring.wiring import DriftServices
from modelport_control_api.process import sample_handlers
from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.settings.control_api import Settings
from modelport_control_api.ui.shell import UiShell
from modelport_control_api.ui.wiring import add_ui
from modelport_control_api.usage import endpoints as usage_calls
from modelport_control_api.usage.wiring import UsageServices

log = structlog.get_logger(__name__)

_CORS_HEADERS = ["Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "Cache-Control"]
_CORS_EXPOSED = ["X-Request-ID", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"]


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
                "no proxy is trusted: callers who come through one share its address", cure=HOW_TO_TRUST
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
    models = ModelsServices.build(settings, database, cluster, replicas)
    batch = BatchServices.build(settings)
    wanted = Demand(models.transactions, models.statuses, settings.batch_max_replicas)
    usage = UsageServices.build(settings, database, sample_handlers.build(models.reserve), redis_url)
    drift = DriftServices.build(settings, models)
    evaluator = Evaluator(database, drift, retention_days=settings.drift_retention_days)
    public, internal = _build_public(context), _build_internal()
    state = AppState(context, accounts, models, models.store, usage, drift, batch)
    for app in (public, internal):
        state.attach(app)
        problems.register(app)
    background = (
        *models.background(),
        wanted.run,
        *_background(settings, accounts),
        *usage.background(),
        evaluator.run,
    )
    return ControlPlane(public, internal, context, accounts, models, background)


def _background(settings: Settings, accounts: AccountServices) -> tuple[Work, ...]:
    retention = Retention(
        accounts.database, max_rows=settings.history_max_rows, every_seconds=settings.history_sweep_seconds
    )

    async def mark_keys() -> None:
        await known.mark_all(accounts)

    return (retention.run, mark_keys)


def _build_public(context: Context) -> FastAPI:
    app = DocumentedApp(
        title="Modelport",
        summary="Upload a model file, get a secured endpoint.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        middleware=_public_middleware(context.settings),
    )
    _add_routes(
        app,
        auth,
        account,
        api_keys,
        models_calls,
        versions_calls,
        drift_calls,
        job_submission,
        jobs,
        history,
        analytics,
        audit,
        admin,
        jwks,
        health,
    )
    add_docs(app)
    add_ui(app)
    return app


def _build_internal() -> FastAPI:
    app = FastAPI(
        title="Modelport internal",
        openapi_url=None,
        middleware=[Middleware(RequestIdMiddleware), Middleware(ProblemMiddleware)],
    )
    _add_routes(
        app, introspection, artifacts, batch_pods, job_submission, usage_calls, drift_internal, jwks, health
    )
    return app


def _add_routes(app: FastAPI, *parts: ModuleType) -> None:
    for part in parts:
        # Not include_router: it analyses every route anew, for each app and when it is first asked.
        app.router.routes.extend(part.router.routes)


def _public_middleware(settings: Settings) -> list[Middleware]:
    """Outermost first. CORS stands outside of errors: a page must be able to read those too."""
    return [
        Middleware(RequestIdMiddleware),
        Middleware(AccessLogMiddleware, trusted_proxies=settings.trusted_proxies),
        Middleware(MetricsMiddleware),
        Middleware(SecurityHeadersMiddleware),
        Middleware(LocalRedirectsMiddleware),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_CORS_HEADERS,
            expose_headers=_CORS_EXPOSED,
        ),
        Middleware(ProblemMiddleware),
        Middleware(UiShell),
        Middleware(BodyLimitMiddleware, limit_for=_limit_for(settings)),
    ]


def _limit_for(settings: Settings) -> Callable[[Scope], int | None]:
    def limit_for(scope: Scope) -> int | None:
        return None if _is_upload(scope["path"]) else settings.max_json_bytes

    return limit_for


def _is_upload(path: str) -> bool:
    """Uploads are counted as they stream to disk."""
    parts = path.strip("/").split("/")
    if parts[:3] == ["api", "v1", "predict"] and parts[-1] == "batch":
        return True
    is_model_call = parts[:3] == ["api", "v1", "models"]
    is_version = len(parts) == 5 and parts[4] == "versions"
    is_reference = len(parts) == 7 and parts[6] == "reference"
    return is_model_call and (parts[3:] == ["upload"] or is_version or is_reference)
