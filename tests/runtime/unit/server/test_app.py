"""The runtime's HTTP and its loading, in this process: above all what a healthy model cannot bring about."""

import asyncio
import hashlib
import pickle
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from modelport_http.problem import type_of
from modelport_runtime.core.types import Call, Prediction
from modelport_runtime.process.supervision import Child
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.server import process as server
from modelport_runtime.server.batching import Batcher, Done
from modelport_runtime.server.handler import PredictionHandler
from modelport_runtime.server.http import App
from modelport_runtime.server.model_supervisor import ModelSupervisor
from modelport_runtime.server.status import State
from modelport_runtime.settings import Settings
from modelport_runtime.wire import LoadReport
from modelport_runtime.worker import process as model_process

from tests.support import models

ROW = [5.1, 3.5, 1.4, 0.2]
NO_SANDBOX = SandboxReport(0, "a test")
REPORTED = LoadReport(
    state="ready", reason=None, message=None, signature=None, sample=None, sample_source=None,
    found={}, here={}, differences=[], v2={},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _keep_the_timer_of_the_test() -> Iterator[None]:
    """A load disarms the process's alarm, which is pytest-timeout's here."""
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    yield
    signal.setitimer(signal.ITIMER_REAL, left, interval)


def settings_for(path: Path, **changes: Any) -> Settings:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    given = {"artifact": path, "artifact_sha256": digest, "allow_unsandboxed": True, "max_body_bytes": 4096}
    return Settings(**({"model": "iris", "version": "v1", "framework": "sklearn"} | given | changes))


IRIS = Settings(
    model="iris", version="v1", framework="sklearn", artifact=Path("model"), artifact_sha256="0" * 64
)


class Unforked:
    """Where the model process is a thread: it runs, and cannot be ended."""

    status: int | None = None

    def watch(self, on_exit: Callable[[], None]) -> None: ...

    def kill(self) -> None: ...


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """What `__main__` makes of the settings, without processes, a listener and a sandbox of its own."""
    ours, theirs = socket.socketpair()
    batcher = server.build_batcher(settings)
    supervisor = ModelSupervisor(settings, NO_SANDBOX, batcher, cast(Child, Unforked()))
    parts = server.build(settings, batcher, supervisor)
    with theirs:
        model = threading.Thread(
            target=model_process.serve, args=(settings, NO_SANDBOX, theirs, tuple), daemon=True
        )
        model.start()
        await supervisor.connect(ours)
        async with client_of(parts.app) as client, asyncio.timeout(60):
            while supervisor.state.phase == "loading":  # noqa: ASYNC110  # news sets it
                await asyncio.sleep(0.01)
            yield client
        supervisor.disconnect()
        await asyncio.to_thread(model.join, 30)


def client_of(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://runtime")


async def test_a_file_becomes_an_endpoint(tmp_path: Path) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)
    async with served(settings_for(path, sample={"input": ROW})) as client:
        response = await client.post("/predict", json={"input": ROW}, headers={"x-request-id": "one"})
        status = (await client.get("/status")).json()
        probes = [(await client.get(probe)).status_code for probe in ("/healthz", "/startupz", "/readyz")]
        metrics = await client.get("/metrics")
        metadata = (await client.get("/v2")).json()
        config = (await client.get("/v2/config")).json()
    assert response.json() == {"model": "iris", "version": "v1", "prediction": "setosa"}
    assert response.headers["x-request-id"] == "one"
    assert (status["state"], status["sample"]) == ("ready", {"input": ROW})
    assert status["sandbox"] == {"level": 0, "detail": "a test"}
    assert probes == [200, 200, 200]
    assert 'modelport_runtime_requests_total{protocol="native",status="200"}' in metrics.text
    assert metadata["name"] == config["name"] == "iris"
    assert config["max_batch_size"] == 0
    assert config["input"] == [{"name": "input", "data_type": "TYPE_FP64", "dims": [-1, 4]}]
    assert config["output"][0] == {"name": "predict", "data_type": "TYPE_STRING", "dims": [-1]}


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        (
            "POST",
            "/predict",
            {"content": b'{"input": [1', "headers": {"content-type": "application/json"}},
            400,
        ),
        ("POST", "/predict", {"json": {"input": [1, 2]}}, 422),
        ("POST", "/predict", {"content": b"x", "headers": {"content-type": "text/csv"}}, 415),
        ("POST", "/predict", {"json": {"input": [1.0] * 2000}}, 413),
        ("POST", "/v2/infer", {"json": {}}, 422),
        ("GET", "/predict", {}, 405),
        ("GET", "/nothing", {}, 404),
    ],
)
async def test_a_wrong_request_is_a_problem(
    method: str, path: str, given: dict[str, Any], status: int, tmp_path: Path
) -> None:
    saved = models.save_joblib(models.iris_logistic().model, tmp_path)
    async with served(settings_for(saved)) as client:
        response = await client.request(method, path, **given)
    assert (response.status_code, response.json()["status"]) == (status, status)
    wanted = "application/json" if path.startswith("/v2") else "application/problem+json"
    assert response.headers["content-type"] == wanted
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.json()["type"] == type_of(response.json().get("reason"))


