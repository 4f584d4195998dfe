"""The fast path and the ASGI way to the same predictions: nobody can tell them apart."""

import asyncio
import gzip
import io
import json
import logging
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from modelport_gateway.metrics import PREDICTIONS
from modelport_http.fast_path.protocol import Exchange
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_process import logging as access_lines
from modelport_process.logging import configure
from modelport_store.memory_store import MemoryStore

from tests.support.gateway_harness import OWNER, SIGNATURE, Harness, running_harness
from tests.support.scripted_model import Received, ScriptedModel, answering, http, scripted_model
from tests.support.waiting import until

ALLOWED_ORIGIN = "https://app.example.com"
JSON = {"Content-Type": "application/json"}
TENSORS = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "2"}
TENSORS_LENGTH = "Inference-Header-Content-Length: 15\r\n"
ROW = b'{"input": {"a": 1, "b": 2}}'


class Counting:
    """The gateway's handler, which notes what it was given."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self.paths: list[str] = []

    def takes(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
        return bool(self._handler.takes(target, headers))

    def begin(self, exchange: Exchange) -> None:
        self.paths.append(exchange.target.decode())
        self._handler.begin(exchange)


@asynccontextmanager
async def listening(
    harness: Harness, handler: Any = None, certificate: Path | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, Server]]:
    tls = {"ssl_certfile": certificate, "ssl_keyfile": certificate} if certificate else {}
    server = Server(build_config(harness.gateway.app, drain=1, handler=handler, port=0, **tls))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    scheme, trust = (
        ("https", ssl.create_default_context(cafile=certificate)) if certificate else ("http", True)
    )
    async with httpx.AsyncClient(base_url=f"{scheme}://127.0.0.1:{port}", timeout=30, verify=trust) as client:
        yield client, server
    server.should_exit = True
    await serving


def self_signed(folder: Path) -> Path:
    """Certificate and key of this machine, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, no_password))
    return file


async def by_its_row(request: Received, writer: asyncio.StreamWriter) -> None:
    """A model that refuses what says so in its body."""
    problem = b'{"detail": "no number", "errors": [{"field": "a", "message": "m"}]}'
    responses = {
        b"\0": http("200 OK", b'{"outputs": []}\1\2', "application/octet-stream", TENSORS_LENGTH),
        b"refuse": http("422 Unprocessable", problem, "application/problem+json"),
        b"long": http("200 OK", b'{"prediction": "%b"}' % (b"a" * 2000)),
        b"misbehave": http("418 Teapot", b"{}"),
    }
    chosen = next((response for word, response in responses.items() if word in request.body), None)
    await answering(chosen or http("200 OK", b'{"prediction" :  "setosa"}'))(request, writer)


def serve_models(harness: Harness, model: ScriptedModel) -> None:
    harness.serve("iris", model.address, versions=("v1", "v2"))
    harness.serve("open", model.address, access="public", cache=None)
    harness.serve("few", model.address, access="public", rateLimit={"requests": 2, "periodSeconds": 3600})
    harness.serve("others", model.address, owner="somebody-else")
    harness.serve("away", access="public")
    split = [{"version": "v1", "weight": 50}, {"version": "v2", "weight": 50}]
    harness.serve(
        "split", model.address, versions=("v1", "v2"), traffic=split, access="public", sticky="session"
    )
    harness.serve("loose", model.address, access="public", signature={**SIGNATURE, "columns": None})
    harness.control.issue_key()


