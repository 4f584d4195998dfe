"""Starting and stopping the cluster's processes; with `sleep` for a program."""

import dataclasses
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.host import processes
from tests.cluster.host.plan import Places
from tests.cluster.waiting import wait_until


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    made = Places(tmp_path / "state")
    made.make()
    yield made
    for running in processes.recorded(made):
        processes.stop(made, running, signal.SIGKILL)


def test_a_process_outlives_the_session_that_started_it_and_is_found_again(places: Places) -> None:
    started = processes.start(places, "sleeper", ["sleep", "60"])
    assert os.getsid(started.pid) == started.pid
    assert list(processes.recorded(places)) == [started]
    assert started.alive()


def test_stopping_returns_when_it_is_gone_and_forgets_it(places: Places) -> None:
    started = processes.start(places, "sleeper", ["sleep", "60"])
    processes.stop(places, started)
    assert not started.alive()
    assert not list(processes.recorded(places))


def test_another_process_that_got_its_number_is_left_alone(places: Places) -> None:
    started = processes.start(places, "sleeper", ["sleep", "60"])
    stale = dataclasses.replace(started, name="stale", started=started.started - 1)
    (places.processes / "stale.json").write_text(json.dumps(dataclasses.asdict(stale)))
    processes.stop(places, stale)
    assert started.alive()


def test_a_restart_runs_the_same_command_again(places: Places) -> None:
    started = processes.start(places, "sleeper", ["sleep", "60"], {"ONLY_HERE": "1"})
    again = processes.restart(places, "sleeper", signal.SIGKILL)
    assert again.pid != started.pid
    assert (again.command, again.env) == (started.command, started.env)
    assert again.alive()


def test_output_goes_to_a_log_of_its_name(places: Places) -> None:
    talker = processes.start(places, "talker", ["echo", "hello"])
    assert wait_until(lambda: not talker.alive(), 5)
    assert (places.logs / "talker.log").read_text() == "hello\n"
