"""What the kind of a test says about it: when it runs, in which worker, and whether its process is traced."""

from typing import Any

import pytest

from tests.parts import TESTS

# What takes long begins first, so that no worker is left alone with it at the end.
_ORDER = ("contract", "integration", "ui", "unit", "e2e")
_CALLING_FOLDERS = [TESTS / name for name in ("runtime/integration", "standalone/integration/crashes")]
_CALLING_FIXTURES = {"platform", "new_platform"}


_OF_THE_SHARED_PLATFORM = (
    *(f"tests/ui/test_{name}.py" for name in ("accounts", "client", "first_model", "keys", "models")),
    "tests/client/integration/",
    "tests/control_api/integration/api/",
    "tests/docs/integration/test_readme.py",
    "tests/gateway/integration/protocol/test_clients.py",
    "tests/standalone/integration/frameworks/",
    "tests/standalone/integration/platform/",
    "tests/standalone/integration/test_",
)
"""In one worker: another one would start a platform too, which takes minutes of processor time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the kinds, and trace no test of processes that only calls them: it would take twice as long.

    The shared platform measures itself (tests/support/platform_fixtures.py); the CLI runs in the tests' own.
    """
    items.sort(key=lambda item: (not _is_in_the_platforms_worker(item.nodeid), _ORDER.index(_kind(item))))
    for item in items:
        if _kind(item) == "integration" and _only_calls(item):
            item.add_marker("no_cover")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that would start the shared platform in a second worker."""
    # Unit and contract tests have platforms of their own, of fakes.
    shares = _kind(item) in ("integration", "ui") and "platform" in getattr(item, "fixturenames", ())
    if shares and not _is_in_the_platforms_worker(item.nodeid):
        pytest.fail(f"It uses the shared platform: add its folder to {__name__}._OF_THE_SHARED_PLATFORM.")


# Without xdist there is no such hook.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send a file's tests to one worker, for they share servers; those of the shared platform likewise.

    Not by xdist's groups: it writes them where pytest 9 does not look (xdist 3.8).
    """
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FilesAndThePlatform(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "platform" if _is_in_the_platforms_worker(nodeid) else super()._split_scope(nodeid)

    return FilesAndThePlatform(config, log)


def _is_in_the_platforms_worker(nodeid: str) -> bool:
    return nodeid.startswith(_OF_THE_SHARED_PLATFORM)


def _kind(item: pytest.Item) -> str:
    """`tests/gateway/unit/test_parts.py` is `unit`, and `tests/ui/test_keys.py` is `ui`."""
    folders = item.path.relative_to(TESTS).parts[:2]
    return next(name for name in folders if name in _ORDER)


def _only_calls(item: pytest.Item) -> bool:
    calls_platform = not _CALLING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    in_process = item.path.is_relative_to(TESTS / "client")
    return any(map(item.path.is_relative_to, _CALLING_FOLDERS)) or (calls_platform and not in_process)
