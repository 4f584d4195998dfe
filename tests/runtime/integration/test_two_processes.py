"""The server process and its model process: neither outlives the other where it must not, and each end is
reported.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.integration.hostile.harness import Runs
from tests.support import models
from tests.support.runtime_fixtures import Runtime, RuntimeProcess, start_runtime
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

StartRuntime = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    return models.save_joblib(models.iris_logistic().model, tmp_path)


def model_process(runtime: Runtime) -> int:
    (child,) = Path(f"/proc/{runtime.process.pid}/task/{runtime.process.pid}/children").read_text().split()
    return int(child)


def runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGALRM, signal.SIGSEGV])
def test_the_server_process_of_a_ready_model_ends_as_the_model_process_did(
    number: signal.Signals, iris: Path, runtime: StartRuntime
) -> None:
    started = runtime(iris, MODELPORT_RUNTIME_ACCELERATION="off").wait_until_started()

    os.kill(model_process(started), number)

    assert started.wait_until_ended() == -number


def test_a_model_process_ends_with_a_front_that_was_killed(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris, MODELPORT_RUNTIME_ACCELERATION="off").wait_until_started()
    child = model_process(started)

    started.process.kill()

    eventually(lambda: not runs(child))


def test_a_drained_front_leaves_no_process_behind(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris).wait_until_started()
    child = model_process(started)

    assert started.stop() == 0
    assert not runs(child)


def test_a_signal_to_the_whole_group_lets_what_has_begun_end(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris, MODELPORT_RUNTIME_ACCELERATION="off").wait_until_started()

    os.killpg(started.process.pid, signal.SIGTERM)

    assert started.wait_until_ended() == 0


def test_the_last_line_of_the_log_is_the_models(tmp_path: Path, runtime: StartRuntime) -> None:
    words = "import os; os.write(2, b'its last words\\n'); os._exit(7)"
    started = runtime(models.save_pickle(Runs(exec, words), tmp_path))

    assert started.wait_until_ended() == 7
    assert started.log.splitlines()[-1] == "its last words"


def _launch_as_first_process(environment: dict[str, str], log: Path) -> RuntimeProcess:
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-I", "-m", "modelport_runtime"]
    with log.open("wb") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)


@pytest.mark.skipif(
    subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode != 0,
    reason="pid namespaces are not ours to make",
)
@pytest.mark.parametrize(
    ("source", "seconds", "code"),
    [
        ("import time; time.sleep(600)", "1", 128 + signal.SIGALRM),
        ("import os; os.kill(os.getpid(), 9)", "60", 128 + signal.SIGKILL),
        ("import os; os._exit(7)", "60", 7),
    ],
    ids=["too long", "killed", "exits"],
)
def test_as_the_first_process_of_a_container_it_ends_as_shells_say_it(
    source: str, seconds: str, code: int, tmp_path: Path
) -> None:
    path = models.save_pickle(Runs(exec, source), tmp_path)
    limit = {"MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS": seconds}
    started = start_runtime(path, launch=_launch_as_first_process, **limit)
    try:
        assert started.wait_until_ended() == code
    finally:
        started.kill()


def test_a_failed_load_keeps_no_model_process(tmp_path: Path, runtime: StartRuntime) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"no model")

    started = runtime(path).wait_until_started()

    eventually(lambda: b"modelport_runtime_model_process 0.0" in started.get("/metrics").body)
    assert started.status["state"] == "failed"
    assert started.get("/healthz").status == 200


def test_probes_get_responses_while_the_model_loads(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris)
    eventually(started.listens)

    assert started.get("/healthz").status == 200
    assert started.get("/startupz").status == 503
    assert started.status["state"] == "loading"
    assert started.post("/predict", {"input": ROW}).status == 503
    assert started.wait_until_started().post("/predict", {"input": ROW}).status == 200


def test_they_share_what_was_imported_before_they_part(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris).wait_until_started()
    rollup = Path(f"/proc/{model_process(started)}/smaps_rollup").read_text()
    shared = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Shared_Dirty"))
    # 7,400 KiB; 3,700 where the engine is imported by each of them.
    assert int(shared) > 5_500
