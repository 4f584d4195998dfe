"""The messages that are due: claimed, sent, and tried again later if need be. Killable at any point.

A claim is a time in the future: what a dead process was about to send is due again then. So a message may
come twice, always under the same id.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.batch.webhooks.sending import NotTaken, Sender
from modelport_control_api.db.session import Database
from modelport_control_api.registry.tables import BatchJob, WebhookDelivery

log = structlog.get_logger(__name__)

# After the first try: eight in all, the last one about a day after the job's end.
DELAYS = tuple(map(timedelta, [0] * 7, [10, 60, 300, 1800, 7200, 21_600, 54_000]))
_CLAIMED_FOR = timedelta(seconds=60)
_AT_ONCE = 20
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    url: str
    secret: str
    body: bytes


async def deliver_due(database: Database, sender: Sender, now: datetime) -> int:
    """Send what is due at `now`, some at a time; give how many messages were tried."""
    messages = await asyncio.to_thread(_claim_if_due, database, now)
    await asyncio.gather(*(_deliver(database, sender, message, now) for message in messages))
    return len(messages)


async def _deliver(database: Database, sender: Sender, message: _Message, now: datetime) -> None:
    try:
        await sender.send(message.url, message.secret, message.id, int(now.timestamp()), message.body)
    except NotTaken as error:
        await asyncio.to_thread(_put_off, database, message.id, error, now)
        return
    await asyncio.to_thread(_note_delivered, database, message.id, now)


def _claim_if_due(database: Database, now: datetime) -> list[_Message]:
    due = select(WebhookDelivery.id).where(WebhookDelivery.next_try_at <= now).limit(1)
    # Looked at every second: only what is found is worth SQLite's one lock for writers.
    with database.transaction(read_only=True) as session:
        if session.scalar(due) is None:
            return []
    return _claim(database, now)


def _claim(database: Database, now: datetime) -> list[_Message]:
    due = (
        select(WebhookDelivery, BatchJob)
        .join(BatchJob, BatchJob.id == WebhookDelivery.job_id)
        .where(WebhookDelivery.next_try_at <= now)
        .order_by(WebhookDelivery.next_try_at)
        .limit(_AT_ONCE)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    )
    with database.transaction() as session:
        found = session.execute(due).all()
        for delivery, _ in found:
            delivery.attempts += 1
            delivery.next_try_at = now + _CLAIMED_FOR
        return [
            _Message(delivery.id, job.webhook_url or "", job.webhook_secret or "", delivery.body.encode())
            for delivery, job in found
        ]


def _note_delivered(database: Database, message_id: str, now: datetime) -> None:
    with database.transaction() as session:
        if delivery := _find(session, message_id):
            delivery.delivered_at, delivery.next_try_at, delivery.last_error = now, None, None


def _put_off(database: Database, message_id: str, error: NotTaken, now: datetime) -> None:
    with database.transaction() as session:
        delivery = _find(session, message_id)
        # Removed with its job meanwhile, or delivered by who took the claim for dead.
        if delivery is None or delivery.delivered_at is not None:
            return
        delivery.last_error = str(error)
        delivery.next_try_at = None if error.for_good else next_try(delivery.attempts, now)
        if delivery.next_try_at is None:
            log.warning("webhook_abandoned", job=delivery.job_id, error=str(error))


def _find(session: Session, message_id: str) -> WebhookDelivery | None:
    return session.get(WebhookDelivery, message_id, with_for_update=True)


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try again after so many tries; None: not any more."""
    if attempts > len(DELAYS):
        return None
    # Jitter: the jobs that ended together must not knock together for a day.
    return now + DELAYS[attempts - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
