"""The log stays within its size and never stops its writers."""

import os
from pathlib import Path

import pytest
from modelport_standalone.log_file import LogFile


def test_two_files_hold_the_newest_lines(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "platform.log", file_bytes=100)
    for number in range(1000):
        log.write(f"line {number}\n")
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["platform.log", "platform.log.1"]
    assert all(file.stat().st_size <= 100 for file in files)
    assert files[0].read_text().endswith("line 999\n")
    lines = (files[1].read_text() + files[0].read_text()).splitlines()
    assert lines == [f"line {number}" for number in range(1000 - len(lines), 1000)]


def test_a_later_start_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for text in ("first\n", "second\n"):
        LogFile(tmp_path / "platform.log").write(text)
    assert (tmp_path / "platform.log").read_text() == "first\nsecond\n"


def test_it_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    LogFile(tmp_path / "logs" / "platform.log")
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "logs" / "platform.log").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_said_once_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LogFile(tmp_path / "platform.log")

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        log.write("lost\n")
        log.write("lost too\n")
    log.write("kept\n")
    assert capsys.readouterr().err.count("No space left on device") == 1
    assert (tmp_path / "platform.log").read_text() == "kept\n"
