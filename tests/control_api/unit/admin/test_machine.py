"""Processors, memory and disks of the machine, from files that the test writes."""

from pathlib import Path

import pytest
from modelport_control_api.admin.machine import (
    Memory,
    ProcessorUse,
    Ticks,
    read_disks,
    read_memory,
    read_ticks,
)

STAT = """cpu  100 20 30 400 50 6 7 8 90 9
cpu0 50 10 15 200 25 3 3 4 45 4
intr 1 2 3
"""
MEMINFO = """MemTotal:       16384000 kB
MemFree:          200000 kB
MemAvailable:    8192000 kB
HugePages_Total:       0
"""


def test_ticks_count_waiting_for_a_disk_as_idle_and_guests_once(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(STAT)
    assert read_ticks(tmp_path) == Ticks(busy=171, total=621)


def test_memory_is_what_processes_could_take(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    assert read_memory(tmp_path) == Memory(16_384_000 * 1024, 8_192_000 * 1024)


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "cpu a b\nMemTotal: lots kB\n"])
def test_a_system_that_does_not_tell_has_no_figures(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "stat").write_text(content)
        (tmp_path / "meminfo").write_text(content)
    assert read_memory(tmp_path) is None
    assert ProcessorUse(lambda: read_ticks(tmp_path)).share() is None


def test_the_share_is_of_the_time_since_the_reading_before() -> None:
    now, ticks = [0.0], [Ticks(50, 200)]
    use = ProcessorUse(lambda: ticks[0], lambda: now[0])
    # The first is since the machine started.
    assert use.share() == 0.25
    now[0], ticks[0] = 0.5, Ticks(60, 210)
    assert use.share() == 0.25, "too soon for the kernel's ticks"
    now[0], ticks[0] = 2.0, Ticks(130, 300)
    assert use.share() == 0.8
    now[0] = 9.0
    assert use.share() == 0.8, "no tick has passed"


def test_a_disk_is_listed_once_and_a_folder_that_is_gone_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (disk,) = read_disks([tmp_path / "a", tmp_path / "b", tmp_path / "gone"])
    assert disk.folder == str(tmp_path / "a")
    assert 0 < disk.free <= disk.total
