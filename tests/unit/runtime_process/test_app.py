"""The runtime's HTTP and its loading, in this process: above all what a healthy model cannot bring about."""

import asyncio
import hashlib
import pickle
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from modelport_runtime import state
from modelport_runtime.batching import Worker
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Answer, Call, Failure
from modelport_runtime.http import App
from modelport_runtime.loading import Loader
from modelport_runtime.sandbox.report import SandboxReport
from modelport_runtime.settings import Settings

from tests.support import models

ROW = [5.1, 3.5, 1.4, 0.2]
NO_SANDBOX = SandboxReport(0, "a test")


@pytest.fixture(autouse=True)
def _keep_the_timer_of_the_test() -> Iterator[None]:
    """A load disarms the process's alarm, which is pytest-timeout's here."""
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    yield
    signal.setitimer(signal.ITIMER_REAL, left, interval)


def settings_for(path: Path, **changes: Any) -> Settings:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    given = {"artifact": path, "artifact_sha256": digest, "allow_unsandboxed": True} | changes
    return Settings(**({"model": "iris", "version": "v1", "framework": "sklearn"} | given))


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """What `__main__` makes of the settings, without a process, a socket and a sandbox of its own."""
    loader = Loader(settings, NO_SANDBOX)
    document = partial(state.status_document, settings, NO_SANDBOX)
    worker = Worker(loader.run, max_queue=8, max_batch=8, stuck_after=60)
    app = App(worker, lambda: loader.state, lambda: document(loader.state), max_body_bytes=4096)
    worker.start()
    async with client_of(app) as client, asyncio.timeout(60):
        while loader.state.phase == "loading":  # noqa: ASYNC110  # another thread sets it
            await asyncio.sleep(0.01)
        yield client


def client_of(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://runtime")


async def test_a_file_becomes_an_endpoint(tmp_path: Path) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)
    async with served(settings_for(path, sample={"input": ROW})) as client:
        answer = await client.post("/predict", json={"input": ROW}, headers={"x-request-id": "one"})
        status = (await client.get("/status")).json()
        probes = [(await client.get(probe)).status_code for probe in ("/healthz", "/startupz", "/readyz")]
        metrics = await client.get("/metrics")
        metadata = (await client.get("/v2")).json()
    assert answer.json() == {"model": "iris", "version": "v1", "prediction": "setosa"}
    assert answer.headers["x-request-id"] == "one"
    assert (status["state"], status["sample"]) == ("ready", {"input": ROW})
    assert status["sandbox"] == {"level": 0, "detail": "a test"}
    assert probes == [200, 200, 200]
    assert 'modelport_runtime_requests_total{protocol="native",status="200"}' in metrics.text
    assert metadata["name"] == "iris"


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
        answer = await client.request(method, path, **given)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


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
async def test_a_load_that_fails_tells_its_reason_and_no_prediction_is_made(
    content: bytes, changes: dict[str, Any], reason: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    async with served(settings_for(path, **changes)) as client:
        status = (await client.get("/status")).json()
        ready = await client.get("/readyz")
        answer = await client.post("/predict", json={"input": ROW})
    assert (status["state"], status["reason"]) == ("failed", reason), status
    assert says in status["message"]
    assert (ready.status_code, answer.status_code, answer.json()["reason"]) == (503, 503, reason)


class FakeEngine:
    """Holds each batch until it is let go, then does as told."""

    def __init__(self, act: Callable[[Call], Answer | Failure]) -> None:
        self._act = act
        self.busy = threading.Event()
        self.let_go = threading.Event()

    def predict_many(self, calls: Sequence[Call]) -> list[Answer | Failure]:
        self.busy.set()
        assert self.let_go.wait(30)
        return [self._act(call) for call in calls]


@asynccontextmanager
async def faked(engine: FakeEngine) -> AsyncIterator[tuple[httpx.AsyncClient, App]]:
    """An app whose model is the fake, one request in its queue at most."""
    real = cast("Engine", engine)
    worker = Worker(lambda: real, max_queue=1, max_batch=1, stuck_after=60)
    app = App(worker, lambda: state.State("ready", real), dict, max_body_bytes=4096)
    worker.start()
    async with client_of(app) as client, asyncio.timeout(60):
        yield client, app
    engine.let_go.set()


async def test_a_full_queue_is_503_with_a_time_to_come_back() -> None:
    engine = FakeEngine(lambda _: Answer(b"{}"))
    async with faked(engine) as (client, _):
        running = asyncio.create_task(client.post("/predict", json={}))
        await asyncio.to_thread(engine.busy.wait, 30)
        both = [asyncio.create_task(client.post("/predict", json={})) for _ in range(2)]
        (first,), (second,) = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        refused = first.result()
        engine.let_go.set()
        assert {(await running).status_code, (await second).status_code} == {200}
    assert (refused.status_code, refused.json()["reason"]) == (503, "QueueFull")
    assert int(refused.headers["retry-after"]) > 0


async def test_while_the_model_loads_a_prediction_is_503_and_the_process_is_alive() -> None:
    worker = Worker(lambda: None, max_queue=1, max_batch=1, stuck_after=60)
    async with client_of(App(worker, state.State, dict, max_body_bytes=4096)) as client:
        answer = await client.post("/predict", json={})
        probes = [(await client.get(probe)).status_code for probe in ("/healthz", "/startupz", "/readyz")]
    assert (answer.status_code, answer.json()["reason"]) == (503, "Progressing")
    assert answer.headers["retry-after"] == "1"
    assert probes == [200, 503, 503]


async def test_a_fault_of_ours_is_a_500_that_tells_nothing() -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("a secret")

    worker = Worker(lambda: None, max_queue=1, max_batch=1, stuck_after=60)
    async with client_of(App(worker, state.State, broken, max_body_bytes=4096)) as client:
        answer = await client.get("/status")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_a_caller_that_goes_while_the_model_works_gets_no_answer_written() -> None:
    engine = FakeEngine(lambda _: Answer(b"{}"))
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

    async with faked(engine) as (_, app):
        scope = {"path": "/predict", "method": "POST", "headers": [(b"content-type", b"application/json")]}
        call = asyncio.create_task(app(scope, receive, send))
        await asyncio.to_thread(engine.busy.wait, 30)
        gone.set()
        await call
    assert sent == []
