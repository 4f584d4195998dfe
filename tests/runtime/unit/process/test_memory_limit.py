"""The address space is the memory limit, and what libraries of gigabytes map of their files comes on top."""

import mmap
import resource
import sys
from pathlib import Path

import pytest
from modelport_runtime.sandbox import enter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no limit is held")
GIB = 1 << 30


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What would have been set."""
    given: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: given.append(pair[0]))
    return given


def test_usual_libraries_are_within_it(limits: list[int]) -> None:
    enter.limit_memory(2 * GIB)
    assert limits == [2 * GIB]


def test_files_of_gigabytes_are_beside_it_and_memory_is_not(limits: list[int], tmp_path: Path) -> None:
    path = tmp_path / "library"
    with path.open("w+b") as file:
        file.truncate(3 * GIB)
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        with (
            mmap.mmap(file.fileno(), 3 * GIB, prot=mmap.PROT_READ),
            mmap.mmap(-1, GIB, flags=private),
        ):
            enter.limit_memory(2 * GIB)
    (limit,) = limits
    assert 4.5 * GIB <= limit < 5 * GIB
