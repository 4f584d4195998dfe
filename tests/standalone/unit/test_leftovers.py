"""What a platform that was killed leaves behind is gone after the next start, and nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from modelport_standalone.local_cluster.orphans import ChildRegister, renew_socket_base
from modelport_standalone.local_cluster.version_log import VersionLog


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)


def test_a_child_that_was_left_running_is_killed(tmp_path: Path) -> None:
    child = sleeper()
    ChildRegister(tmp_path).add(child.pid)
    assert ChildRegister(tmp_path).kill_leftovers() == 1
    assert child.wait(timeout=60) == -9
    assert list(tmp_path.iterdir()) == []


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    child = sleeper()
    try:
        (tmp_path / str(child.pid)).write_text("12345")
        assert ChildRegister(tmp_path).kill_leftovers() == 0
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_child_that_ended_is_forgotten(tmp_path: Path) -> None:
    register = ChildRegister(tmp_path)
    register.add(os.getpid())
    register.remove(os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_the_socket_folder_of_an_earlier_run_is_removed(tmp_path: Path) -> None:
    earlier = renew_socket_base(tmp_path / "sockets")
    now = renew_socket_base(tmp_path / "sockets")
    try:
        assert not earlier.exists()
        assert now.stat().st_mode & 0o777 == 0o700
    finally:
        now.rmdir()


def test_a_socket_folder_is_noted_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in between, the next start finds it by the note."""

    def make(folder: Path, mode: int) -> None:
        assert (tmp_path / "sockets").read_text() == str(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", make)
    with pytest.raises(KeyboardInterrupt):
        renew_socket_base(tmp_path / "sockets")


def test_a_damaged_note_removes_no_other_folder(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "sockets").write_text(str(precious))
    renew_socket_base(tmp_path / "sockets").rmdir()
    assert precious.exists()


def test_a_log_keeps_two_files_and_reads_across_them(tmp_path: Path) -> None:
    now = 0.0
    log = VersionLog(tmp_path / "0.log", clock=lambda: now)
    for number in range(40):
        assert log.write(b"%03d" % number + b"x" * 99_996 + b"\n")
        now += 10
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 << 20
    assert [line[:3] for line in log.tail(12).splitlines()] == [f"{n:03d}" for n in range(28, 40)]


def test_a_log_that_is_not_writable_does_not_stop_the_pod(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    VersionLog(tmp_path / "file" / "0.log").write(b"lost")
