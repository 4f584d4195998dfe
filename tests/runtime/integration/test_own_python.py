"""A model process in a Python of its own, as in an environment: everything holds that holds for a fork.

The Python is the tests' own: what is tried here is how the two part, not what another version does.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.runtime.integration.hostile.harness import Runs
from tests.runtime.integration.test_two_processes import model_process, runs
from tests.support import models
from tests.support.runtime_fixtures import Runtime
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

StartRuntime = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]
PYTHON = "MODELPORT_RUNTIME_MODEL_PYTHON"


@pytest.fixture
def apart(runtime: StartRuntime) -> StartRuntime:
    return partial(runtime, **{PYTHON: sys.executable})


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    return models.save_joblib(models.iris_logistic().model, tmp_path)


def descriptors(pid: int) -> list[str]:
    """What a process has open beside the standard ones, without numbers of sockets."""
    links = [os.readlink(f"/proc/{pid}/fd/{number}") for number in sorted(os.listdir(f"/proc/{pid}/fd"))]
    return sorted(link.partition("[")[0] for link in links if "log" not in link and link != os.devnull)


def test_it_predicts_in_its_sandbox_with_nothing_of_the_servers(iris: Path, apart: StartRuntime) -> None:
    started = apart(iris).wait_until_started()
    child = model_process(started)
    command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
    environment = Path(f"/proc/{child}/environ").read_text()

    assert command[:4] == [sys.executable, "-I", "-m", "modelport_runtime.worker.begin"]
    assert started.status["sandbox"] == {"level": 2, "detail": "Landlock and seccomp hold"}
    assert started.status["engine"] == "numpy"
    assert "proof_confirmed" in started.log
    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
    assert descriptors(child) == ["socket:", "socket:"]
    assert environment == Path(f"/proc/{started.process.pid}/environ").read_text()


def test_a_refused_call_is_named(tmp_path: Path, apart: StartRuntime) -> None:
    path = models.save_pickle(Runs(exec, "import os; os.mkfifo('/dev/shm/pipe')"), tmp_path)

    status = apart(path).wait_until_started().status

    assert (status["state"], status["reason"]) == ("failed", "SandboxViolation")
    assert "the system call mknod" in status["message"]


def test_it_ends_with_a_server_process_that_was_killed(iris: Path, apart: StartRuntime) -> None:
    started = apart(iris, MODELPORT_RUNTIME_ACCELERATION="off").wait_until_started()
    child = model_process(started)

    started.process.kill()

    eventually(lambda: not runs(child))


def test_it_ends_with_a_server_process_that_was_killed_before_it_has_begun(
    iris: Path, apart: StartRuntime
) -> None:
    started = apart(iris)
    child = eventually(lambda: _only_child(started.process.pid))

    started.process.kill()

    eventually(lambda: not runs(child))


def _only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text() or 0)


@pytest.mark.parametrize(
    ("source", "seconds", "code"),
    [
        ("import time; time.sleep(600)", "3", -signal.SIGALRM),
        ("import os; os.write(2, b'its last words\\n'); os._exit(7)", "60", 7),
    ],
    ids=["too long", "exits"],
)
def test_the_server_process_ends_as_it_did(
    source: str, seconds: str, code: int, tmp_path: Path, apart: StartRuntime
) -> None:
    path = models.save_pickle(Runs(exec, source), tmp_path)
    started = apart(path, MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS=seconds)

    assert started.wait_until_ended() == code
    assert code != 7 or started.log.splitlines()[-1] == "its last words"


def test_it_drains_with_the_server_process(iris: Path, apart: StartRuntime) -> None:
    started = apart(iris, MODELPORT_RUNTIME_ACCELERATION="off").wait_until_started()
    child = model_process(started)

    os.killpg(started.process.pid, signal.SIGTERM)

    assert started.wait_until_ended() == 0
    assert not runs(child)


def test_a_python_that_is_not_there_is_reported(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris, **{PYTHON: "/nonexistent/python"})

    assert started.wait_until_ended() == 1
    assert "cannot_start" in started.log
    assert "/nonexistent/python" in started.log
