"""Usage and samples from Redis: every replica of the control API takes its share of both streams."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from modelport_process.background import is_cancelled
from modelport_process.backoff import Backoff
from modelport_telemetry.usage import samples as samples_wire
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.wire import (
    CONFIRMED_SECONDS,
    SAMPLES_STREAM,
    USAGE_STREAM,
    UsageBatch,
    confirmation_key,
)
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from modelport_control_api.db.session import Database
from modelport_control_api.usage import ledger
from modelport_control_api.usage.metrics import ENTRIES_REJECTED
from modelport_control_api.usage.samples import Handlers, dispatch
from modelport_control_api.usage.stream import Entry, Stream

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 0.25, 5.0


class UsageConsumer:
    """Writes batches to the ledger, then confirms them. Dying between the two changes nothing."""

    def __init__(self, redis_url: str, database: Database) -> None:
        self._stream = Stream(redis_url, USAGE_STREAM, keeps_pending=True)
        self._database = database

    async def run(self) -> None:
        await _for_ever(self._stream, self._take)

    async def _take(self, entries: Sequence[Entry]) -> None:
        batches = [batch for entry in entries if (batch := _batch_of(entry)) is not None]
        written = await self._write(batches)
        keys = {confirmation_key(batch.id): CONFIRMED_SECONDS for batch in written}
        await self._stream.forget(entries, confirm=keys)

    async def _write(self, batches: list[UsageBatch]) -> list[UsageBatch]:
        """Return those that are in the ledger. Waits for as long as the database is away."""
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
        while batches:
            try:
                await asyncio.to_thread(self._write_at_once, batches)
                return batches
            except (SQLAlchemyError, ValueError) as error:
                if len(batches) > 1 and not _is_away(error):
                    return [batch for each in batches for batch in await self._write([each])]
                if not _is_away(error):
                    _reject(USAGE_STREAM, error)
                    return []
                log.warning("usage_database_unavailable", batches=len(batches), error=repr(error))
            await asyncio.sleep(backoff.next_delay())
        return []

    def _write_at_once(self, batches: Sequence[UsageBatch]) -> None:
        with self._database.transaction() as session:
            ledger.write(session, batches)


class SamplesConsumer:
    """Hands samples to their handlers. Best effort: what this replica holds when it dies is lost."""

    def __init__(self, redis_url: str, database: Database, handlers: Handlers) -> None:
        self._stream = Stream(redis_url, SAMPLES_STREAM, keeps_pending=False)
        self._database = database
        self._handlers = handlers

    async def run(self) -> None:
        await _for_ever(self._stream, self._take)

    async def _take(self, entries: Sequence[Entry]) -> None:
        await self._stream.forget(entries)
        samples = [sample for entry in entries for sample in _samples_of(entry)]
        await asyncio.to_thread(dispatch, self._database, self._handlers, samples)


async def _for_ever(stream: Stream, take: Callable[[Sequence[Entry]], Awaitable[None]]) -> None:
    backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
    try:
        while not is_cancelled():
            try:
                if entries := await stream.read():
                    await take(entries)
                backoff.reset()
            except (RedisError, OSError) as error:
                log.warning("usage_stream_unreadable", stream=stream.name, error=repr(error))
                await asyncio.sleep(backoff.next_delay())
    finally:
        await stream.aclose()


def _batch_of(entry: Entry) -> UsageBatch | None:
    try:
        return wire.decode(entry.data)
    except msgspec.MsgspecError as error:
        # Not confirmed: a gateway of a newer release sends it again, to the control API that follows.
        _reject(USAGE_STREAM, error)
        return None


def _samples_of(entry: Entry) -> list[samples_wire.Sample]:
    try:
        return samples_wire.decode(entry.data)
    except msgspec.MsgspecError as error:
        _reject(SAMPLES_STREAM, error)
        return []


def _reject(stream: str, error: Exception) -> None:
    ENTRIES_REJECTED.labels(stream).inc()
    log.error("usage_entry_rejected", stream=stream, error=repr(error))


def _is_away(error: Exception) -> bool:
    """Whether the same may succeed later; else it is the values that the database, or its driver, refuses."""
    return not isinstance(error, (DataError, IntegrityError, ValueError))
