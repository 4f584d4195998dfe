"""The two apps: which calls each serves, and what stands around them."""

from collections.abc import Callable
from functools import partial
from types import ModuleType

from fastapi import FastAPI
from modelport_http.connections.redirects import LocalRedirectsMiddleware
from modelport_http.middleware import (
    AccessLogMiddleware,
    BodyLimitMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)
from modelport_http.problem import ProblemMiddleware
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from modelport_control_api import own_account
from modelport_control_api.accounts import audit
from modelport_control_api.accounts.api_keys import endpoints as api_keys
from modelport_control_api.accounts.api_keys import introspection
from modelport_control_api.accounts.auth import endpoints as auth
from modelport_control_api.accounts.sessions import access_tokens
from modelport_control_api.admin import endpoints as admin
from modelport_control_api.alerting import event_endpoints as events_calls
from modelport_control_api.alerting import webhook_endpoints as webhooks_calls
from modelport_control_api.analytics import endpoints as analytics
from modelport_control_api.artifacts import endpoints as artifacts
from modelport_control_api.batch import endpoints as jobs
from modelport_control_api.batch.pods import lookup as batch_pods
from modelport_control_api.batch.submission import endpoints as job_submission
from modelport_control_api.experiments import endpoints as experiments_calls
from modelport_control_api.feedback import endpoints as feedback
from modelport_control_api.history import endpoints as history
from modelport_control_api.http import health
from modelport_control_api.http.documentation import add_docs, add_help
from modelport_control_api.http.health import MetricsMiddleware
from modelport_control_api.http.openapi.document import DESCRIPTION, TAGS, DocumentedApp
from modelport_control_api.http.sdk import add_sdk
from modelport_control_api.importance import endpoints as importance_calls
from modelport_control_api.models import endpoints as models_calls
from modelport_control_api.models import version_endpoints as versions_calls
from modelport_control_api.models.bundles import endpoints as bundles
from modelport_control_api.models.upload_openapi import with_limits
from modelport_control_api.monitoring import endpoints as drift_calls
from modelport_control_api.monitoring import internal_endpoints as drift_internal
from modelport_control_api.quality import endpoints as quality_calls
from modelport_control_api.quality.calibration import endpoints as calibration_calls
from modelport_control_api.quality.gauges import internal_endpoints as quality_internal
from modelport_control_api.rollouts import endpoints as rollouts_calls
from modelport_control_api.rollouts import internal_endpoints as rollouts_internal
from modelport_control_api.settings import Settings
from modelport_control_api.ui.shell import UiShell
from modelport_control_api.ui.wiring import add_ui
from modelport_control_api.usage import endpoints as usage_calls

_CORS_HEADERS = ["Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "Cache-Control"]
_CORS_EXPOSED = ["X-Request-ID", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"]


def build_public(settings: Settings) -> FastAPI:
    """Return the app for users: API, documentation, help, client and web UI.

    The caller attaches an `AppState` and registers the handlers of problems.
    """
    app = DocumentedApp(
        with_settings=partial(
            with_limits, max_bytes=settings.max_upload_bytes, chooses=settings.choose_environments
        ),
        title="Modelport",
        summary="Upload a model file, get a secured endpoint.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        middleware=_public_middleware(settings),
    )
    _add_routes(
        app,
        auth,
        own_account,
        api_keys,
        models_calls,
        versions_calls,
        drift_calls,
        importance_calls,
        rollouts_calls,
        quality_calls,
        calibration_calls,
        feedback,
        events_calls,
        webhooks_calls,
        experiments_calls,
        job_submission,
        jobs,
        history,
        analytics,
        audit,
        admin,
        access_tokens,
        health,
    )
    add_docs(app)
    add_help(app)
    add_sdk(app)
    add_ui(app)
    return app


def build_internal() -> FastAPI:
    """Return the app for the platform's own components, without documentation, CORS or a body limit.

    The caller completes it as the public one.
    """
    app = FastAPI(
        title="Modelport internal",
        openapi_url=None,
        middleware=[Middleware(RequestIdMiddleware), Middleware(ProblemMiddleware)],
    )
    _add_routes(
        app,
        introspection,
        artifacts,
        bundles,
        batch_pods,
        job_submission,
        usage_calls,
        drift_internal,
        quality_internal,
        rollouts_internal,
        access_tokens,
        health,
    )
    return app


def _add_routes(app: FastAPI, *parts: ModuleType) -> None:
    for part in parts:
        # Not include_router: it analyzes every route again, for each app and when it is first called.
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
        Middleware(ProblemMiddleware, public_url=(settings.public_url or "").rstrip("/")),
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
    is_rows = len(parts) == 7 and parts[6] in {"reference", "calibration"}
    is_feedback = len(parts) == 5 and parts[4] == "feedback"
    return is_model_call and (parts[3:] == ["upload"] or is_version or is_rows or is_feedback)
