"""Puts the gateway together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import structlog
from modelport_http.client_address import parse_networks
from modelport_http.middleware import AccessLogMiddleware, RequestIdMiddleware, SecurityHeadersMiddleware
from modelport_http.problem import ProblemMiddleware
from modelport_kube.kube import KubeWatch
from modelport_kube.reflector import Reflector
from modelport_process.background import every, working
from modelport_store.store import Limit, Store
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from modelport_gateway.auth.access_tokens import AccessTokens, SigningKeys
from modelport_gateway.auth.api_keys import ApiKeys
from modelport_gateway.auth.authentication import Authentication, Guard
from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.batch_uploads import BatchJobs
from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.http.fast_path import FastPath
from modelport_gateway.http.handler import PredictionHandler
from modelport_gateway.http.server import Server
from modelport_gateway.prediction import Prediction
from modelport_gateway.routing.routes import RouteTable
from modelport_gateway.routing.watching import watches
from modelport_gateway.sampling.drift import DriftTap
from modelport_gateway.sampling.feedback.asking import Asking
from modelport_gateway.sampling.feedback.tap import FeedbackTap
from modelport_gateway.sampling.history import HistoryTap
from modelport_gateway.sampling.references import References
from modelport_gateway.sampling.rollouts.copying import Copying
from modelport_gateway.sampling.rollouts.tap import RolloutTap
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.settings import Settings
from modelport_gateway.upstream.dispatch import Dispatch
from modelport_gateway.upstream.pool import Connections
from modelport_gateway.upstream.replica import Upstream
from modelport_gateway.usage.counter import UsageCounter
from modelport_gateway.usage.evidence import EvidenceCounter
from modelport_gateway.usage.observed import ObservedPredictions
from modelport_gateway.usage.reports import SampleQueue, UsageReports
from modelport_gateway.usage.sink import UsageSink

log = structlog.get_logger(__name__)

_EXPOSED = [
    "X-Modelport-Version",
    "X-Cache",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
    "Retry-After",
    "Inference-Header-Content-Length",
]
_SWEEP_SECONDS = 5.0


@dataclass
class Gateway:
    """`app` and, for what it takes, `fast_path` serve while `running()` is entered."""

    app: ASGIApp
    fast_path: FastPath
    _settings: Settings
    _in_flight: InFlight
    _table: RouteTable
    _watches: list[Reflector]
    _keys: SigningKeys
    _connections: Connections
    _draining: asyncio.Event
    usage: UsageReports
    _history: HistoryTap
    _drift: DriftTap
    _references: References
    _copying: Copying
    _feedback: FeedbackTap

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the cluster and the signing keys; on exit let requests in flight end, then disconnect."""
        work = [self._keys.run, self._sweep, self.usage.run, self._drift.run, self._references.run]
        # What is done on exit, from the last to the first.
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._connections.aclose)
            stack.push_async_callback(self._report_the_rest)
            await stack.enter_async_context(working([*(watch.run for watch in self._watches), *work]))
            stack.push_async_callback(self._drain)
            yield

    def stop_being_ready(self) -> None:
        """Accept no more requests; those that come all the same are served."""
        self._draining.set()

    async def _sweep(self) -> None:
        async def sweep() -> None:
            await self._connections.keep_only(self._table.addresses())

        await every(_SWEEP_SECONDS, sweep, failed="pod_connections_not_closed", at_once=False)

    async def _report_the_rest(self) -> None:
        self._history.flush()
        self._drift.flush()
        await self._copying.aclose()
        await self._feedback.aclose()
        await self.usage.finish(self._settings.usage_stop_seconds)

    async def _drain(self) -> None:
        self.stop_being_ready()
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._in_flight.idle.wait()
        except TimeoutError:
            log.warning("requests_cut_off", in_flight=self._in_flight.in_flight)


