"""A model that loads and then misbehaves: who else is answered, and what is said.

The model does what a row's first number says, see `ORDERS`; any other number is its own response.
"""

import json
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modelport_runtime.process.supervision import BROKE_THE_PROTOCOL
from modelport_runtime.process.usage_watch import MAX_THREADS

from tests.runtime.integration.hostile.harness import Runs
from tests.support import models
from tests.support.runtime_fixtures import Reply, Runtime
from tests.support.waiting import eventually

StartRuntime = Callable[..., Runtime]

RAISE, ONE_MORE, EXIT, END, HANG, FLOOD, SLOW, THREADS = -1, -2, -3, -4, -5, -6, -7, -8
# Small ones, of which thousands would fit into the memory limit. It stops by itself where nobody stops it.
START_THREADS = """
import threading, time
threading.stack_size(1 << 16)
for _ in range(3000): threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
time.sleep(3600)
"""
ORDERS = """
import os, sys, time
def predict(rows):
    orders = [int(row[0]) for row in rows]
    if -1 in orders: raise ValueError("no flower has -1")
    if -2 in orders: return [0] * (len(rows) + 1)
    if -3 in orders: sys.exit(3)
    if -4 in orders: os._exit(7)
    if -5 in orders: time.sleep(3600)
    if -6 in orders: print("y" * 5_000_000)
    if -7 in orders: time.sleep(1)
    if -8 in orders: START_THREADS
    return [float(row[0]) for row in rows]
"""


ORDERS = ORDERS.replace("START_THREADS", f"exec({START_THREADS!r})")


@pytest.fixture
def start(tmp_path: Path, forked_runtime: StartRuntime) -> StartRuntime:
    defined = Runs(eval, f"(namespace := {{}}, exec({ORDERS!r}, namespace), namespace['predict'])[2]")
    path = models.save_pickle(SimpleNamespace(predict=defined), tmp_path)

    def start(**env: str) -> Runtime:
        sample = {"MODELPORT_RUNTIME_SAMPLE": '{"input": [0]}'}
        return forked_runtime(path, **(sample | env)).wait_until_started()

    return start


def predict(runtime: Runtime, order: float, **headers: str) -> Reply:
    return runtime.post("/predict", {"input": [order]}, headers)


def numbers(runtime: Runtime, name: str) -> float:
    """A metric's value."""
    lines = runtime.get("/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def begin(pool: ThreadPoolExecutor, runtime: Runtime, order: float) -> Future[Reply]:
    """Call, and return once the model is at work on it."""
    arrived = numbers(runtime, "modelport_runtime_batch_requests_count")
    future = pool.submit(predict, runtime, order)
    eventually(lambda: numbers(runtime, "modelport_runtime_batch_requests_count") > arrived)
    return future


def log_lines(runtime: Runtime) -> list[dict[str, Any]]:
    return [json.loads(line) for line in runtime.log.splitlines() if line.startswith('{"time"')]


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (RAISE, "ValueError: no flower has -1"),
        (ONE_MORE, "2 results for 1 row"),
        (EXIT, "SystemExit: 3"),
    ],
)
def test_what_a_row_does_to_the_model_is_reported_to_its_caller_alone(
    order: float, says: str, start: StartRuntime
) -> None:
    runtime = start()

    with ThreadPoolExecutor(8) as pool:
        slow = begin(pool, runtime, SLOW)
        bad = pool.submit(predict, runtime, order, **{"x-request-id": "the-bad-one"})
        others = [pool.submit(predict, runtime, number) for number in range(5)]
        answers = [other.result().json["prediction"] for other in others]

    assert answers == [0, 1, 2, 3, 4]
    assert slow.result().json["prediction"] == SLOW
    problem = bad.result()
    assert (problem.status, problem.json["reason"]) == (500, "ModelError")
    assert says in problem.json["detail"]
    assert "Traceback" not in problem.body.decode()
    assert runtime.status["state"] == "ready"
    logged = next(line for line in log_lines(runtime) if line["event"] == "model_raised")
    assert logged["request_id"] == "the-bad-one"
    assert logged["level"] == "error"
    assert "Traceback" in logged["trace"]


def test_a_model_that_ends_the_process_ends_only_that(start: StartRuntime) -> None:
    runtime = start()

    with pytest.raises((ConnectionError, OSError)):
        predict(runtime, END)

    assert runtime.wait_until_ended() == 7


