"""What the kind of a test says about it: when it runs, and whether coverage is measured in its process."""

import pytest

from tests.parts import TESTS

# What takes long begins first, so that no worker is left alone with it at the end.
_ORDER = ("contract", "integration", "ui", "unit", "e2e")
_CALLING_FOLDERS = [TESTS / name for name in ("runtime/integration", "standalone/integration/crashes")]
_CALLING_FIXTURES = {"platform", "new_platform"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the kinds, and trace no test of processes that only calls them: it would take twice as long.

    The shared platform measures itself (tests/support/platform_fixtures.py); the CLI runs in the tests' own.
    """
    items.sort(key=lambda item: _ORDER.index(_kind(item)))
    for item in items:
        if _kind(item) == "integration" and _only_calls(item):
            item.add_marker("no_cover")


def _kind(item: pytest.Item) -> str:
    """`tests/gateway/unit/test_parts.py` is `unit`, and `tests/ui/test_keys.py` is `ui`."""
    folders = item.path.relative_to(TESTS).parts[:2]
    return next(name for name in folders if name in _ORDER)


def _only_calls(item: pytest.Item) -> bool:
    calls_platform = not _CALLING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    in_process = item.path.is_relative_to(TESTS / "client")
    return any(map(item.path.is_relative_to, _CALLING_FOLDERS)) or (calls_platform and not in_process)
