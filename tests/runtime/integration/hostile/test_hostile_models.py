"""Hostile files in real runtime processes: the harm does not happen, and the version says why it failed.

Every payload has a process of its own, most of them forks: what one did must not help the next. Files of each
kind go through processes started whole, and through a whole platform, in platform/test_bad_uploads.py.
"""

import errno
import json
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.integration.hostile import payloads
from tests.runtime.integration.hostile.attempts import system_calls
from tests.runtime.integration.hostile.harness import Harness
from tests.support.runtime_fixtures import Runtime, start_runtime
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

StartRuntime = Callable[..., Runtime]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path)
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def kernel_results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the kernel returned for each attempt, after a look at the harm."""
    harness = Harness(tmp_path_factory.mktemp("gauntlet"))
    sources = payloads.REFUSED | system_calls()
    artifact = harness.infect(payloads.GAUNTLET, SOURCES=list(sources.items()), PLACES=harness.places)
    started = start_runtime(artifact).wait_until_started()
    try:
        line = next(line for line in started.log.splitlines() if line.startswith("OUTCOMES "))
        harness.assert_unharmed(started.log + str(started.status))
        outcomes: dict[str, str] = json.loads(line.removeprefix("OUTCOMES "))
        return outcomes
    finally:
        started.kill()
        harness.close()


@pytest.mark.parametrize("attempt", sorted(payloads.REFUSED.keys() | system_calls().keys()))
def test_the_kernel_refuses_what_no_model_needs(attempt: str, kernel_results: dict[str, str]) -> None:
    assert kernel_results[attempt] == "PermissionError"


@pytest.mark.parametrize("source", payloads.REPORTED.values(), ids=payloads.REPORTED.keys())
def test_a_model_that_oversteps_is_not_served_and_says_what_it_tried(
    source: str, harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert started.status["reason"] == "SandboxViolation", started.status
    assert started.get("/readyz").status == 503
    assert started.post("/predict", {"input": [1]}).status == 503
    harness.assert_unharmed(started.log + str(started.status))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are x86-64's")
@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("(31, SEGMENT, 0, None)", "shmctl"),
        ("(66, 0, 0, 16, 0)", "semctl"),
        ("(306, 0)", "syncfs"),
        ("(1000,)", "number 1000"),
    ],
)
@pytest.mark.parametrize("then", ["", "\nraise RuntimeError('the library cannot go on')"])
def test_a_refused_system_call_is_named(
    call: str, named: str, then: str, harness: Harness, forked_runtime: StartRuntime
) -> None:
    source = payloads.SYSTEM_CALL.replace("CALL", call)
    if then:
        source = source.replace("if result < 0: raise OSError(code, os.strerror(code))", then)

    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert started.status["reason"] == "SandboxViolation"
    assert f"the system call {named}." in started.status["message"]
    assert f'"call": "{named}"' in started.log
    harness.assert_unharmed(started.log)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are x86-64's")
def test_a_library_that_ends_the_process_for_a_refused_call_is_a_failed_load(
    harness: Harness, forked_runtime: StartRuntime
) -> None:
    source = payloads.SYSTEM_CALL.replace("CALL", "(306, 0)").replace("raise OSError", "os.abort() #")

    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert started.status["reason"] == "SandboxViolation"
    assert "ended its process: the system call syncfs." in started.status["message"]


def test_a_model_that_calls_on_and_on_does_not_keep_the_front_busy(
    harness: Harness, forked_runtime: StartRuntime
) -> None:
    source = "import os\nwhile True:\n try: os.setpriority(0, 0, 0)\n except OSError: pass"

    started = forked_runtime(harness.infect(source), MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS="60")

    eventually(lambda: "setpriority" in started.log)
    assert started.get("/healthz").status == 200
    assert started.log.count("system_call_refused") == 1


def test_a_model_sees_nothing_of_the_platforms_environment(harness: Harness, runtime: StartRuntime) -> None:
    source = """
import ctypes, os
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')
raise ValueError(str(os.environ) + str([environ[number] for number in range(5)]))
"""

    started = runtime(harness.infect(source), PLATFORM_SECRET=harness.token).wait_until_started()

    assert started.status["reason"] == "LoadFailed"
    assert "MODELPORT_RUNTIME_MODEL" in started.log, "the payload did not run"
    harness.assert_unharmed(started.log)


def test_a_model_that_ends_the_process_ends_only_itself(harness: Harness, runtime: StartRuntime) -> None:
    started = runtime(harness.infect("import os; os._exit(7)"))

    assert started.wait_until_ended() == 7
    harness.assert_unharmed(started.log)


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt()", "BaseException('no')"])
def test_a_model_that_raises_to_exit_is_a_failed_load(
    error: str, harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect(f"raise {error}")).wait_until_started()

    assert started.status["reason"] == "LoadFailed"
    assert error.partition("(")[0] in started.status["message"]


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import itertools; sum(itertools.repeat(0))",
        "import re; re.match('(a*)*b', 'a' * 64)",
        "import signal, time; signal.pthread_sigmask(0, []); time.sleep(600)",
    ],
    ids=["loop in Python", "loop in C that holds the lock", "huge regular expression", "sleep"],
)
def test_a_load_that_does_not_end_is_ended_by_the_alarm(
    source: str, harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect(source), MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS="1")

    assert started.wait_until_ended() == -signal.SIGALRM


@pytest.mark.parametrize(
    "source",
    [
        "bytearray(1 << 40)",
        "import numpy; numpy.ones(1 << 40)",
        "held = []\nwhile True: held.append(bytes(1 << 26))",
    ],
    ids=["one huge object", "one huge array", "many objects"],
)
def test_a_model_that_eats_memory_stops_at_its_limit(
    source: str, harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert started.status["reason"] == "OutOfMemory"
    assert "2.0 GiB" in started.status["message"]
    assert started.get("/healthz").status == 200


def test_a_model_holds_little_of_the_kernels_memory(harness: Harness, forked_runtime: StartRuntime) -> None:
    source = """
import os
held = 0
try:
    while True:
        _, end = os.pipe()
        os.set_blocking(end, False)
        held += os.write(end, bytes(1 << 20))
except OSError as error:
    raise ValueError(f"{error.errno} after {held >> 20} MiB")
"""

    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert f"{errno.EMFILE} after 1 MiB" in started.status["message"]


def test_a_model_that_floods_its_output_is_a_failed_load(
    harness: Harness, forked_runtime: StartRuntime
) -> None:
    source = "print('x' * 1_000_000)\nraise ValueError('y' * 1_000_000)"

    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert started.status["reason"] == "LoadFailed"
    assert len(started.status["message"]) < 2_000
    assert started.log.count("y") < 100_000