def requests(harness: Harness) -> list[tuple[str, str, dict[str, str], bytes]]:
    """Method, path, headers and body, in an order that fills and then reads cache and limits."""
    good = {**JSON, **harness.bearer}
    key = {**JSON, "X-API-Key": "mlp_live_" + "k" * 43}
    bad_key = {**JSON, "X-API-Key": "mlp_live_" + "x" * 43}
    return [
        ("POST", "/predict/iris", good, ROW),
        ("POST", "/predict/iris", good, ROW),
        ("POST", "/predict/iris", key, b'{"input": {"b": 2.0, "a": 1}}'),
        ("POST", "/predict/iris", {**good, "Cache-Control": "no-cache"}, ROW),
        ("POST", "/predict/iris", {**good, "Cache-Control": "max-age=0, no-store"}, ROW),
        ("POST", "/api/v1/predict/iris/versions/v2", good, b'{"inputs": [[1, 2], [3, null]]}'),
        ("POST", "/predict/iris/versions/v9", good, ROW),
        ("POST", "/v2/models/iris/infer", good, b'{"inputs": []}'),
        ("POST", "/v2/models/iris/versions/v1/infer", good, b'{"inputs": []}'),
        ("POST", "/predict/iris", {**good, "X-Request-ID": "my-own.id"}, ROW),
        ("POST", "/predict/iris", {**good, "X-Request-ID": "two words"}, ROW),
        ("POST", "/predict/iris", good, b'{"input": {"a": "refuse"}}'),
        ("POST", "/predict/iris", good, b'{"input": {"a": "misbehave"}}'),
        ("POST", "/predict/iris", good, b"{no json refuse"),
        ("POST", "/predict/iris", good, b""),
        ("POST", "/predict/iris", {**good, "Content-Type": "text/plain"}, ROW),
        ("POST", "/predict/iris", {**good, "Content-Type": "application/octet-stream"}, ROW),
        ("POST", "/v2/models/iris/infer", {**good, "Content-Type": "text/csv"}, ROW),
        ("POST", "/v2/models/iris/infer", {**good, **TENSORS}, b"{}\0\0"),
        (
            "POST",
            "/v2/models/iris/infer",
            {**good, **TENSORS, "Content-Encoding": "gzip"},
            gzip.compress(b"{}1", mtime=0),
        ),
        ("POST", "/v2/models/iris/infer", {**good, "Inference-Header-Content-Length": "9"}, b"{}"),
        ("POST", "/v2/models/nowhere/infer", good, b"{}"),
        ("POST", "/v2/models/iris/infer", good, b"refuse"),
        ("POST", "/v2/models/iris/infer", {**good, "Accept": "application/problem+json"}, b"refuse"),
        ("POST", "/v2/models/iris/infer", {**good, "Accept-Encoding": "gzip"}, b"long"),
        ("POST", "/v2/models/iris/infer", {**good, "Accept-Encoding": "gzip, deflate"}, b"long"),
        ("POST", "/predict/iris", {**good, "Content-Encoding": "gzip"}, gzip.compress(ROW, mtime=0)),
        ("POST", "/predict/iris", {**good, "Content-Encoding": "deflate"}, zlib.compress(ROW)),
        ("POST", "/predict/iris", {**good, "Content-Encoding": "gzip"}, gzip.compress(bytes(2000), mtime=0)),
        ("POST", "/predict/iris", {**good, "Content-Encoding": "gzip"}, ROW),
        ("POST", "/predict/iris", {**good, "Content-Encoding": "br"}, ROW),
        ("POST", "/predict/iris", {**good, "Content-Type": "Application/JSON; charset=utf-8"}, ROW),
        ("POST", "/predict/iris", harness.bearer, ROW),
        ("POST", "/predict/iris", JSON, ROW),
        ("POST", "/predict/iris", bad_key, ROW),
        ("POST", "/predict/iris", {**good, **bad_key}, ROW),
        ("POST", "/predict/iris", {**JSON, "Authorization": "Basic eDp5"}, ROW),
        ("POST", "/predict/iris", {**JSON, "Authorization": "Bearer " + "x" * 5000}, ROW),
        ("POST", "/predict/others", good, ROW),
        ("POST", "/predict/nowhere", good, ROW),
        ("POST", "/predict/away", JSON, ROW),
        *[("POST", "/predict/few", JSON, ROW)] * 3,
        *[("POST", "/predict/split", {**JSON, "X-Modelport-Session": str(n)}, ROW) for n in range(6)],
        ("POST", "/predict/loose", JSON, b'{"input": {"any": [1, 2.5, "x"]}}'),
        ("POST", "/predict/loose", JSON, b'{"input": {"any": [1, 2.5, "x"]}}'),
        ("POST", "/predict/open", {**JSON, "X-Forwarded-For": "203.0.113.7"}, ROW),
        ("POST", "/predict/open", JSON, b'{"inputs": [' + b"0," * 1000 + b"0]}"),
        ("POST", "/predict/open", {**JSON, "Origin": ALLOWED_ORIGIN}, ROW),
        ("POST", "/predict/open", {**JSON, "Origin": "https://evil.example"}, ROW),
        ("POST", "/predict/open?a=b", JSON, ROW),
        ("POST", "/predict/op%65n", JSON, ROW),
        ("POST", "/predict/UPPER", JSON, ROW),
        ("POST", "/v2/models/iris/ready", good, b""),
        ("GET", "/predict/iris", good, b""),
        ("GET", "/v2/models/iris", good, b""),
    ]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as a process logs it."""
    before, handlers, lines = structlog.get_config(), logging.root.handlers[:], access_lines.access_lines()
    level, written = logging.root.level, io.StringIO()
    configure("gateway", "info", written)
    yield written
    structlog.configure(**before)
    access_lines.use(lines)
    logging.basicConfig(level=level, handlers=handlers, force=True)


def access_log(log: io.StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    log.truncate(0)
    log.seek(0)
    return [line for line in found if line["event"] == "request"]


def counts() -> dict[tuple[str, ...], float]:
    metrics = PREDICTIONS.collect()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for metric in metrics
        for sample in metric.samples
        if sample.name.endswith(("requests_total", "duration_seconds_count"))
    }


def usage_of(harness: Harness) -> dict[tuple[Any, ...], int]:
    """What the gateway reported when it stopped."""
    counted: dict[tuple[Any, ...], int] = {}
    for line in (line for batch in harness.usage.batches for line in batch.lines):
        assert sum(line.latency.values()) == line.requests
        key = (line.model, line.version, line.caller, line.api_key, line.status, line.reason, line.cache)
        counted[key] = counted.get(key, 0) + line.requests
    return counted


def seen_of(response: httpx.Response) -> tuple[Any, ...]:
    """All that a caller sees, but for times and random ids."""
    headers = dict(response.headers)
    request_id = headers.pop("x-request-id")
    assert headers.pop("date")
    timing = headers.pop("server-timing", "")
    limit, _, seconds = headers.pop("ratelimit", "").partition(";t=")
    waits = headers.pop("retry-after", "")
    times = (re.sub(r"[0-9.]+", "n", timing), limit, seconds.isdigit(), waits.isdigit())
    own = "random" if len(request_id) == 32 else request_id
    return response.status_code, headers, times, own, response.content.replace(request_id.encode(), b"<id>")


def logged_of(line: dict[str, Any]) -> tuple[Any, ...]:
    fixed = {
        name: value for name, value in line.items() if name not in ("duration_ms", "timestamp", "request_id")
    }
    return fixed, [(name, type(value).__name__) for name, value in line.items()], len(line["request_id"])


async def transcript(
    model: ScriptedModel, log: io.StringIO, *, lean: bool, **settings: Any
) -> tuple[list[Any], list[str]]:
    async with AsyncExitStack() as stack:
        harness = await stack.enter_async_context(
            running_harness(MemoryStore(), limit_predict="1000/day", endpoint_wait_seconds=0.1, **settings)
        )
        serve_models(harness, model)
        await harness.settle()
        handler = Counting(harness.gateway.fast_path)
        client, _ = await stack.enter_async_context(listening(harness, handler if lean else None))
        reported, before = [], counts()
        access_log(log)
        for method, path, headers, body in requests(harness):
            response = await client.request(method, path, headers=headers, content=body)
            await asyncio.sleep(0.01)
            reported.append(
                ((method, path, body), seen_of(response), [logged_of(line) for line in access_log(log)])
            )
        after = counts()
    reported.append(usage_of(harness))
    changed = {key: value - before.get(key, 0) for key, value in after.items()}
    return [*reported, {key: value for key, value in changed.items() if value}], handler.paths


async def test_both_ways_respond_count_and_log_the_same(tmp_path: Path, log: io.StringIO) -> None:
    async with scripted_model(tmp_path / "m.sock") as model:
        model.script = by_its_row
        settings = {"cors_origins": ALLOWED_ORIGIN, "max_body_bytes": 1024, "trusted_proxies": "127.0.0.0/8"}
        slow, none = await transcript(model, log, lean=False, **settings)
        fast, taken = await transcript(model, log, lean=True, **settings)
    for expected, got in zip(slow, fast, strict=True):
        assert got == expected
    assert not none
    *responses, usage, _ = fast
    assert len(taken) == len(responses) - 8, "what the short cut does not take is at the end of the list"
    statuses = {reported[1][0] for reported in responses}
    assert statuses == {200, 400, 401, 404, 405, 413, 415, 422, 429, 502, 503}
    assert all(len(reported[2]) == 1 for reported in responses), "one line a request"
    no_model_paths = [reported[0] for reported in responses if reported[0][1] == "/predict/UPPER"]
    assert sum(usage.values()) == len(responses) - len(no_model_paths), "each request on a model's path once"
    assert usage[("iris", "v1", OWNER, "k1", 200, "", "hit")] == 1
    assert usage[("iris", "", "", "", 401, "", "none")] == 5
    assert usage[("", "", OWNER, "", 404, "", "none")] == 2, "an invented id is not kept"
    assert usage[("others", "", OWNER, "", 404, "", "none")] == 1
    assert usage[("away", "v1", "", "", 503, "NoReadyVersion", "none")] == 1


@pytest.mark.parametrize("lean", [True, False])
async def test_each_request_of_a_split_is_drawn_whichever_way_it_comes(
    model: ScriptedModel, serving: Harness, lean: bool
) -> None:
    split = [{"version": "v1", "weight": 50}, {"version": "v2", "weight": 50}]
    serving.serve("drawn", model.address, versions=("v1", "v2"), traffic=split, access="public")
    await serving.settle()
    handler = Counting(serving.gateway.fast_path)
    async with listening(serving, handler if lean else None) as (client, _):
        headers = {**JSON, "X-Modelport-Session": "one"}
        responses = [await client.post("/predict/drawn", content=ROW, headers=headers) for _ in range(50)]
    assert {response.headers["x-modelport-version"] for response in responses} == {"v1", "v2"}
    assert len(handler.paths) == (50 if lean else 0)


async def test_without_cors_browsers_headers_change_nothing(serving: Harness) -> None:
    handler = Counting(serving.gateway.fast_path)
    async with listening(serving, handler) as (client, _):
        headers = {**serving.bearer, "Origin": "https://anywhere.example"}
        response = await client.post("/predict/iris", json={"input": [1, 2]}, headers=headers)
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers
    assert handler.paths == ["/predict/iris"]


@pytest.mark.parametrize("lean", [True, False])
async def test_over_tls_every_response_has_strict_transport_security(
    serving: Harness, tmp_path: Path, lean: bool
) -> None:
    handler = serving.gateway.fast_path if lean else None
    async with listening(serving, handler, self_signed(tmp_path)) as (client, _):
        responses = [
            await client.post("/predict/iris", json={"input": [1, 2]}, headers=headers)
            for headers in (serving.bearer, {})
        ]
    assert [response.status_code for response in responses] == [200, 401]
    assert all(response.headers["strict-transport-security"].startswith("max-age=") for response in responses)


@pytest.mark.parametrize("lean", [True, False])
async def test_an_error_of_ours_is_500_logged_and_counted(
    serving: Harness, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, lean: bool
) -> None:
    async def fails(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(serving.gateway.fast_path._handler._authentication, "identify", fails)
    async with listening(serving, serving.gateway.fast_path if lean else None) as (client, _):
        response = await client.post("/predict/iris", json={}, headers=serving.bearer)
    await serving.gateway.usage.turn()
    assert usage_of(serving) == {("iris", "", "", "", 500, "", "none"): 1}
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "a bug" in log.getvalue()
    assert "a bug" not in response.text


async def test_what_is_in_flight_when_the_stop_runs_out_of_time_gets_a_503(
    serving: Harness, model: ScriptedModel
) -> None:
    async def hang(*_: Any) -> None:
        await release.wait()

    release = asyncio.Event()
    model.script = hang
    async with listening(serving, serving.gateway.fast_path) as (client, server):
        asked = client.post("/predict/iris", json={"input": [1, 2]}, headers=serving.bearer)
        asking = asyncio.create_task(asked)
        await until(lambda: bool(model.received))
        server.should_exit = True
        response = await asking
        release.set()
    assert response.status_code == 503
    assert "stopping" in response.json()["detail"]
    assert response.headers["connection"] == "close"
    assert serving.gateway._in_flight.in_flight == 0


async def test_a_caller_that_leaves_still_fills_the_cache(serving: Harness, model: ScriptedModel) -> None:
    release = asyncio.Event()

    async def wait(request: Received, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answering(http("200 OK", b'{"prediction": 1}'))(request, writer)

    model.script = wait
    async with listening(serving, serving.gateway.fast_path) as (client, _):
        leaving = asyncio.create_task(
            client.post("/predict/iris", json={"input": [1, 2]}, headers=serving.bearer)
        )
        await until(lambda: bool(model.received))
        leaving.cancel()
        await asyncio.wait([leaving])
        assert serving.gateway._in_flight.in_flight == 1
        release.set()
        await until(lambda: serving.gateway._in_flight.in_flight == 0)
        response = await client.post("/predict/iris", json={"input": [1, 2]}, headers=serving.bearer)
    assert (response.headers["x-cache"], len(model.received)) == ("hit", 1)


async def test_identical_requests_at_once_share_one_call(serving: Harness, model: ScriptedModel) -> None:
    async def slowly(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await answering(http("200 OK", b'{"prediction": 1}'))(request, writer)

    model.script = slowly
    async with listening(serving, serving.gateway.fast_path) as (client, _):
        asked = [
            client.post("/predict/iris", json={"input": [1, 2]}, headers=serving.bearer) for _ in range(10)
        ]
        responses = await asyncio.gather(*asked)
    assert {response.status_code for response in responses} == {200}
    assert len(model.received) == 1
