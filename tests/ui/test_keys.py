"""API keys in a real browser, and what a page costs."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.page_cost import require_cheap
from tests.support.visitor import Visitor

pytestmark = pytest.mark.ui


def test_a_key_is_shown_once_works_is_rotated_and_revoked(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/keys")
    visitor.picture("keys-empty")
    page.get_by_role("link", name="New key").first.click()
    expect(page.get_by_role("button", name="Make key")).to_be_visible()
    visitor.picture("keys-new")
    # By keyboard: the name has the focus; Enter sends the form.
    page.keyboard.type("nightly")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The key is made.")).to_be_visible()
    key = page.get_by_label("API key", exact=True).inner_text()
    visitor.picture("keys-made")
    assert_works(visitor, key, 200)
    visitor.open("/ui/keys")
    assert key not in page.content()
    expect(page.get_by_role("row", name=re.compile("nightly"))).to_contain_text("never")
    visitor.picture("keys")
    visitor.press("Rotate nightly")
    visitor.press("Rotate key")
    new_key = page.get_by_label("API key", exact=True).inner_text()
    assert_works(visitor, key, 401)
    assert_works(visitor, new_key, 200)
    page.get_by_role("link", name="Done").click()
    visitor.press("Revoke nightly")
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    visitor.picture("keys-revoke")
    visitor.press("Revoke key")
    expect(page.get_by_role("status")).to_contain_text("The key is revoked")
    expect(page.get_by_role("heading", name="No API keys yet")).to_be_visible()
    assert_works(visitor, new_key, 401)


def test_a_form_without_a_scope_says_so(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/keys/new")
    visitor.fill("Name", "nothing")
    page.get_by_role("checkbox", name=re.compile("^Predict")).uncheck()
    visitor.press("Make key")
    expect(page.locator("#scopes-error")).to_have_text("Choose at least one.")
    expect(page.get_by_label("Name")).to_have_value("nothing")


def test_a_page_is_small_and_soon_there(visitor: Visitor) -> None:
    visitor.sign_up()
    require_cheap(visitor, "/ui/keys")


def assert_works(visitor: Visitor, key: str, status: int) -> None:
    headers = {"X-API-Key": key}
    assert httpx.get(f"{visitor.url}/api/v1/auth/me", headers=headers, timeout=30).status_code == status
