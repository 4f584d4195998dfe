"""Somebody at a browser: pages, what went wrong on them, pictures of them."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.support.platform_process import PASSWORD

_TALLEST = 8_000
"""Of a reference page of 50,000 pixels no picture comes within minutes."""
PICTURES = Path(__file__).parents[2] / "build" / "ui-screenshots"
# Half of what a page costs to check, and nobody looks at those of `make test`.
_KEEPS_PICTURES = bool(os.environ.get("MODELPORT_PICTURES"))
WIDE, NARROW = (1280, 900), (360, 740)
_AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}, "resultTypes": ["violations"]}
# Nothing but colors differs there.
_AXE_DARK = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
# For machines that do other things meanwhile.
_TIMEOUT_MILLISECONDS = 60_000
# A refused form is answered with 4xx, which Chromium reports as an error of the page.
_NO_FAULT = ("Failed to load resource: the server responded with a status of 4",)


class Site(Protocol):
    """What serves the pages."""

    url: str


@dataclass
class Visitor:
    """`page` is at nothing until `open`. What the console reports as an error is in `faults`."""

    site: Site
    context: BrowserContext
    page: Page
    email: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.site.url

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}")
        return self.page

    def sign_up(self) -> "Visitor":
        """Register as somebody new, without the form: most tests are of other pages."""
        self.email = f"{uuid4().hex[:12]}@example.com"
        return self._take_session("/ui/register", {"email": self.email, "password": PASSWORD})

    def sign_in(self, email: str, password: str) -> "Visitor":
        self.email = email
        return self._take_session("/ui/login", {"email": email, "password": password})

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def fill_optional(self, label: str, text: str) -> None:
        self.fill(f"{label} (optional)", text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def picture(self, name: str) -> None:
        """Fail if the page is not accessible in light and dark, or too wide for a phone.

        With MODELPORT_PICTURES (`make ui-test`) a picture of each is kept.

        After a link or a button that leads to another page, expect something of that page first:
        a click does not wait for it, and the picture would be of the page before.
        """
        self.page.wait_for_load_state()
        wrong = [*self._check(name, "light"), *self._check(name, "dark")]
        self._look(name, "narrow", NARROW)
        overflow = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        self._set("light", WIDE)
        assert not wrong, f"{name}: {wrong}"
        assert overflow <= 0, f"{name} is {overflow} px too wide at {NARROW[0]} px"

    def _take_session(self, path: str, form: dict[str, str]) -> "Visitor":
        headers = {"Origin": self.url, "User-Agent": str(self.page.evaluate("navigator.userAgent"))}
        answer = httpx.post(f"{self.url}{path}", data=form, headers=headers, timeout=60)
        assert answer.status_code == 303, answer.text
        host = urlsplit(self.url).hostname or ""
        cookies: Any = [
            {"name": name, "value": value, "domain": host, "path": "/"}
            for name, value in answer.cookies.items()
        ]
        self.context.add_cookies(cookies)
        return self

    def _check(self, name: str, theme: str) -> list[str]:
        self._look(name, theme, WIDE)
        options = _AXE_DARK if theme == "dark" else _AXE
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{theme}: {one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}" for one in found]

    def _look(self, name: str, look: str, size: tuple[int, int]) -> None:
        theme = "dark" if look == "dark" else "light"
        self._set(theme, size)
        if not _KEEPS_PICTURES:
            return
        # As high as its content: what sticks to the window would else end in the middle of the picture.
        # Twice, since a chart or a bar may get another height by that.
        for _ in range(2):
            height = int(self.page.evaluate("document.documentElement.scrollHeight"))
            self._set(theme, (size[0], min(max(size[1], height), _TALLEST)))
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}-{look}.png", animations="disabled")

    def _set(self, theme: Any, size: tuple[int, int]) -> None:
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": size[0], "height": size[1]})


def visit(browser: Browser, site: Site) -> Visitor:
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, locale="en-GB")
    context.set_default_timeout(_TIMEOUT_MILLISECONDS)
    expect.set_options(timeout=_TIMEOUT_MILLISECONDS)
    visitor = Visitor(site, context, context.new_page())

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_NO_FAULT):
            visitor.faults.append(f"{message.text} ({message.location.get('url')})")

    visitor.page.on("console", note)
    visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    return visitor
