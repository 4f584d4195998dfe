"""Everything around a gateway under test: a cluster to watch, a control API to ask, keys to sign with."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from modelport_crds.names import DEFAULT_NAMESPACE, LABEL_MODEL, LABEL_MODEL_VERSION
from modelport_gateway.app import Gateway, build
from modelport_gateway.settings import Settings
from modelport_gateway.usage.sink import SinkUnavailable, UsageSink
from modelport_kube.kube import WatchEvent
from modelport_telemetry.usage import samples as samples_wire
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.samples import Sample
from modelport_telemetry.usage.wire import UsageBatch

SIGNATURE = {
    "task": "classifier",
    "columns": [
        {"name": "a", "kind": "number", "dtype": "float64", "optional": False, "values": None, "shape": None},
        {"name": "b", "kind": "number", "dtype": "float64", "optional": True, "values": None, "shape": None},
    ],
    "positional": False,
    "input": "rows",
    "outputs": ["prediction", "probabilities"],
    "classes": ["setosa", "versicolor"],
}
OWNER = "owner-1"
KEY = "mlp_live_" + "k" * 43


class FakeCluster:
    """Objects by kind and name; every watch first lists them, then follows."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Any]]] = {"MLModel": {}, "EndpointSlice": {}}
        self._watchers: dict[str, list[asyncio.Queue[WatchEvent | Exception]]] = {
            "MLModel": [],
            "EndpointSlice": [],
        }

    def put(self, kind: str, obj: dict[str, Any]) -> None:
        self._objects[kind][obj["metadata"]["name"]] = obj
        self._notify(kind, WatchEvent("MODIFIED", obj))

    def delete(self, kind: str, name: str) -> None:
        self._notify(kind, WatchEvent("DELETED", self._objects[kind].pop(name)))

    def delete_unseen(self, kind: str, name: str) -> None:
        """Delete while no watch looks: only the next listing can tell."""
        del self._objects[kind][name]

    def break_watches(self) -> None:
        for kind in self._watchers:
            self._notify(kind, ConnectionError("the watch broke"))

    def _notify(self, kind: str, event: WatchEvent | Exception) -> None:
        for queue in self._watchers[kind]:
            queue.put_nowait(event)

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent | Exception] = asyncio.Queue()
        self._watchers[kind].append(queue)
        try:
            for obj in list(self._objects[kind].values()):
                if namespace in (None, obj["metadata"]["namespace"]):
                    yield WatchEvent("ADDED", obj)
            yield WatchEvent("SYNCED", {})
            while True:
                event = await queue.get()
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self._watchers[kind].remove(queue)


class FakeControlApi:
    """Introspection and JWKS over a mock transport, so that a test can take it away."""

    def __init__(self) -> None:
        self.away = False
        self.delay_seconds = 0.0
        self.signing = {"kid-1": Ed25519PrivateKey.generate()}
        self.keys: dict[str, dict[str, Any]] = {}
        self.asked: list[bytes] = []
        self.references: dict[str, dict[str, str]] = {}
        self.bins: dict[str, bytes] = {}
        self.client = httpx.AsyncClient(
            transport=httpx.MockTransport(self._respond), base_url="http://control"
        )

    def issue_key(self, key: str = KEY, **said: Any) -> str:
        """Make `key` good for the owner, with the scope `predict`, unless said otherwise."""
        whole = {
            "active": True,
            "key_id": "k1",
            "user_id": OWNER,
            "scopes": ["predict"],
            "model_ids": None,
        } | said
        self.keys[sha256(key.encode()).hexdigest()] = whole
        return key

    def revoke(self, key: str = KEY) -> None:
        self.keys.pop(sha256(key.encode()).hexdigest(), None)

    def token(self, *, kid: str = "kid-1", key: Any = None, algorithm: str = "EdDSA", **claims: Any) -> str:
        now = int(time.time())
        whole = {
            "iss": "modelport", "aud": "modelport", "sub": OWNER, "sid": "s", "scope": "user", "admin": False,
            "iat": now, "exp": now + 1800, "jti": "j",
        } | claims  # fmt: skip
        return jwt.encode(
            whole, self.signing[kid] if key is None else key, algorithm=algorithm, headers={"kid": kid}
        )

    def jwks(self) -> dict[str, Any]:
        algorithm = jwt.algorithms.OKPAlgorithm
        return {
            "keys": [
                {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "EdDSA", "use": "sig"}
                for kid, key in self.signing.items()
            ]
        }

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("the control API is away")
        await asyncio.sleep(self.delay_seconds)
        if request.url.path == "/.well-known/jwks.json":
            return httpx.Response(200, json=self.jwks())
        if request.url.path == "/internal/v1/drift/references":
            return httpx.Response(200, json={"references": list(self.references.values())})
        if request.url.path.startswith("/internal/v1/drift/bins/"):
            return httpx.Response(200, content=self.bins[request.url.path.rpartition("/")[2]])
        self.asked.append(request.content)
        asked = httpx.Response(200, content=request.content).json()
        return httpx.Response(200, json=self.keys.get(asked["key_sha256"], {"active": False}))


