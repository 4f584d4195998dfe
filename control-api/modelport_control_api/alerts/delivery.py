"""The messages that are due: claimed, sent, and tried again later if need be. Killable at any point.

A claim is a time in the future: what a dead process was about to send is due again then. So a message may
come twice, always under the same id. One receiver gets one message at a time: one that hangs holds up nobody
else, whatever waits for it.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from modelport_control_api.alerts import messages, webhooks
from modelport_control_api.alerts.sending import NotTaken, Sender, Target
from modelport_control_api.alerts.tables import DeliveryRow, WebhookRow
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database

log = structlog.get_logger(__name__)

# After the first try: eight in all, the last one about a day after the fact.
DELAYS = tuple(map(timedelta, [0] * 7, [10, 60, 300, 1800, 7200, 21_600, 54_000]))
_CLAIMED_FOR = timedelta(seconds=60)
_AT_ONCE = 50
_LOOK_SECONDS = 1.0
_JITTER = 0.2

JobTargets = Callable[[Session, Collection[str]], Mapping[str, Target]]
"""From jobs' ids to where the messages about their ends go."""


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    receiver: str
    """The webhook's id, or the job's."""
    target: Target
    body: bytes


class Deliverer:
    """Any number of processes may do it at once."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        job_targets: JobTargets,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._sender = sender
        self._job_targets = job_targets
        self._now = now

    async def deliver(self) -> int:
        """Send until nothing is due; give how many messages were tried."""
        sending: dict[asyncio.Task[None], str] = {}
        tried = 0
        try:
            while True:
                for message in await asyncio.to_thread(self._claim, set(sending.values())):
                    sending[asyncio.create_task(self._deliver(message))] = message.receiver
                    tried += 1
                if not sending:
                    return tried
                # What comes meanwhile does not wait for the slowest.
                done, _ = await asyncio.wait(
                    sending, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del sending[task]
                    task.result()
        finally:
            for task in sending:
                task.cancel()

    async def _deliver(self, message: _Message) -> None:
        sent_at = self._now()
        try:
            status = await self._sender.send(
                message.target, message.id, int(sent_at.timestamp()), message.body
            )
        except NotTaken as error:
            await asyncio.to_thread(self._put_off, message, error)
            return
        await asyncio.to_thread(self._note_delivered, message, status)

    def _claim(self, busy: Collection[str]) -> list[_Message]:
        """`busy`: receivers that are being sent something."""
        now = self._now()
        messages.make_pending(self._database, now)
        # Looked at every second: only what is found is worth SQLite's one lock for writers.
        with self._database.transaction(read_only=True) as session:
            ids = session.scalars(_due(now, busy, _AT_ONCE - len(busy))).all()
        return self._take(ids, now) if ids else []

    def _take(self, ids: Collection[str], now: datetime) -> list[_Message]:
        """What another process has not taken meanwhile."""
        still_due = select(DeliveryRow).where(DeliveryRow.id.in_(ids), DeliveryRow.next_try_at <= now)
        with self._database.transaction() as session:
            found = session.scalars(still_due.with_for_update(skip_locked=True)).all()
            for delivery in found:
                delivery.attempts += 1
                delivery.next_try_at = now + _CLAIMED_FOR
            targets = self._targets(session, found)
            return [
                _Message(each.id, receiver, targets[receiver], each.body.encode())
                for each in found
                if (receiver := each.webhook_id or each.job_id) in targets and receiver
            ]

    def _targets(self, session: Session, found: Collection[DeliveryRow]) -> dict[str, Target]:
        of_webhooks = [each.webhook_id for each in found if each.webhook_id]
        of_jobs = [each.job_id for each in found if each.job_id]
        return {
            **webhooks.targets(session, of_webhooks, self._now()),
            **self._job_targets(session, of_jobs),
        }

    def _note_delivered(self, message: _Message, status: int) -> None:
        with self._database.transaction() as session:
            if delivery := _find(session, message.id):
                delivery.delivered_at, delivery.next_try_at = self._now(), None
                delivery.last_status, delivery.last_error = status, None

    def _put_off(self, message: _Message, error: NotTaken) -> None:
        with self._database.transaction() as session:
            delivery = _find(session, message.id)
            # Removed with what it is about meanwhile, or delivered by who took the claim for dead.
            if delivery is None or delivery.delivered_at is not None:
                return
            delivery.last_status, delivery.last_error = error.status, str(error)
            delivery.next_try_at = None if error.for_good else next_try(delivery.attempts, self._now())
            if delivery.next_try_at is None:
                log.warning("webhook_abandoned", receiver=message.receiver, error=str(error))
        if error.for_good:
            # Not before: a webhook that is being deleted waits for its messages.
            webhooks.turn_off(self._database, message.receiver)


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try again after so many tries; None: not any more."""
    if attempts > len(DELAYS):
        return None
    # Jitter: the jobs that ended together must not knock together for a day.
    return now + DELAYS[attempts - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311


def _due(now: datetime, busy: Collection[str], most: int) -> Select[str]:
    """Ids of messages: the one of each receiver that has been due for longest."""
    receiver: ColumnElement[str] = func.coalesce(DeliveryRow.webhook_id, DeliveryRow.job_id)
    on = select(WebhookRow.id).where(WebhookRow.enabled, ~WebhookRow.suspended)
    place = func.row_number().over(partition_by=receiver, order_by=(DeliveryRow.next_try_at, DeliveryRow.id))
    due = (
        select(DeliveryRow.id, DeliveryRow.next_try_at, place.label("place"))
        .where(DeliveryRow.next_try_at <= now, receiver.not_in(busy))
        .where(or_(DeliveryRow.webhook_id.is_(None), DeliveryRow.webhook_id.in_(on)))
        .subquery()
    )
    return select(due.c.id).where(due.c.place == 1).order_by(due.c.next_try_at).limit(most)


def _find(session: Session, message_id: str) -> DeliveryRow | None:
    return session.get(DeliveryRow, message_id, with_for_update=True)
