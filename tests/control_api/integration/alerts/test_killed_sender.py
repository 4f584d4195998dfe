"""A real worker process that is killed while a receiver keeps it waiting: another one sends the message."""

import asyncio
import signal
from pathlib import Path

from modelport_control_api.alerts import events, signing
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.alerts.tables import DeliveryRow, WebhookRow
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from sqlalchemy import select, update

from tests.support.lone_worker import database_with_a_job, start_worker
from tests.support.waiting import until
from tests.support.webhook_receiver import receiving

SUBJECT = Subject("ann", "iris", "Iris")


def read(database: Database) -> DeliveryRow | None:
    with database.transaction(read_only=True) as session:
        return session.scalars(select(DeliveryRow)).one_or_none()


async def test_a_killed_worker_loses_no_message_and_doubles_none(tmp_path: Path) -> None:
    async with receiving("hang", 500, 200) as receiver:
        with database_with_a_job(tmp_path, input_format="csv", state="succeeded") as database:
            secret = signing.new_secret()
            with database.transaction() as session:
                session.add(WebhookRow(user_id="ann", url=receiver.url, events=["*"], secret=secret))
            with database.transaction() as session:
                events.record(session, SUBJECT, Fact("model.failed", "1", "v1 failed: no.", version="v1"))
            networks = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
            first = await start_worker(tmp_path, **networks)
            await until(lambda: receiver.received)
            first.send_signal(signal.SIGKILL)
            await first.wait()
            second = await start_worker(tmp_path, **networks)
            try:
                for tries, noted in ((2, ("waiting", 500)), (3, ("delivered", 200))):
                    # The claim of the dead, and then the pause after the 500, are over.
                    due = update(DeliveryRow).values(next_try_at=utc_now())
                    with database.transaction() as session:
                        session.execute(due)
                    await until(lambda tries=tries: len(receiver.received) == tries)  # type: ignore[misc]
                    await until(lambda noted=noted: what_is_noted(database) == noted)  # type: ignore[misc]
            finally:
                second.terminate()
                await asyncio.wait_for(second.wait(), 30)
            done = read(database)
    assert done is not None
    assert (done.state, done.attempts, done.last_status) == ("delivered", 3, 200)
    assert {message.id for message in receiver.received} == {done.id}
    assert all(message.is_signed_with(secret) for message in receiver.received)
    assert receiver.received[0].json["data"]["summary"] == "v1 failed: no."


def what_is_noted(database: Database) -> tuple[str, int | None] | None:
    found = read(database)
    return found and (found.state, found.last_status)
