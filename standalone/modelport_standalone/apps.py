"""What serves requests: control API and gateway behind one ASGI app on one port."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from secrets import token_urlsafe

import httpx
import modelport_control_api.process.app as control_api
import modelport_gateway.app as gateway
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.settings import Settings as ControlApiSettings
from modelport_control_api.signing_keys import rotation
from modelport_control_api.signing_keys.files import SigningKeysError
from modelport_gateway.app import Gateway
from modelport_gateway.http.batch_uploads import is_batch_path
from modelport_gateway.http.fast_path import FastPath
from modelport_gateway.settings import Settings as GatewaySettings
from modelport_gateway.usage.opening_sink import open_sink
from modelport_gateway.usage.sink import UsageSink
from modelport_http.middleware import RequestIdMiddleware, SecurityHeadersMiddleware
from modelport_http.problem import Problem, ProblemMiddleware
from modelport_http.settings import Settings as EdgeSettings
from modelport_process import internal_key
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart
from modelport_store.opening import open_store
from modelport_store.store import Store
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modelport_standalone import runtime_metrics
from modelport_standalone.data_dir import DATABASE_VARIABLE, DataDir
from modelport_standalone.local_cluster.cluster import LocalCluster

_OWN_PATHS = ("/", "/readyz", "/metrics")
_GATEWAY_PATHS = ("/predict", "/api/v1/predict", "/v2")


class RootApp:
    """Plain ASGI: a router in front of the hot path would cost more than a cached response."""

    def __init__(
        self, gateway: ASGIApp, control_api: ASGIApp, runtime_metrics: Callable[[], Awaitable[bytes]]
    ) -> None:
        self._gateway = gateway
        self._control_api = control_api
        self._runtime_metrics = runtime_metrics
        self._own = RequestIdMiddleware(SecurityHeadersMiddleware(ProblemMiddleware(self._respond)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in _OWN_PATHS and scope["type"] == "http":
            await self._own(scope, receive, send)
        elif path.startswith(_GATEWAY_PATHS) and _is_whole(path) and not is_batch_path(path):
            await self._gateway(scope, receive, send)
        else:
            await self._control_api(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise Problem(status=405, detail="Use GET here.", headers={"Allow": "GET, HEAD"})
        response = await self._response_to(request)
        await response(scope, receive, send)

    async def _response_to(self, request: Request) -> Response:
        match request.url.path:
            case "/readyz":
                return await self._ready()
            case "/metrics":
                return await self._metrics(request)
            case _:
                return RedirectResponse("/ui/" if _is_browser(request) else "/docs")

    async def _ready(self) -> Response:
        parts = {"gateway": self._gateway, "control-api": self._control_api}
        ready = await asyncio.gather(*(_is_ready(part) for part in parts.values()))
        waiting = [name for name, is_ready in zip(parts, ready, strict=True) if not is_ready]
        if waiting:
            detail = f"Not ready yet: {', '.join(waiting)}."
            raise Problem(status=503, detail=detail, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def _metrics(self, request: Request) -> Response:
        page = await _get(self._control_api, "/metrics")
        models = await self._runtime_metrics() if _is_from_this_machine(request) else b""
        return Response(page.content + models, page.status_code, media_type=page.headers["Content-Type"])


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _is_from_this_machine(request: Request) -> bool:
    """The ids of everybody's models are nothing for the public; a proxy here speaks for the public."""
    forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
    return request.client is not None and ip_address(request.client.host).is_loopback and not forwarded


def _is_whole(path: str) -> bool:
    """Not `/predictions`: the prefix must end where a part of the path does."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _GATEWAY_PATHS)


async def _is_ready(part: ASGIApp) -> bool:
    return (await _get(part, "/readyz")).status_code == 200


async def _get(part: ASGIApp, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(part)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        return await client.get(path)


# The server has let requests in flight end already when the gateway's turn comes.
_GATEWAY_DRAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Apps:
    """`app` serves while `running()` is entered.

    `internal_key`: what `control_plane.internal` wants to be shown.
    """

    app: RootApp
    control_plane: ControlPlane
    internal_key: SecretStr
    _gateway: Gateway
    _store: Store
    _sink: UsageSink
    _control: httpx.AsyncClient

    @property
    def fast_path(self) -> FastPath:
        """Predictions, by the fast path; it takes no path that `app` would not give to the gateway."""
        return self._gateway.fast_path

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run both apps' background work while entered. Enter it once: connections are closed at the end."""
        try:
            async with self._control, self.control_plane.running(), self._gateway.running():
                yield
        finally:
            await self._sink.aclose()
            await self._store.aclose()


def build(data: DataDir, cluster: LocalCluster) -> Apps:
    """Bring keys and database up to this release, then wire. Blocking. Raises `CannotStart`."""
    with _explained(data):
        rotation.create_first(data.signing_keys)
        migrate.upgrade(data.database_url)
        redis_url, key = read_settings(EdgeSettings).redis_url, SecretStr(token_urlsafe())
        store = open_store(redis_url, near=True)
        plane = control_api.build(
            _control_api_settings(data, key), store=store, cluster=cluster, redis_url=redis_url
        )
    # In process, but with the HTTP shape that the calls have in Kubernetes.
    control = httpx.AsyncClient(transport=httpx.ASGITransport(plane.internal), base_url="http://control-api")
    sink = open_sink(redis_url, control, key)
    settings = read_settings(GatewaySettings, drain_seconds=_GATEWAY_DRAIN_SECONDS, internal_key=key)
    gate = gateway.build(settings, store=store, cluster=cluster, control=control, sink=sink)
    app = RootApp(gate.app, plane.public, partial(_metrics_of_models, cluster, control, key))
    return Apps(app, plane, key, gate, store, sink, control)


async def _metrics_of_models(cluster: LocalCluster, control: httpx.AsyncClient, key: SecretStr) -> bytes:
    """What the internal pages show of models, as Prometheus text."""
    of_processes = await runtime_metrics.collect(cluster)
    pages = [
        await control.get(f"/internal/v1/{part}/metrics", headers=internal_key.show(key))
        for part in ("drift", "quality")
    ]
    return b"".join([of_processes, *(page.raise_for_status().content for page in pages)])


def _control_api_settings(data: DataDir, key: SecretStr) -> ControlApiSettings:
    return read_settings(
        ControlApiSettings,
        database_url=data.database_url,
        signing_keys_dir=data.signing_keys,
        artifacts_url=str(data.artifacts),
        # Nobody else writes to this cluster: what differs is damage.
        overwrite_outside_changes=True,
        choose_environments=True,
        own_requirements=True,
        internal_key=key,
    )


@contextmanager
def _explained(data: DataDir) -> Iterator[None]:
    try:
        yield
    except SigningKeysError as error:
        raise CannotStart(str(error)) from error
    except SQLAlchemyError as error:
        raise CannotStart(_database_failed(data, error)) from error


def _database_failed(data: DataDir, error: SQLAlchemyError) -> str:
    reason = " ".join(str(getattr(error, "orig", error)).split())
    if os.environ.get(DATABASE_VARIABLE):
        # Not the address itself: there is a password in it.
        return (
            f"The database of {DATABASE_VARIABLE} cannot be used ({reason}): check the address and that its "
            "server runs."
        )
    return (
        f"The database {data.database} cannot be used ({reason}): restore it from a backup, or start afresh "
        "with another --data-dir."
    )
