"""Coverage is measured where the product runs: not in tests that only ask processes of it."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_FOLDERS = {"crashes", "runtime"}
_FIXTURES = {"platform", "new_platform"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tracing makes a test that asks, trains and compares twice as long.

    `modelport up` measures itself (tests/support/platform_process.py); the CLI runs in the tests' own.
    """
    for item in items:
        if item.path.is_relative_to(_HERE) and _only_asks(item):
            item.add_marker("no_cover")


def _only_asks(item: pytest.Item) -> bool:
    folder = item.path.relative_to(_HERE).parts[0]
    asks_platform = not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    return folder in _FOLDERS or (asks_platform and folder != "client")