def model_object(name: str = "iris", *, versions: tuple[str, ...] = ("v1",), **spec: Any) -> dict[str, Any]:
    """An MLModel whose first version serves; `spec` overrides. Artifact digests differ by version."""
    traffic = spec.pop("traffic", [{"version": versions[0], "weight": 100}])
    signature = spec.pop("signature", SIGNATURE)
    answered = spec.pop("answered", versions)
    return {
        "metadata": {"name": name, "namespace": DEFAULT_NAMESPACE, "uid": f"uid-{name}"},
        "spec": {
            "owner": OWNER,
            "access": "private",
            "versions": [
                {
                    "name": version,
                    "framework": "sklearn",
                    "artifact": {"uri": "x:", "sha256": sha256((name + version).encode()).hexdigest()},
                }
                for version in versions
            ],
            "traffic": traffic,
            "cache": {"ttlSeconds": 60},
            **spec,
        },
        "status": {
            "traffic": traffic,
            "versions": [
                {"name": version, "ready": True, "answered": version in answered, "signature": signature}
                for version in versions
            ],
        },
    }


def slice_object(model: str, version: str, *addresses: str, ready: bool = True) -> dict[str, Any]:
    """An EndpointSlice; of a TCP address `host:port`, the port of the last one counts for all."""
    hosts = [address if address.startswith("unix:") else address.rpartition(":")[0] for address in addresses]
    ports = [int(address.rpartition(":")[2]) for address in addresses if not address.startswith("unix:")]
    return {
        "metadata": {
            "name": f"{model}-{version}",
            "namespace": DEFAULT_NAMESPACE,
            "labels": {LABEL_MODEL: model, LABEL_MODEL_VERSION: version},
        },
        "endpoints": [{"addresses": [host], "conditions": {"ready": ready}} for host in hosts],
        "ports": [{"port": port} for port in ports[-1:]],
    }


@dataclass
class KeptUsage:
    """A sink that keeps what it is sent, and can be away."""

    away: bool = False
    confirms: bool = True
    batches: list[UsageBatch] = field(default_factory=list)
    """In the order they were sent; one that was sent again is there again."""
    samples: list[Sample] = field(default_factory=list)

    async def send(self, due: Mapping[str, bytes], unconfirmed: Collection[str]) -> set[str]:
        if self.away:
            raise SinkUnavailable("taken away by a test")
        self.batches += [wire.decode(batch) for batch in due.values()]
        return set(unconfirmed) if self.confirms else set()

    async def send_samples(self, envelope: bytes) -> None:
        if self.away:
            raise SinkUnavailable("taken away by a test")
        self.samples += samples_wire.decode(envelope)

    async def aclose(self) -> None:
        return


@dataclass
class Harness:
    cluster: FakeCluster
    control: FakeControlApi
    gateway: Gateway
    usage: KeptUsage
    http: httpx.AsyncClient
    store: Any
    bearer: dict[str, str] = field(default_factory=dict)

    def serve(self, name: str, *addresses: str, versions: tuple[str, ...] = ("v1",), **spec: Any) -> None:
        """Put a model into the cluster whose versions are all served at `addresses`."""
        self.cluster.put("MLModel", model_object(name, versions=versions, **spec))
        for version in versions:
            self.cluster.put("EndpointSlice", slice_object(name, version, *addresses))

    async def predict(self, path: str = "iris", body: Any = None, **options: Any) -> httpx.Response:
        options = {"headers": self.bearer} | options
        content = {"json": {"input": {"a": 1, "b": 2}} if body is None else body}
        if isinstance(body, bytes):
            content = {"content": body}
        return await self.http.post(f"/predict/{path}", **content, **options)

    async def settle(self) -> None:
        """Let the watches see what was put."""
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running_harness(
    store: Any, *, sink: UsageSink | None = None, **settings: Any
) -> AsyncIterator[Harness]:
    """Run a gateway that is ready and serves nothing yet."""
    harness = build_harness(store, sink=sink, **settings)
    async with harness.gateway.running():
        async with asyncio.timeout(60):
            ready = await harness.http.get("/readyz")
            while ready.status_code != 200:
                await asyncio.sleep(0.01)
                ready = await harness.http.get("/readyz")
        yield harness


_SLOW_TO_FORGIVE = {"limit_failed_credentials": "60/hour"}
"""By default a stopped address is let in again after a second, which a busy machine needs for one request."""


def build_harness(store: Any, *, sink: UsageSink | None = None, **settings: Any) -> Harness:
    """`sink`: instead of the harness's own, `usage`."""
    cluster, control, usage = FakeCluster(), FakeControlApi(), KeptUsage()
    gateway = build(
        Settings(**{**_SLOW_TO_FORGIVE, **settings}),
        store=store,
        cluster=cluster,
        control=control.client,
        sink=sink or usage,
    )
    transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://gateway")
    bearer = {"Authorization": f"Bearer {control.token()}"}
    return Harness(cluster, control, gateway, usage, client, store, bearer)
