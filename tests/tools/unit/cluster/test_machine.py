"""A machine has one cluster, and who may take it from whom."""

import fcntl
from pathlib import Path

import pytest

from tests.cluster.host import machine, stopping
from tests.cluster.host.plan import Places
from tests.cluster.host.processes import ProcessTrouble


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "record"
    monkeypatch.setattr(machine, "_RECORD", path)
    monkeypatch.setattr(machine, "_kept", [])
    return path


@pytest.fixture(autouse=True)
def removed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which clusters were removed. The real thing would clean this machine's links and rules."""
    roots: list[Path] = []
    monkeypatch.setattr(stopping, "down", lambda places: roots.append(places.root))
    return roots


def cluster_of(home: Path) -> Places:
    places = Places(home / "state")
    places.make()
    return places


def test_what_another_home_left_is_removed(tmp_path: Path, removed: list[Path]) -> None:
    left, ours = cluster_of(tmp_path / "one"), cluster_of(tmp_path / "two")
    machine.take(left)
    machine.take(ours)
    machine.take(ours)
    assert removed == [left.root]


def test_a_cluster_that_other_tests_use_is_not_taken(
    tmp_path: Path, record: Path, removed: list[Path]
) -> None:
    machine.take(cluster_of(tmp_path / "one"))
    with record.open() as used:
        fcntl.flock(used, fcntl.LOCK_EX)
        with pytest.raises(ProcessTrouble, match="other tests use the cluster"):
            machine.take(cluster_of(tmp_path / "two"))
        with pytest.raises(ProcessTrouble, match="wait until they have ended"):
            machine.be_unused()
    assert removed == []
    machine.be_unused()


def test_who_uses_it_may_take_another_homes(tmp_path: Path, removed: list[Path]) -> None:
    left = cluster_of(tmp_path / "one")
    machine.take(left)
    machine.keep()
    machine.take(cluster_of(tmp_path / "two"))
    assert removed == [left.root]
