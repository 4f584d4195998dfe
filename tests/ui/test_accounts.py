"""Registering, signing in and out, settings: in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.platform_process import PASSWORD, PlatformProcess
from tests.support.visitor import Visitor

pytestmark = pytest.mark.ui
NEW_PASSWORD = "An0ther-Sensible-One"


def test_registering_says_what_is_wrong_beside_the_field_and_then_leads_home(visitor: Visitor) -> None:
    page = visitor.open("/ui/register")
    visitor.picture("register")
    visitor.fill("E-mail address", "grace@example.com")
    visitor.fill("Password", "password1")
    visitor.press("Create account")
    password = page.get_by_label("Password", exact=True)
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#password-error")).to_contain_text("guessed first")
    expect(password).to_have_value("")
    expect(page.get_by_label("E-mail address")).to_have_value("grace@example.com")
    visitor.picture("register-refused")
    visitor.fill("Password", PASSWORD)
    visitor.press("Create account")
    expect(page).to_have_url(f"{visitor.url}/ui/")


def test_signing_in_by_keyboard_leads_to_the_requested_page(
    new_visitor: Callable[[], Visitor],
) -> None:
    email = new_visitor().sign_up().email
    visitor = new_visitor()
    page = visitor.open("/ui/settings/audit")
    expect(page).to_have_url(re.compile(r"/ui/login\?next=/ui/settings/audit$"))
    visitor.picture("sign-in")
    # The first field has the focus already.
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Wrong e-mail address or password")
    page.get_by_label("Password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visitor.url}/ui/settings/audit")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_label(re.compile("^Account")).click()
    visitor.press("Sign out")
    expect(page.get_by_role("status")).to_contain_text("You are signed out")
    visitor.open("/ui/settings")
    expect(page).to_have_url(re.compile("/ui/login"))


def test_a_new_password_ends_other_browsers_and_the_theme_stays(new_visitor: Callable[[], Visitor]) -> None:
    visitor, elsewhere = new_visitor().sign_up(), new_visitor()
    elsewhere.sign_in(visitor.email, PASSWORD)
    page = visitor.open("/ui/settings/sessions")
    expect(page.get_by_role("row", name="this one")).to_contain_text("Chrome on Linux")
    visitor.picture("settings-sessions")
    visitor.open("/ui/settings")
    visitor.fill("Name (optional)", "Grace Hopper")
    visitor.press("Save")
    expect(page.get_by_role("status")).to_contain_text("Your name is saved")
    visitor.fill("Current password", "wrong")
    visitor.fill("New password", NEW_PASSWORD)
    visitor.press("Change password")
    expect(page.locator("#current_password-error")).to_contain_text("is not the account's password")
    visitor.picture("settings")
    visitor.fill("Current password", PASSWORD)
    visitor.fill("New password", NEW_PASSWORD)
    visitor.press("Change password")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    page.get_by_label(re.compile("^Account")).click()
    page.get_by_role("button", name="Dark").click()
    visitor.open("/ui/settings/audit")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label(re.compile("^Account")).click()
    page.get_by_role("button", name="System").click()
    page.keyboard.press("Escape")
    visitor.picture("settings-audit")
    elsewhere.open("/ui/settings")
    expect(elsewhere.page).to_have_url(re.compile("/ui/login"))


def test_errors_are_pages_too(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/nothing")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    visitor.picture("error-404")
    visitor.open("/ui/admin")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
    visitor.picture("error-403")


def test_administrators_see_the_platform(visitor: Visitor, platform: PlatformProcess) -> None:
    admin = platform.admin_login()
    visitor.sign_in(admin["email"], admin["password"])
    pages = {"": "All components respond", "/users": admin["email"], "/models": "All models"}
    pages |= {"/limits": "MODELPORT_LIMIT_LOGIN", "/audit": "Signed in"}
    for path, text in pages.items():
        page = visitor.open(f"/ui/admin{path}")
        expect(page.get_by_role("main")).to_contain_text(text)
        visitor.picture(f"admin{path.replace('/', '-')}")


def test_an_administrator_makes_a_link_and_the_user_sets_a_password_by_it(
    new_visitor: Callable[[], Visitor], platform: PlatformProcess
) -> None:
    user = new_visitor().sign_up()
    admin = platform.admin_login()
    visitor = new_visitor().sign_in(admin["email"], admin["password"])
    page = visitor.open("/ui/admin/users")
    page.get_by_role("link", name=user.email).click()
    visitor.press("Make a link")
    link = page.get_by_label("link", exact=True).inner_text()
    visitor.picture("admin-user-link")
    stranded = new_visitor()
    set_page = stranded.page
    set_page.goto(link)
    expect(set_page.get_by_label("New password")).to_be_focused()
    expect(set_page.get_by_label("Link")).to_be_hidden()
    # No history keeps the secret.
    expect(set_page).to_have_url(f"{stranded.url}/ui/password")
    stranded.picture("password-link")
    stranded.fill("New password", "short")
    stranded.press("Set the password")
    expect(set_page.locator("#password-error")).to_contain_text("at least 8")
    stranded.fill("New password", NEW_PASSWORD)
    stranded.press("Set the password")
    expect(set_page).to_have_url(f"{stranded.url}/ui/login")
    stranded.fill("E-mail address", user.email)
    stranded.fill("Password", NEW_PASSWORD)
    stranded.press("Sign in")
    expect(set_page).to_have_url(f"{stranded.url}/ui/")
    user.open("/ui/settings")
    expect(user.page).to_have_url(re.compile("/ui/login"))


def test_a_leaver_is_disabled_and_deleted(
    new_visitor: Callable[[], Visitor], platform: PlatformProcess
) -> None:
    user = new_visitor().sign_up()
    admin = platform.admin_login()
    visitor = new_visitor().sign_in(admin["email"], admin["password"])
    page = visitor.open("/ui/admin/users")
    page.get_by_role("link", name=user.email).click()
    visitor.press("Disable the account")
    expect(page.locator("dl .badge", has_text="disabled")).to_be_visible()
    visitor.picture("admin-user-disabled")
    user.open("/ui/")
    user.fill("E-mail address", user.email)
    user.fill("Password", PASSWORD)
    user.press("Sign in")
    expect(user.page.get_by_role("alert")).to_contain_text("The account is disabled")
    visitor.press("Enable the account")
    expect(page.get_by_role("button", name="Disable the account")).to_be_visible()
    visitor.fill(f"Type “{user.email}” to delete it", "somebody@example.com")
    visitor.press("Delete the account")
    expect(page.locator("#confirm_email-error")).to_contain_text("letter by letter")
    visitor.picture("admin-user-delete-refused")
    visitor.fill(f"Type “{user.email}” to delete it", user.email)
    visitor.press("Delete the account")
    expect(page).to_have_url(re.compile("/ui/admin/users$"))
    expect(page.get_by_role("link", name=user.email)).to_have_count(0)


def test_an_owner_changes_the_address_and_deletes_the_account(visitor: Visitor) -> None:
    page = visitor.sign_up().open("/ui/settings")
    address = f"new-{visitor.email}"
    visitor.fill("New e-mail address", address)
    visitor.fill("Your password", "wrong")
    visitor.press("Change address")
    expect(page.locator("#address_password-error")).to_be_visible()
    visitor.fill("Your password", PASSWORD)
    visitor.press("Change address")
    # What stays: a message goes after seconds, which a busy machine takes to look.
    expect(page.locator("form p strong", has_text=address)).to_be_visible()
    visitor.fill("Password of the account", "wrong")
    visitor.press("Delete my account")
    expect(page.locator("#end_password-error")).to_be_visible()
    visitor.picture("settings-delete-refused")
    visitor.fill("Password of the account", PASSWORD)
    visitor.press("Delete my account")
    expect(page).to_have_url(re.compile("/ui/login"))


def test_an_administrator_gives_a_user_more_room_and_makes_an_invitation(
    new_visitor: Callable[[], Visitor], platform: PlatformProcess
) -> None:
    user = new_visitor().sign_up()
    expect(user.open("/ui/settings").get_by_role("main")).to_contain_text("0 of 200")
    expect(user.open("/ui/upload").get_by_role("main")).to_contain_text("You hold 0 of 200 models")
    admin = platform.admin_login()
    visitor = new_visitor().sign_in(admin["email"], admin["password"])
    page = visitor.open("/ui/admin/users")
    page.get_by_role("row", name=re.compile(user.email)).get_by_role(
        "link", name=re.compile("of 200")
    ).click()
    expect(page.get_by_label("Models (optional)", exact=True)).to_be_visible()
    visitor.picture("admin-user")
    visitor.fill_optional("Models", "-1")
    page.locator("form[data-busy]").evaluate("form => form.noValidate = true")
    visitor.press("Save")
    expect(page.locator("#max_models-error")).to_be_visible()
    visitor.fill_optional("Models", "3")
    visitor.fill_optional("Model files, in MB", "1.5")
    visitor.press("Save")
    expect(page.get_by_role("row", name=re.compile(user.email))).to_contain_text("0 B of 1.5 MB")
    expect(user.open("/ui/settings").get_by_role("main")).to_contain_text("0 of 3")
    user.picture("settings-storage")
    page = visitor.open("/ui/admin/invites")
    expect(page.get_by_role("main")).to_contain_text("open to everybody")
    visitor.fill_optional("For whom", "Grace")
    visitor.press("Make a link")
    expect(page.get_by_label("invitation", exact=True)).to_contain_text("/ui/register?invite=")
    visitor.picture("admin-invites")
    row = page.get_by_role("row", name=re.compile("Grace"))
    row.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("status")).to_contain_text("withdrawn")
