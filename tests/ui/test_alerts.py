"""The bell and webhooks in a real browser: counted, read, made, tested, rotated, deleted; hostile words."""

import asyncio
from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.alerts import events
from modelport_control_api.alerts.delivery import Deliverer
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.alerts.sending import Sender
from modelport_control_api.alerts.types import EVENT_TYPES
from modelport_control_api.batch import announcing
from playwright.sync_api import expect

from tests.support.staged_platform import StagedPlatform
from tests.support.visitor import Visitor, visit
from tests.support.webhook_receiver import Receiver, receiving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.ui
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def visitor(chromium: "Browser", stage: StagedPlatform) -> Iterator[Visitor]:
    made = visit(chromium, stage)
    yield made.sign_up()
    made.context.close()
    assert not made.faults


def tell_all(stage: StagedPlatform, visitor: Visitor) -> None:
    """One event of each type."""
    with stage.platform.plane.context.database.transaction() as session:
        user = session.query(User).filter_by(email=visitor.email).one().id
        for type_ in EVENT_TYPES:
            fact = Fact(type_, "1", f"A sentence about {type_} {HOSTILE}", version="v2")
            events.record(session, Subject(user, f"iris-{user[:5]}", HOSTILE), fact)


def deliver(stage: StagedPlatform) -> None:
    """Play the worker."""
    database = stage.platform.plane.context.database
    stage.run(Deliverer(database, Sender(LOOPBACK), announcing.targets).deliver())


def test_the_bell_counts_and_what_is_read_no_longer(stage: StagedPlatform, visitor: Visitor) -> None:
    page = visitor.open("/ui/alerts")
    expect(page.get_by_role("heading", name="Nothing happened yet")).to_be_visible()
    visitor.picture("alerts-empty")
    tell_all(stage, visitor)
    visitor.open("/ui/")
    page.get_by_role("link", name=f"Alerts {len(EVENT_TYPES)} unread alerts").click()
    expect(page.get_by_role("row", name="Rolled back")).to_contain_text(
        "A sentence about rollout.rolled_back"
    )
    visitor.picture("alerts")
    visitor.press(f"Mark as read: Rolled back, {HOSTILE}")
    expect(page.get_by_role("link", name="Unread (14)")).to_be_visible()
    page.get_by_role("link", name="Unread (14)").click()
    expect(page.get_by_role("row", name="Promoted")).to_be_visible()
    expect(page.get_by_role("row", name="Rolled back")).to_have_count(0)
    visitor.press("Mark all as read")
    expect(page.get_by_role("link", name="Unread (0)")).to_be_visible()
    expect(page.locator("#unread")).to_be_empty()
    assert page.title().startswith("Alerts")


def test_a_webhook_from_its_form_to_its_end(stage: StagedPlatform, visitor: Visitor) -> None:
    page = visitor.open("/ui/alerts/webhooks")
    visitor.picture("webhooks-empty")
    page.get_by_role("link", name="New webhook").first.click()
    visitor.fill("Address", "http://example.com:22/")
    visitor.press("Make webhook")
    expect(page.locator("#url-error")).to_contain_text("Port 22 cannot be used")
    visitor.picture("webhooks-new")
    receiver = stage.run(start_receiver(500, 204))
    visitor.fill("Address", receiver.url)
    visitor.fill_optional("Description", HOSTILE)
    visitor.press("Make webhook")
    secret = page.get_by_label("webhook secret", exact=True).inner_text()
    assert secret.startswith("whsec_")
    visitor.picture("webhooks-made")
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Nothing was sent yet")).to_be_visible()
    assert secret not in page.content()
    visitor.press("Send a test")
    expect(page.get_by_role("row", name="Test")).to_contain_text("waiting")
    deliver(stage)
    # It shows by itself.
    expect(page.get_by_role("row", name="Test")).to_contain_text("It answered with status 500.")
    visitor.press("Send a test")
    deliver(stage)
    expect(page.get_by_role("row").filter(has_text="delivered")).to_contain_text("204")
    assert receiver.received[1].is_signed_with(secret)
    visitor.picture("webhook")
    visitor.press("Rotate secret")
    page.get_by_role("dialog").get_by_role("button", name="Rotate secret").click()
    expect(page.get_by_text("signed with the former secret too")).to_be_visible()
    assert page.get_by_label("webhook secret", exact=True).inner_text() != secret
    page.get_by_role("link", name="Done").click()
    visitor.press("Turn off")
    expect(page.get_by_role("button", name="Turn on")).to_be_visible()
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    visitor.open("/ui/alerts/webhooks")
    expect(page.get_by_role("row", name=receiver.url)).to_contain_text("off")
    visitor.picture("webhooks")
    page.get_by_role("link", name=receiver.url).click()
    visitor.press("Delete")
    visitor.press("Delete webhook")
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()


async def start_receiver(*replies: int) -> Receiver:
    """It goes on until the platform's loop ends."""
    started: asyncio.Future[Receiver] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with receiving(*replies) as receiver:
            started.set_result(receiver)
            await asyncio.Event().wait()

    _RECEIVERS.add(asyncio.ensure_future(serve()))
    return await started


_RECEIVERS: set[asyncio.Future[None]] = set()
