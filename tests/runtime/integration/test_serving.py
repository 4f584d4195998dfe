"""A runtime from start to drain, over its real socket."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import models
from tests.support.runtime_fixtures import Runtime, start_runtime

StartRuntime = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]
BODY_BYTES = 16 * 1024


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    path = models.save_joblib(models.iris_logistic().model, tmp_path_factory.mktemp("iris"))
    started = start_runtime(path, MODELPORT_RUNTIME_MAX_BODY_BYTES=str(BODY_BYTES)).wait_until_started()
    yield started
    started.kill()


def test_a_ready_runtime_says_so_and_what_it_serves(iris: Runtime) -> None:
    status = iris.status

    assert [iris.get(path).status for path in ("/healthz", "/startupz", "/readyz")] == [200, 200, 200]
    assert (status["state"], status["model"], status["version"]) == ("ready", "iris", "v1")
    assert status["signature"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert status["libraries"]["found"]["scikit-learn"] == status["libraries"]["here"]["scikit-learn"]


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_it_is_isolated_by_both_layers(iris: Runtime) -> None:
    assert iris.status["sandbox"] == {"level": 2, "detail": "Landlock and seccomp hold"}


def test_a_prediction_has_the_callers_request_id_and_the_models_time(iris: Runtime) -> None:
    response = iris.post("/predict", {"input": ROW}, {"x-request-id": "abc-1"})

    assert response.json == {"model": "iris", "version": "v1", "prediction": "setosa"}
    assert response.headers["x-request-id"] == "abc-1"
    assert response.headers["server-timing"].startswith("model;dur=")


def test_the_open_inference_protocol_gives_the_models_own_numbers(iris: Runtime) -> None:
    trained = models.iris_logistic()
    inputs = [{"name": "input", "datatype": "FP64", "shape": [150, 4], "data": trained.rows}]

    metadata = iris.get("/v2").json
    asked = [{"name": "predict"}, {"name": "predict_proba"}]
    response = iris.post("/v2/infer", {"id": "7", "inputs": inputs, "outputs": asked})

    assert metadata["name"] == "iris"
    assert response.status == 200, response.body
    assert (response.json["model_name"], response.json["model_version"], response.json["id"]) == (
        "iris",
        "v1",
        "7",
    )
    given = {output["name"]: (output["shape"], output["data"]) for output in response.json["outputs"]}
    assert given == {
        "predict": ([150], trained.model.predict(trained.data).tolist()),
        "predict_proba": ([150, 3], trained.model.predict_proba(trained.data).ravel().tolist()),
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/predict", b'{"input": [1', {"content-type": "application/json"}, 400),
        ("POST", "/predict", b'{"input": [1, 2]}', {"content-type": "application/json"}, 422),
        ("POST", "/predict", b"x", {"content-type": "text/csv"}, 415),
        ("POST", "/predict", b"x", {}, 400),
        ("POST", "/predict", b"x", {"content-type": "application/octet-stream"}, 415),
        ("POST", "/predict", b"x", {"content-encoding": "gzip"}, 400),
        ("POST", "/predict", b"x", {"content-encoding": "br"}, 415),
        ("POST", "/v2/infer", b"{}", {"inference-header-content-length": "3"}, 400),
        ("POST", "/v2/infer", b"{}", {"inference-header-content-length": "-1"}, 400),
        ("POST", "/predict", b" " * (BODY_BYTES + 1), {"content-type": "application/json"}, 413),
        ("GET", "/predict", None, {}, 405),
        ("POST", "/status", b"", {}, 405),
        ("GET", "/nothing", None, {}, 404),
    ],
)
def test_a_wrong_request_is_a_problem_with_its_status(  # a table of cases
    method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, iris: Runtime
) -> None:
    response = iris.request(method, path, body, headers)

    assert response.status == status
    wanted = "application/json" if path.startswith("/v2") else "application/problem+json"
    assert response.headers["content-type"] == wanted
    assert response.json["status"] == status
    assert response.json.get("error") == (response.json["detail"] if path.startswith("/v2") else None)
    assert response.json["request_id"] == response.headers["x-request-id"]


def test_a_body_that_grows_past_the_limit_without_saying_so_is_refused(iris: Runtime) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(iris.socket))
        head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        connection.sendall(
            head + b"transfer-encoding: chunked\r\n\r\n" + b"4000\r\n" + b" " * BODY_BYTES + b"\r\n"
        )
        connection.sendall(b"1\r\n \r\n0\r\n\r\n")
        assert b" 413 " in connection.recv(4096).splitlines()[0]


def test_many_requests_at_once_all_get_their_own_predictions(iris: Runtime) -> None:
    trained = models.iris_logistic()
    rows, expected = trained.rows, trained.model.predict(trained.data).tolist()

    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda row: iris.post("/predict", {"input": row}).json["prediction"], rows))

    assert responses == expected


def test_metrics_count_requests_by_status(iris: Runtime) -> None:
    iris.post("/predict", {"input": ROW})

    text = iris.get("/metrics").body.decode()

    assert 'modelport_runtime_requests_total{protocol="native",status="200"}' in text
    assert "modelport_runtime_ready 1.0" in text


@pytest.mark.parametrize("framework", ["onnx", "xgboost", "lightgbm"])
def test_every_framework_serves_isolated_within_the_default_memory(
    framework: str, tmp_path: Path, runtime: StartRuntime
) -> None:
    saved = {
        "onnx": lambda: models.save_onnx(models.iris_logistic(), tmp_path),
        "xgboost": lambda: models.save_joblib(models.iris_xgboost().model, tmp_path),
        "lightgbm": lambda: models.save_joblib(models.iris_lightgbm().model, tmp_path),
    }[framework]()

    started = runtime(saved, framework).wait_until_started()

    assert started.status["state"] == "ready", started.status
    assert started.status["sandbox"]["level"] == (2 if sys.platform == "linux" else 0)
    assert started.post("/predict", {"input": ROW}).status == 200


def test_it_listens_on_tcp_too(tmp_path: Path, runtime: StartRuntime) -> None:
    path = models.save_onnx(models.iris_logistic(), tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    runtime(path, "onnx", MODELPORT_RUNTIME_LISTEN=f"127.0.0.1:{port}")

    assert _first_line(port).startswith(b"HTTP/1.1 200")


def _first_line(port: int) -> bytes:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 60) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                return connection.recv(4096).splitlines()[0]
        except ConnectionError:
            time.sleep(0.05)
    raise AssertionError("nothing listens")


def test_sigterm_ends_it_with_success(tmp_path: Path, runtime: StartRuntime) -> None:
    started = runtime(models.save_onnx(models.iris_logistic(), tmp_path), "onnx").wait_until_started()

    assert started.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    path = models.save_onnx(models.iris_logistic(), tmp_path)
    script = (
        "import sys, pathlib; from tests.support.runtime_fixtures import start_runtime;"
        f"r = start_runtime(pathlib.Path({str(path)!r}), 'onnx').wait_until_started();"
        "print(r.process.pid, r.socket.parent, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().decode().split()
    child = int(pid)

    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    shutil.rmtree(folder)

    deadline = time.monotonic() + 120
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie that no init has fetched yet has ended.
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
