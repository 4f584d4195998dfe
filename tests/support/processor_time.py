"""Notes with each test how much processor time it took, for `python -m tests.slowest`.

How long a test takes beside others, on few cores, says little about it.
"""

import resource
from collections.abc import Iterator
from typing import Any

import pytest

PROPERTY = "cpu_seconds"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_BEGAN] = _seconds()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        # The report of this phase is made behind it, and the last one is what JUnit's file is written from.
        item.user_properties.append((PROPERTY, round(_seconds() - item.stash[_BEGAN], 2)))


def _seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


_BEGAN: pytest.StashKey[Any] = pytest.StashKey()
