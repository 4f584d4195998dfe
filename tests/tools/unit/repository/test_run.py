"""tests/run.sh runs two lots of tests at once; here a program stands for both, the cluster and coverage."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.waiting import eventually

ROOT = Path(__file__).parents[4]
INTERRUPTED = 2
# What it was called for goes to `calls`. A test run that is made to hang ends by Ctrl-C as pytest does,
# from the moment that `calls` names it.
STAND_IN = f"""#!{sys.executable}
import os, sys, time
words = sys.argv[1:]
if "tests.cluster" in words:
    name = words[-1]
elif "coverage" in words:
    name = "coverage"
elif "tests.machine" in words:
    time.sleep(60)
else:
    name = ("again_" if "--last-failed" in words else "") + ("e2e" if "tests/e2e" in words else "others")
try:
    with open("calls", "a") as calls:
        calls.write(name + "\\n")
    print("output of", name, *words, flush=True)
    if name == "e2e" and os.environ.get("WAIT"):
        import fcntl
        fcntl.flock(open(os.environ["MODELPORT_OTHER_TESTS"]), fcntl.LOCK_SH)
        with open("calls", "a") as calls:
            calls.write("e2e alone\\n")
    if name == "others" and os.environ.get("WAIT"):
        while "e2e\\n" not in open("calls"):
            time.sleep(0.05)
        # In which one that does not wait would go on.
        time.sleep(1)
        with open("calls", "a") as calls:
            calls.write("others done\\n")
    # Not for ever: nothing is left of a test that failed.
    if name in os.environ.get("HANG", "").split():
        time.sleep(60)
except KeyboardInterrupt:
    with open("calls", "a") as calls:
        calls.write(name + " interrupted\\n")
    sys.exit({INTERRUPTED})
sys.exit(int(os.environ.get("CODE_" + name, 0)))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the script in a checkout where nothing is real but the script."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "run.sh").write_bytes((ROOT / "tests" / "run.sh").read_bytes())
    (tmp_path / "tests" / "check.sh").touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)

    def started(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = ["bash", str(tmp_path / "tests" / "run.sh"), *arguments]
        # A group of its own, as a terminal gives it: Ctrl-C goes to all of the group.
        return subprocess.Popen(
            command,
            env={
                **os.environ,
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "MODELPORT_NIGHTLY": "",
                "CODE_status": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    return started


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_both_run_and_the_end_to_end_tests_output_follows_in_full(start: Start, tmp_path: Path) -> None:
    run = start()
    output, _ = run.communicate(timeout=100)
    assert run.returncode == 0, output
    assert output.rindex("output of e2e") > output.index("output of others")
    assert {"helm", "prepare", "e2e", "others"} <= set(calls(tmp_path))
    assert calls(tmp_path)[-1] == "down"


def test_what_measures_gaps_can_wait_until_the_other_tests_have_ended(start: Start, tmp_path: Path) -> None:
    run = start(WAIT="yes")
    run.communicate(timeout=100)
    done = calls(tmp_path)
    assert done.index("e2e") < done.index("others done") < done.index("e2e alone")


def test_what_the_quick_checks_refuse_fails_the_run_before_the_tests(start: Start, tmp_path: Path) -> None:
    (tmp_path / "tests" / "check.sh").write_text("exit 3")
    run = start(HANG="e2e")
    run.communicate(timeout=100)
    assert run.returncode == 3
    assert "others" not in calls(tmp_path)
    assert calls(tmp_path)[-1] == "down"


def test_a_second_run_in_the_same_checkout_is_refused(start: Start, tmp_path: Path) -> None:
    first = start(HANG="others")
    eventually(lambda: "others" in calls(tmp_path), seconds=100)
    output, _ = start().communicate(timeout=100)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=100)
    assert "make test runs here already" in output


def test_a_cluster_that_ran_before_stays(start: Start, tmp_path: Path) -> None:
    start(CODE_status="0").communicate(timeout=100)
    assert "down" not in calls(tmp_path)


@pytest.mark.parametrize("failing", ["e2e", "others", "prepare", "coverage"])
def test_who_fails_fails_the_run_and_the_cluster_goes(start: Start, tmp_path: Path, failing: str) -> None:
    run = start(MODELPORT_NIGHTLY="1", **{f"CODE_{failing}": "4"})
    run.communicate(timeout=100)
    assert run.returncode == 4
    assert "others" in calls(tmp_path)
    assert calls(tmp_path)[-1] == "down"


@pytest.mark.parametrize("failing", ["e2e", "others"])
def test_what_failed_runs_once_more_when_nothing_else_does(
    start: Start, tmp_path: Path, failing: str
) -> None:
    run = start(**{f"CODE_{failing}": "1"})
    output, _ = run.communicate(timeout=100)
    assert run.returncode == 0, output
    done = calls(tmp_path)
    assert done[-2:] == [f"again_{failing}", "down"]
    assert "Alone, what failed" in output


@pytest.mark.parametrize("failing", ["e2e", "others"])
def test_what_fails_twice_fails_the_run(start: Start, tmp_path: Path, failing: str) -> None:
    run = start(**{f"CODE_{failing}": "1", f"CODE_again_{failing}": "1"})
    run.communicate(timeout=100)
    assert run.returncode == 1
    assert calls(tmp_path).count(f"again_{failing}") == 1


def test_few_lines_run_fail_the_run_whatever_passes(start: Start) -> None:
    run = start(MODELPORT_NIGHTLY="1", CODE_others="1", CODE_coverage="2")
    run.communicate(timeout=100)
    assert run.returncode == 2


def test_what_is_for_the_night_is_left_out_by_day(start: Start, tmp_path: Path) -> None:
    by_day, _ = start().communicate(timeout=100)
    assert by_day.count("-m not e2e and not nightly") == by_day.count("-m e2e and not nightly") == 1
    assert "coverage" not in calls(tmp_path)
    by_night, _ = start(MODELPORT_NIGHTLY="1").communicate(timeout=100)
    assert by_night.count("--cov") == 2
    assert "nightly" not in by_night
    assert "coverage" in calls(tmp_path)


def test_where_no_cluster_can_be_had_the_tests_say_so_themselves(start: Start, tmp_path: Path) -> None:
    run = start(CODE_helm="3", CODE_prepare="3")
    run.communicate(timeout=100)
    assert run.returncode == 0
    assert "e2e" in calls(tmp_path)


@pytest.mark.parametrize("hanging", ["e2e", "others", "e2e others"])
def test_ctrl_c_ends_both_and_takes_the_cluster_down(start: Start, tmp_path: Path, hanging: str) -> None:
    run = start(HANG=hanging)
    eventually(lambda: {"e2e", "others"} <= set(calls(tmp_path)), seconds=100)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=100)
    assert run.returncode == 128 + signal.SIGINT
    assert {f"{name} interrupted" for name in hanging.split()} <= set(calls(tmp_path))
    assert calls(tmp_path)[-1] == "down"


def test_arguments_run_these_tests_alone(start: Start, tmp_path: Path) -> None:
    run = start("-k", "cache", "-x")
    run.communicate(timeout=100)
    assert run.returncode == 0
    assert calls(tmp_path) == ["others"]