class Raises:
    """Unpickling it calls `function(*arguments)`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    ("content", "changes", "reason", "says"),
    [
        (pickle.dumps([1]), {}, "NotAModel", "list"),
        (pickle.dumps(Raises(int, "no number")), {}, "LoadFailed", "ValueError: invalid literal"),
        (pickle.dumps(Raises(exec, "raise SystemExit(3)")), {}, "LoadFailed", "SystemExit(3)"),
        (pickle.dumps(Raises(exec, "raise MemoryError")), {}, "OutOfMemory", "2.0 GiB"),
        (pickle.dumps(Raises(exec, "raise PermissionError(13, 'no')")), {}, "SandboxViolation", "no"),
        (pickle.dumps(Raises(exec, "import not_here")), {}, "MissingModule", "not_here"),
        (b"cnot_here\nModel\n.", {}, "MissingModule", "not_here"),
        (b"c__main__\nMine\n.", {}, "MissingModule", "Mine"),
        (b"\x80\x04\xff.", {}, "CorruptArtifact", "damaged"),
        (pickle.dumps([1]), {"artifact_sha256": "0" * 64}, "DigestMismatch", ""),
        (pickle.dumps([1]), {"allow_unsandboxed": False}, "SandboxUnavailable", "a test"),
    ],
)
async def test_a_load_that_fails_reports_its_reason_and_no_prediction_is_made(
    content: bytes, changes: dict[str, Any], reason: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    async with served(settings_for(path, **changes)) as client:
        status = (await client.get("/status")).json()
        ready = await client.get("/readyz")
        response = await client.post("/predict", json={"input": ROW})
    assert (status["state"], status["reason"]) == ("failed", reason), status
    assert says in status["message"]
    assert (ready.status_code, response.status_code, response.json()["reason"]) == (503, 503, reason)


class HeldModel:
    """Holds each batch until it is let go."""

    max_batch_bytes = 4096
    ahead_bytes = None

    def __init__(self) -> None:
        self.busy = asyncio.Event()
        self._held: list[tuple[int, Done]] = []
        self._holds = True

    def predict(self, calls: list[Call], done: Done) -> None:
        self.busy.set()
        if self._holds:
            self._held.append((len(calls), done))
        else:
            done([Prediction(b"{}")] * len(calls), 0.0)

    def let_go(self) -> None:
        self._holds = False
        for count, done in self._held:
            done([Prediction(b"{}")] * count, 0.0)


def app_around(batcher: Batcher, reported: LoadReport | None = REPORTED) -> App:
    supervisor = ModelSupervisor(IRIS, NO_SANDBOX, batcher, cast(Child, Unforked()))
    if reported is not None:
        supervisor.state = replace(supervisor.state, phase="ready", reported=reported)
    return server.build(IRIS, batcher, supervisor).app


@asynccontextmanager
async def faked(model: HeldModel) -> AsyncIterator[tuple[httpx.AsyncClient, App]]:
    """An app whose model is the fake, one request in its queue at most."""
    batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
    batcher.use(model)
    app = app_around(batcher)
    async with client_of(app) as client, asyncio.timeout(60):
        yield client, app


async def test_a_full_queue_is_503_with_a_time_to_come_back() -> None:
    model = HeldModel()
    async with faked(model) as (client, _):
        running = asyncio.create_task(client.post("/predict", json={}))
        await model.busy.wait()
        both = [asyncio.create_task(client.post("/predict", json={})) for _ in range(2)]
        (first,), (second,) = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        refused = first.result()
        model.let_go()
        assert {(await running).status_code, (await second).status_code} == {200}
    assert (refused.status_code, refused.json()["reason"]) == (503, "QueueFull")
    assert int(refused.headers["retry-after"]) > 0


async def test_while_the_model_loads_a_prediction_is_503_and_the_process_is_alive() -> None:
    batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
    async with client_of(app_around(batcher, reported=None)) as client:
        response = await client.post("/predict", json={})
        probes = [(await client.get(probe)).status_code for probe in ("/healthz", "/startupz", "/readyz")]
    assert (response.status_code, response.json()["reason"]) == (503, "Progressing")
    assert response.headers["retry-after"] == "1"
    assert probes == [200, 503, 503]


async def test_a_fault_of_ours_is_a_500_that_reveals_nothing() -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("a secret")

    batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
    state = State(sandbox=NO_SANDBOX)
    app = App(batcher, PredictionHandler(batcher, lambda: state, max_body_bytes=9), lambda: state, broken)
    async with client_of(app) as client:
        response = await client.get("/status")
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_a_caller_that_goes_while_the_model_works_gets_no_response_written() -> None:
    model = HeldModel()
    gone = asyncio.Event()
    body = iter([{"type": "http.request", "body": b"{}"}])
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        for message in body:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async with faked(model) as (_, app):
        scope = {"path": "/predict", "method": "POST", "headers": [(b"content-type", b"application/json")]}
        call = asyncio.create_task(app(scope, receive, send))
        await model.busy.wait()
        gone.set()
        await call
        model.let_go()
    assert sent == []
