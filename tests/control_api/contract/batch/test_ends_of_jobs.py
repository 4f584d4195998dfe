"""After a job's end, on both databases: its message gets there once it can, and its files go in time."""

from datetime import datetime, timedelta
from pathlib import Path

from modelport_control_api.alerts import signing
from modelport_control_api.alerts.delivery import DELAYS, Deliverer
from modelport_control_api.alerts.sending import NotTaken, Sender, Target
from modelport_control_api.alerts.tables import DeliveryRow
from modelport_control_api.batch import announcing, repository
from modelport_control_api.batch.render import job_response
from modelport_control_api.batch.schemas import WebhookAnswer
from modelport_control_api.batch.storage import expiry
from modelport_control_api.batch.storage.files import LocalBatchFiles
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.registry.tables import BatchChunk, BatchJob
from sqlalchemy import func, select

from tests.control_api.contract.batch.test_claims import KEEP, NOW, add_job, prepare


class Receiver(Sender):
    """Takes the message at the try of this number; `seen` are the ids that came."""

    takes_at = 1

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    async def send(self, target: Target, message_id: str, timestamp: int, body: bytes) -> int:
        self.seen.append(message_id)
        if len(self.seen) != self.takes_at:
            raise NotTaken("It answered with status 500.", 500)
        return 204


async def deliver_due(database: Database, receiver: Receiver, now: datetime) -> int:
    return await Deliverer(database, receiver, announcing.targets, lambda: now).deliver()


def end_job(database: Database) -> None:
    add_job(database, webhook_url="https://hooks.example.com/", webhook_secret=signing.new_secret())
    with database.transaction() as session:
        assert repository.fail_job(session, "job", "InputInvalid", "no rows", now=NOW, keep=KEEP)


def read_webhook(database: Database) -> WebhookAnswer:
    with database.transaction(read_only=True) as session:
        job = repository.find(session, "job")
        assert job is not None
        webhook = job_response(session, job, NOW).webhook
        assert webhook is not None
        return webhook


def read_delivery(database: Database) -> DeliveryRow:
    with database.transaction(read_only=True) as session:
        return session.scalars(select(DeliveryRow)).one()


async def test_a_message_is_tried_again_later_and_later_under_one_id(database: Database) -> None:
    end_job(database)
    receiver = Receiver()
    receiver.takes_at = 4
    now, waits = NOW, []
    while (delivery := read_delivery(database)).next_try_at is not None:
        waits.append(delivery.next_try_at - now)
        now = delivery.next_try_at
        assert await deliver_due(database, receiver, now) == 1
        assert await deliver_due(database, receiver, now) == 0
    assert (delivery.attempts, delivery.last_error) == (4, None)
    assert delivery.delivered_at == now
    webhook = read_webhook(database)
    assert (webhook.state, webhook.attempts, webhook.last_error) == ("delivered", 4, None)
    assert set(receiver.seen) == {delivery.id}
    assert waits == sorted(waits)


async def test_a_receiver_that_never_takes_it_is_given_up_after_about_a_day(database: Database) -> None:
    end_job(database)
    assert (read_webhook(database).state, read_webhook(database).attempts) == ("waiting", 0)
    receiver = Receiver()
    receiver.takes_at = 0
    now = NOW
    while (delivery := read_delivery(database)).next_try_at is not None:
        now = delivery.next_try_at
        await deliver_due(database, receiver, now)
    assert len(receiver.seen) == len(DELAYS) + 1 == 8
    assert timedelta(hours=16) < now - NOW < timedelta(hours=30)
    webhook = read_webhook(database)
    assert (webhook.state, webhook.attempts) == ("given_up", 8)
    assert webhook.last_error == "It answered with status 500."


async def test_what_a_killed_worker_was_about_to_send_is_sent_by_another(database: Database) -> None:
    class Killed(Exception):
        pass

    class Dying(Receiver):
        async def send(self, *_: object) -> int:
            raise Killed

    end_job(database)
    try:
        await deliver_due(database, Dying(), NOW)
    except Killed:
        assert await deliver_due(database, Receiver(), NOW) == 0
    assert await deliver_due(database, Receiver(), NOW + timedelta(minutes=2)) == 1
    assert read_delivery(database).delivered_at is not None


async def test_files_of_expired_jobs_and_of_no_job_go(database: Database, tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path)
    add_job(database)
    prepare(database, "job", 2)
    for name in ("job", "never-committed"):
        files.put_chunk(name, 0, b"chunk")
        await files.put_result(name, 0, b"result")
    with database.transaction() as session:
        repository.fail_job(session, "job", "InputInvalid", "", now=NOW, keep=KEEP)
    assert await expiry.expire_due(database, files, NOW + KEEP - timedelta(seconds=1)) == 0
    assert await expiry.sweep(database, files, utc_now()) == 0
    assert await expiry.expire_due(database, files, NOW + KEEP) == 1
    assert await expiry.expire_due(database, files, NOW + KEEP) == 0
    assert [stored.job_id async for stored in files.jobs()] == ["never-committed"]
    assert await expiry.sweep(database, files, utc_now() + timedelta(hours=2)) == 1
    assert [stored async for stored in files.jobs()] == []
    with database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(BatchChunk)) == 0
        job = repository.find(session, "job")
        assert job is not None
        assert job.files_removed_at == NOW + KEEP


async def test_a_job_goes_for_good_long_after_its_files(database: Database, tmp_path: Path) -> None:
    files, retention = LocalBatchFiles(tmp_path), timedelta(days=90)
    end_job(database)
    add_job(database, "unfinished", age=1_000_000)
    over = NOW + KEEP + retention
    # Its files are still there: whatever the time, they go first.
    assert await expiry.remove_old(database, over, retention) == 0
    assert await expiry.expire_due(database, files, NOW + KEEP) == 1
    assert await expiry.remove_old(database, over - timedelta(seconds=1), retention) == 0
    assert await expiry.remove_old(database, over, retention) == 1
    with database.transaction(read_only=True) as session:
        assert list(session.scalars(select(BatchJob.id))) == ["unfinished"]
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 0
