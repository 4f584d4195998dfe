"""/help in a real browser: the policy that it is served with refuses nothing that its pages need."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from modelport_control_api.http import documentation
from modelport_control_api.migrations import upgrade as migrate
from playwright.sync_api import expect

from tests.support.built_help import build_help
from tests.support.staged_platform import StagedPlatform, staged_platform
from tests.support.visitor import Visitor, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedPlatform]:
    folder = tmp_path_factory.mktemp("stage")
    database = f"sqlite:///{folder / 'control-api.db'}"
    migrate.upgrade(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documentation, "SITE", build_help(folder / "site"))
        with staged_platform(folder, database) as stage:
            yield stage


@pytest.fixture
def visitor(chromium: "Browser", stage: StagedPlatform) -> Iterator[Visitor]:
    made = visit(chromium, stage)
    yield made
    made.context.close()
    assert not made.faults


def test_search_finds_a_reason_by_its_words_and_leads_to_it(visitor: Visitor) -> None:
    page = visitor.open("/help/")
    visitor.picture("help-home")
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("library mismatch")
    page.locator(".md-search-result__link", has_text="LibraryMismatch").first.click()
    expect(page).to_have_url(f"{visitor.url}/help/reasons/?h=library+mismatch#LibraryMismatch")
    expect(page.locator("#LibraryMismatch")).to_be_in_viewport()
    visitor.picture("help-reasons")


def test_the_theme_is_kept_and_what_is_not_there_is_a_page(visitor: Visitor) -> None:
    page = visitor.open("/help/python/")
    # That 15,000 elements are accessible takes a minute to say: one class and one method have each kind.
    for kind in (".doc-class", ".doc-function"):
        page.evaluate(f"document.querySelectorAll('{kind} ~ {kind}').forEach(each => each.remove())")
    visitor.picture("help-python")
    page.get_by_title("Switch to light").click()
    page.get_by_title("Switch to dark").click()
    page = visitor.open("/help/nothing/here/")
    expect(page.get_by_role("heading", name="404 - Not found")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.get_by_role("link", name="Reference").first.click()
    expect(page).to_have_url(f"{visitor.url}/help/api/")


def test_somebody_signed_in_finds_it_in_the_menu(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/")
    page.get_by_text(visitor.email).first.click()
    visitor.picture("menu-help")
    page.get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", name="Modelport", level=1)).to_be_visible()