def test_a_model_that_starts_threads_without_end_is_ended(start: StartRuntime) -> None:
    runtime = start()
    began = time.monotonic()

    with pytest.raises((ConnectionError, OSError)):
        predict(runtime, THREADS)

    assert runtime.wait_until_ended() == BROKE_THE_PROTOCOL
    assert time.monotonic() - began < 5
    killed = log_lines(runtime)[-1]
    assert killed["event"] == "model_process_killed"
    assert f"at most {MAX_THREADS} are allowed" in killed["detail"]


def test_a_load_that_starts_threads_without_end_is_a_failed_load(
    tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    path = models.save_pickle(Runs(exec, START_THREADS), tmp_path)

    runtime = forked_runtime(path).wait_until_started()

    assert runtime.status["reason"] == "SandboxViolation"
    assert "threads at once" in runtime.status["message"]
    assert runtime.get("/healthz").status == 200


def test_a_model_that_hangs_is_reported_once_nobody_waits_for_it(start: StartRuntime) -> None:
    runtime = start(MODELPORT_RUNTIME_STUCK_AFTER_SECONDS="1")
    caller = send_request(runtime, HANG)
    time.sleep(1.5)
    assert runtime.get("/healthz").status == 200, "somebody waits for it"

    caller.close()

    eventually(lambda: runtime.get("/healthz").status == 503)
    assert runtime.status["state"] == "ready"
    assert any(line["event"] == "client_gone" for line in log_lines(runtime))


def send_request(runtime: Runtime, order: float) -> socket.socket:
    """Send a request and do not wait for its response."""
    body = json.dumps({"input": [order]}).encode()
    head = (
        f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    )
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(runtime.socket))
    connection.sendall(head.encode() + b"\r\n\r\n" + body)
    return connection


def test_a_caller_that_leaves_takes_no_other_along(start: StartRuntime) -> None:
    runtime = start()

    with ThreadPoolExecutor(4) as pool:
        slow = begin(pool, runtime, SLOW)
        gone = send_request(runtime, END)
        stays = [pool.submit(predict, runtime, number) for number in (1, 2)]
        eventually(lambda: numbers(runtime, "modelport_runtime_waiting_requests") == 3)
        gone.close()
        eventually(lambda: any(line["event"] == "client_gone" for line in log_lines(runtime)))

        # Had its row reached the model, the process would have ended.
        assert [one.result().json["prediction"] for one in (slow, *stays)] == [SLOW, 1, 2]
    assert numbers(runtime, "modelport_runtime_batch_requests_sum") == 3


def test_a_full_queue_says_when_to_come_again(start: StartRuntime) -> None:
    runtime = start(MODELPORT_RUNTIME_MAX_QUEUE="1")

    with ThreadPoolExecutor(2) as pool:
        slow = begin(pool, runtime, SLOW)
        waits = pool.submit(predict, runtime, 1)
        eventually(lambda: numbers(runtime, "modelport_runtime_waiting_requests") == 1)
        refused = predict(runtime, 2)

        assert (refused.status, refused.json["reason"]) == (503, "QueueFull")
        assert int(refused.headers["retry-after"]) > 0
        assert [one.result().json["prediction"] for one in (slow, waits)] == [SLOW, 1]


def test_sigterm_lets_what_has_begun_end(start: StartRuntime) -> None:
    runtime = start()

    with ThreadPoolExecutor(2) as pool:
        slow = begin(pool, runtime, SLOW)
        waits = pool.submit(predict, runtime, 1)
        eventually(lambda: numbers(runtime, "modelport_runtime_waiting_requests") == 1)
        runtime.process.send_signal(signal.SIGTERM)

        assert [one.result().json["prediction"] for one in (slow, waits)] == [SLOW, 1]
    assert runtime.wait_until_ended() == 0


def test_a_model_that_prints_floods_predicts_all_the_same(start: StartRuntime) -> None:
    runtime = start()

    answers = [predict(runtime, order).json["prediction"] for order in (FLOOD, 4, FLOOD)]

    assert answers == [FLOOD, 4, FLOOD]
    assert predict(runtime, RAISE).status == 500
    assert any(line["event"] == "model_raised" for line in log_lines(runtime)), "our lines are whole"
