"""An HTTP server that speaks the Kubernetes API as badly as the test tells it to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import ApiClient, Configuration
from modelport_kube.api import KubernetesApi

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeApiServer:
    """Answers each request with the next of `script`, the last one again and again."""

    script: list[Answer]
    received: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.received.append(request)
        self.bodies.append(await request.read())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await step(request)

    def queries(self) -> list[dict[str, str]]:
        return [dict(request.query) for request in self.received]


@asynccontextmanager
async def serving(*script: Answer) -> AsyncIterator[tuple[FakeApiServer, KubernetesApi]]:
    fake = FakeApiServer(list(script))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.respond)
    async with TestServer(app) as server, client_of(f"http://127.0.0.1:{server.port}") as client:
        yield fake, KubernetesApi(client)


def client_of(host: str) -> ApiClient:
    """Without TLS, which would test OpenSSL."""
    return ApiClient(Configuration(host=host))


def answering(body: Any, status: int = 200) -> Answer:
    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return respond


def failing(status: int, message: str = "no", reason: str = "") -> Answer:
    return answering({"kind": "Status", "status": "Failure", "message": message, "reason": reason}, status)


def listing(*names: str, version: str = "10", token: str = "") -> Answer:
    items = [model(name) for name in names]
    return answering({"items": items, "metadata": {"resourceVersion": version, "continue": token}})


def streaming(*lines: bytes, then: Callable[[web.Request], Awaitable[None]] | None = None) -> Answer:
    """Send the lines and end the stream, after `then`."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        if then is not None:
            await then(request)
        return response

    return respond


async def cut_off(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()


def event(kind: str, name: str, version: str, **more: Any) -> bytes:
    return msgspec.json.encode({"type": kind, "object": model(name, version) | more}) + b"\n"


def bookmark(version: str) -> bytes:
    return event("BOOKMARK", "", version)


def model(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "models", "resourceVersion": version}}
