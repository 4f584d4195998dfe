"""From an event to a real receiver: signed, once for each webhook that wants it, and tried again."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from modelport_control_api.alerts import retention
from modelport_control_api.alerts.delivery import DELAYS, Deliverer
from modelport_control_api.alerts.sending import Sender
from modelport_control_api.alerts.tables import DeliveryRow, EventRow, WebhookRow
from modelport_control_api.batch import announcing
from modelport_control_api.db.base import utc_now
from modelport_control_api.process.app import ControlPlane
from sqlalchemy import func, select, update

from tests.control_api.contract.alerts.test_events import tell
from tests.control_api.contract.alerts.test_webhooks import add_model, make, send
from tests.support.control_api import Person, make_admin
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, receiving

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(control_plane: ControlPlane, clock: Clock) -> Deliverer:
    return make_worker(control_plane, clock)


def make_worker(plane: ControlPlane, now: Callable[[], datetime], seconds: float = 5) -> Deliverer:
    sender = Sender(LOOPBACK, total_seconds=seconds)
    return Deliverer(plane.context.database, sender, announcing.targets, now)


async def deliveries(person: Person, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    page = (await send(person, "GET", f"/{webhook['id']}/deliveries")).json()
    items: list[dict[str, Any]] = page["items"]
    return items


def types(receiver: Receiver) -> list[str]:
    return [message.json["type"] for message in receiver.received]


async def test_an_event_reaches_each_webhook_that_wants_it_signed(
    control_plane: ControlPlane, ada: Person, bob: Person, clock: Clock, worker: Deliverer
) -> None:
    add_model(control_plane, ada, "iris-1")
    async with receiving() as all_, receiving() as drift, receiving() as model, receiving() as others:
        made = await make(ada, url=all_.url)
        await make(ada, url=drift.url, events=["drift.*"])
        await make(ada, url=model.url, model_id="iris-1", events=["drift.started", "job.failed"])
        await make(bob, url=others.url)
        await make(ada, url=others.url, events=["rollout.*", "drift.ended"])
        off = await make(ada, url=others.url)
        await send(ada, "PATCH", f"/{off['id']}", enabled=False)
        clock.now = utc_now() + timedelta(seconds=1)
        tell(control_plane, ada, key="1")
        tell(control_plane, ada, type_="model.ready", model_id="iris-2")
        # The same fact again is no other message.
        tell(control_plane, ada, key="1")
        assert await worker.deliver() == 4
        assert await worker.deliver() == 0
    assert (sorted(types(all_)), types(drift), types(model), types(others)) == (
        ["drift.started", "model.ready"], ["drift.started"], ["drift.started"], []
    )  # fmt: skip
    message = next(each for each in all_.received if each.json["type"] == "drift.started")
    assert message.is_signed_with(made["secret"])
    assert not drift.received[0].is_signed_with(made["secret"])
    assert message.headers["content-type"] == "application/json"
    event = (await ada.api.get("/api/v1/events?model_id=iris-1", headers=ada.bearer)).json()["items"][0]
    assert message.json["data"] == event["data"]
    assert datetime.fromisoformat(message.json["timestamp"]) == datetime.fromisoformat(event["at"])
    shown = next(each for each in await deliveries(ada, made) if each["type"] == "drift.started")
    assert (shown["id"], shown["event_id"], shown["state"]) == (message.id, event["id"], "delivered")
    assert (shown["attempts"], shown["last_status"], shown["next_try_at"]) == (1, 204, None)


async def test_a_webhook_is_told_nothing_of_before_it_was_made(
    control_plane: ControlPlane, ada: Person, worker: Deliverer
) -> None:
    tell(control_plane, ada)
    async with receiving() as receiver:
        await make(ada, url=receiver.url)
        assert await worker.deliver() == 0


async def test_500_and_then_200_are_two_tries_of_one_message(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    async with receiving(500, 200) as receiver:
        made = await make(ada, url=receiver.url)
        tell(control_plane, ada)
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1
        (waiting,) = await deliveries(ada, made)
        assert (waiting["state"], waiting["attempts"], waiting["last_status"]) == ("waiting", 1, 500)
        assert waiting["last_error"] == "It answered with status 500."
        due = datetime.fromisoformat(waiting["next_try_at"])
        assert timedelta(seconds=8) <= due - clock.now <= timedelta(seconds=12)
        clock.now = due - timedelta(milliseconds=1)
        assert await worker.deliver() == 0
        clock.now = due
        assert await worker.deliver() == 1
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert second.is_signed_with(made["secret"])
    assert int(second.headers["webhook-timestamp"]) == int(clock.now.timestamp())
    (done,) = await deliveries(ada, made)
    assert (done["state"], done["attempts"], done["last_status"], done["last_error"]) == (
        "delivered", 2, 200, None
    )  # fmt: skip


async def test_a_receiver_that_hangs_holds_up_nobody_else(
    control_plane: ControlPlane, ada: Person, bob: Person, clock: Clock
) -> None:
    worker = make_worker(control_plane, clock, seconds=2)
    async with receiving("hang") as stuck, receiving() as well:
        hung = await make(ada, url=stuck.url)
        await make(bob, url=well.url)
        for number in range(60):
            tell(control_plane, ada, key=str(number))
        clock.pass_by(seconds=1)
        delivering = asyncio.create_task(worker.deliver())
        await until(lambda: stuck.received)
        # Of another user, while the first waits with 59 more behind it.
        tell(control_plane, bob, model_id="bobs")
        clock.pass_by(seconds=1)
        await until(lambda: well.received)
        assert len(stuck.received) == 1
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
    waiting = await deliveries(ada, hung)
    assert {each["state"] for each in waiting} == {"waiting"}


async def test_a_receiver_that_hangs_is_left_and_tried_again(
    control_plane: ControlPlane, ada: Person, clock: Clock
) -> None:
    worker = make_worker(control_plane, clock, seconds=0.5)
    async with receiving("hang", 204) as receiver:
        made = await make(ada, url=receiver.url)
        tell(control_plane, ada)
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1
        (waiting,) = await deliveries(ada, made)
        assert (waiting["state"], waiting["last_status"]) == ("waiting", None)
        assert waiting["last_error"] == "No response within 0.5 seconds."
        clock.pass_by(seconds=13)
        assert await worker.deliver() == 1
    assert (await deliveries(ada, made))[0]["state"] == "delivered"


async def test_a_receiver_that_is_never_there_is_given_up_after_eight_tries(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    async with receiving() as gone:
        made = await make(ada, url=gone.url)
    tell(control_plane, ada)
    clock.pass_by(seconds=1)
    tries = 0
    while (message := (await message_of(ada, made, worker)))["state"] == "waiting":
        tries += 1
        clock.now = datetime.fromisoformat(message["next_try_at"])
    assert (message["state"], message["attempts"]) == ("given_up", len(DELAYS) + 1)
    assert message["last_error"].startswith("It cannot be reached")
    assert tries == len(DELAYS)


async def message_of(person: Person, webhook: dict[str, Any], worker: Deliverer) -> dict[str, Any]:
    await worker.deliver()
    return (await deliveries(person, webhook))[0]


async def test_what_a_killed_worker_was_sending_is_sent_by_another_under_the_same_id(
    control_plane: ControlPlane, ada: Person, clock: Clock
) -> None:
    async with receiving("hang", 204) as receiver:
        made = await make(ada, url=receiver.url)
        tell(control_plane, ada)
        clock.pass_by(seconds=1)
        first = asyncio.create_task(make_worker(control_plane, clock).deliver())
        await until(lambda: receiver.received)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = make_worker(control_plane, clock)
        assert await second.deliver() == 0
        clock.pass_by(seconds=61)
        assert await second.deliver() == 1
    assert len({message.id for message in receiver.received}) == 1
    (done,) = await deliveries(ada, made)
    assert (done["state"], done["attempts"]) == ("delivered", 2)


async def test_two_workers_send_each_message_once(control_plane: ControlPlane, ada: Person) -> None:
    async with receiving() as receiver:
        await make(ada, url=receiver.url)
        for number in range(40):
            tell(control_plane, ada, key=str(number))
        workers = [make_worker(control_plane, utc_now) for _ in range(3)]
        tried = await asyncio.gather(*(worker.deliver() for worker in workers))
        # What another one has at hand is not waited for.
        assert sum(tried) + await workers[0].deliver() == 40
    assert len({message.id for message in receiver.received}) == len(receiver.received) == 40


async def test_410_turns_a_webhook_off(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    async with receiving(410, 204) as receiver:
        made = await make(ada, url=receiver.url)
        tell(control_plane, ada, key="1")
        clock.pass_by(seconds=1)
        await worker.deliver()
        assert (await send(ada, "GET", f"/{made['id']}")).json()["enabled"] is False
        assert (await deliveries(ada, made))[0]["state"] == "given_up"
        tell(control_plane, ada, key="2")
        assert await worker.deliver() == 0
        await send(ada, "PATCH", f"/{made['id']}", enabled=True)
        tell(control_plane, ada, key="3")
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1
    assert len(receiver.received) == 2


async def test_for_a_day_both_secrets_sign(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    async with receiving() as receiver:
        made = await make(ada, url=receiver.url)
        rotated = (await send(ada, "POST", f"/{made['id']}/rotate")).json()
        for hours in (1, 24):
            tell(control_plane, ada, key=str(hours))
            clock.pass_by(hours=hours)
            await worker.deliver()
    soon, late = receiver.received
    assert soon.is_signed_with(made["secret"])
    assert soon.is_signed_with(rotated["secret"])
    assert late.is_signed_with(rotated["secret"])
    assert not late.is_signed_with(made["secret"])


async def test_a_test_comes_as_any_message(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    async with receiving() as receiver:
        made = await make(ada, url=receiver.url, events=["rollout.promoted"])
        await send(ada, "POST", f"/{made['id']}/test")
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1
    (message,) = receiver.received
    assert message.is_signed_with(made["secret"])
    assert (message.json["type"], message.json["data"]["webhook_id"]) == ("webhook.test", made["id"])
    assert (await ada.api.get("/api/v1/events", headers=ada.bearer)).json()["items"] == []


async def test_nothing_is_sent_to_what_is_not_public(
    control_plane: ControlPlane, ada: Person, clock: Clock
) -> None:
    worker = Deliverer(control_plane.context.database, Sender(), announcing.targets, clock)
    async with receiving() as neighbor:
        made = await make(ada, url=neighbor.url)
        await send(ada, "POST", f"/{made['id']}/test")
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1
    assert neighbor.received == []
    (message,) = await deliveries(ada, made)
    assert "none of the public internet" in message["last_error"]


async def test_while_an_account_is_disabled_nothing_is_sent_for_it(
    control_plane: ControlPlane, ada: Person, bob: Person, clock: Clock, worker: Deliverer
) -> None:
    make_admin(control_plane, bob)
    async with receiving() as receiver:
        await make(ada, url=receiver.url)
        tell(control_plane, ada, key="1")
        user = f"/api/v1/admin/users/{ada.id}"
        assert (await ada.api.patch(user, headers=bob.bearer, json={"disabled": True})).status_code == 200
        clock.pass_by(seconds=1)
        tell(control_plane, ada, key="2")
        assert await worker.deliver() == 0
        assert (await ada.api.patch(user, headers=bob.bearer, json={"disabled": False})).status_code == 200
        tell(control_plane, ada, key="3")
        clock.pass_by(seconds=1)
        assert await worker.deliver() == 1


async def test_a_webhook_of_a_model_that_changes_hands_goes(
    control_plane: ControlPlane, ada: Person, bob: Person
) -> None:
    add_model(control_plane, ada, "iris")
    make_admin(control_plane, bob)
    everything = await make(ada)
    await make(ada, model_id="iris")
    moved = await ada.api.post(
        f"/api/v1/admin/users/{ada.id}/transfer", headers=bob.bearer, json={"to": bob.email}
    )
    assert moved.json() == {"models": ["iris"]}
    assert [each["id"] for each in (await send(ada, "GET", "")).json()["items"]] == [everything["id"]]


async def test_what_is_old_goes_and_a_deleted_account_leaves_nothing(
    control_plane: ControlPlane, ada: Person, clock: Clock, worker: Deliverer
) -> None:
    database, month = control_plane.context.database, timedelta(days=30)
    async with receiving() as receiver:
        made = await make(ada, url=receiver.url)
        for number in range(3):
            tell(control_plane, ada, key=str(number))
        await send(ada, "POST", f"/{made['id']}/test")
        clock.pass_by(seconds=1)
        await worker.deliver()
    old = datetime.now(UTC) - timedelta(days=31)
    with database.transaction() as session:
        session.execute(update(EventRow).where(EventRow.key == "0").values(created_at=old))
        session.execute(update(DeliveryRow).where(DeliveryRow.event_id.is_(None)).values(created_at=old))
    assert retention.remove_old(database, utc_now(), month) == 2
    assert retention.remove_old(database, utc_now(), month) == 0
    # The event took its message along.
    assert len(await deliveries(ada, made)) == 2
    body = {"current_password": "SecureP@ss123"}
    assert (await ada.api.post("/api/v1/auth/me/delete", headers=ada.bearer, json=body)).status_code == 204
    with database.transaction(read_only=True) as session:
        left = [
            session.scalar(select(func.count()).select_from(t)) for t in (EventRow, WebhookRow, DeliveryRow)
        ]
    assert left == [0, 0, 0]


async def test_no_secret_is_logged(
    control_plane: ControlPlane,
    ada: Person,
    clock: Clock,
    worker: Deliverer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving(410) as receiver:
        made = await make(ada, url=receiver.url)
        await send(ada, "POST", f"/{made['id']}/test")
        clock.pass_by(seconds=1)
        await worker.deliver()
    written = caplog.text + "".join(capfd.readouterr())
    assert "webhook_abandoned" in written
    assert made["secret"] not in written
    assert made["secret"].removeprefix("whsec_") not in written
