"""A headless Chromium and users who visit the web UI with it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.platform_process import PlatformProcess
    from tests.support.visitor import Visitor


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Browser"]:
    # Here and not above: most tests need no browser, and the import takes a while.
    from playwright.sync_api import sync_playwright

    from tests.support import chromium as installed
    from tests.support.without_netlink import launcher

    path = launcher(installed.find(), tmp_path_factory.mktemp("chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(installed.FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(chromium: "Browser", platform: "PlatformProcess") -> Iterator[Callable[[], "Visitor"]]:
    """Make visitors, each with a browser profile of its own. What their consoles report fails the test."""
    from tests.support.visitor import visit

    made: list[Visitor] = []

    def make() -> "Visitor":
        made.append(visit(chromium, platform))
        return made[-1]

    yield make
    faults = [fault for visitor in made for fault in visitor.faults]
    for visitor in made:
        visitor.context.close()
    assert not faults


@pytest.fixture
def visitor(new_visitor: Callable[[], "Visitor"]) -> "Visitor":
    """Nobody yet: `sign_up()` makes an account."""
    return new_visitor()