def build(
    settings: Settings, *, store: Store, cluster: KubeWatch, control: httpx.AsyncClient, sink: UsageSink
) -> Gateway:
    """Wire the gateway. `control` speaks to the control API's internal app.

    It, `store` and `sink` stay the caller's to close.
    """
    table = RouteTable(settings.models_namespace)
    keys = SigningKeys(control, store, refresh_seconds=settings.jwks_refresh_seconds)
    connections = Connections(
        connect_timeout_seconds=settings.connect_timeout_seconds, per_endpoint=settings.max_in_flight
    )
    follow = watches(cluster, table, None if settings.watch_all_namespaces else settings.models_namespace)
    draining = asyncio.Event()

    def knows_models() -> bool:
        return all(watch.synced.is_set() for watch in follow)

    def is_ready() -> bool:
        return keys.had and knows_models() and not draining.is_set()

    in_flight, addresses = InFlight(), ClientAddresses(parse_networks(settings.trusted_proxies))
    counter, samples = UsageCounter(settings.usage_max_lines), SampleQueue()
    history = HistoryTap(samples, rows_per_second=settings.history_rows_per_second)
    drift = DriftTap(samples, rows_per_second=settings.drift_rows_per_second)
    references = References(
        control, drift.watch, key=settings.internal_key, refresh_seconds=settings.drift_refresh_seconds
    )
    upstream = Upstream(connections, max_answer_bytes=settings.max_answer_bytes)
    evidence = EvidenceCounter(settings.usage_max_lines)
    dispatch = _dispatch(settings, table, upstream)
    copying = Copying(table, upstream, evidence, dispatch.callers_wait)
    observed = ObservedPredictions(settings.usage_max_lines)
    feedback = FeedbackTap(observed, Asking(table, upstream))
    taps = Taps([history, drift, RolloutTap(evidence, copying), feedback])
    handler = PredictionHandler(
        table,
        _authentication(settings, keys=keys, store=store, control=control),
        _prediction(settings, dispatch, store),
        in_flight=in_flight,
        usage=counter,
        taps=taps,
        max_body_bytes=settings.max_body_bytes,
        knows_models=knows_models,
    )
    server = Server(handler, is_ready=is_ready, addresses=addresses, batch_jobs=BatchJobs(control))
    fast_path = FastPath(handler, addresses=addresses, serves_browsers=bool(settings.cors_origin_list))
    app = _wrap(server, settings)
    return Gateway(
        app,
        fast_path,
        settings,
        in_flight,
        table,
        follow,
        keys,
        connections,
        draining,
        UsageReports(counter, samples, sink, evidence, observed),
        history,
        drift,
        references,
        copying,
        feedback,
    )


def _authentication(
    settings: Settings, *, keys: SigningKeys, store: Store, control: httpx.AsyncClient
) -> Authentication:
    api_keys = ApiKeys(
        control,
        store,
        timeout_seconds=settings.introspection_timeout_seconds,
        keep_seconds=settings.introspection_keep_seconds,
    )
    guard = Guard(Limit.parse(settings.limit_failed_credentials))
    return Authentication(AccessTokens(keys, store), api_keys, guard)


def _dispatch(settings: Settings, table: RouteTable, upstream: Upstream) -> Dispatch:
    return Dispatch(
        table,
        upstream,
        max_in_flight=settings.max_in_flight,
        max_waiting=settings.max_waiting,
        endpoint_wait_seconds=settings.endpoint_wait_seconds,
    )


def _prediction(settings: Settings, dispatch: Dispatch, store: Store) -> Prediction:
    return Prediction(
        dispatch,
        store,
        default_limit=Limit.parse(settings.limit_predict),
        cache_max_request_bytes=settings.cache_max_request_bytes,
        cache_max_answer_bytes=settings.cache_max_answer_bytes,
    )


def _wrap(server: Server, settings: Settings) -> ASGIApp:
    app: ASGIApp = SecurityHeadersMiddleware(ProblemMiddleware(server))
    if origins := settings.cors_origin_list:
        app = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "Authorization",
                "Content-Encoding",
                "Content-Type",
                "Inference-Header-Content-Length",
                "X-API-Key",
                "X-Request-ID",
                "X-Modelport-Session",
            ],
            expose_headers=_EXPOSED,
        )
    return RequestIdMiddleware(
        AccessLogMiddleware(app, trusted_proxies=parse_networks(settings.trusted_proxies))
    )
