"""The ledger. Each batch adds to the row of its minute, of its hour and of its day, in one transaction.

Requests are distinguished by who sent them and what came of it; totals are what those add up to, with
latencies.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from modelport_telemetry.usage.latency import LAST_BUCKET
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, utc_now

_NUMBERS = msgspec.json.Decoder(list[int])


def pack(requests: Mapping[int, int]) -> str | None:
    """None: nothing was counted."""
    return ",".join(f"{bucket},{count}" for bucket, count in sorted(requests.items()) if count) or None


def unpack(joined: str | None) -> list[int]:
    """Return the requests of each bucket, 0 to LAST_BUCKET."""
    requests = [0] * (LAST_BUCKET + 1)
    if joined:
        numbers = iter(_NUMBERS.decode(f"[{joined}]"))
        for bucket, count in zip(numbers, numbers, strict=True):
            requests[bucket] += count
    return requests


def added(packed: str | None, requests: Mapping[int, int]) -> str | None:
    """Pack what was packed and these together."""
    sums = unpack(packed)
    for bucket, count in requests.items():
        sums[bucket] += count
    return pack(dict(enumerate(sums)))


class UsageBatchRow(Base):
    """A batch that is in the ledger: what arrives again under its id is not counted again."""

    __tablename__ = "usage_batches"
    # Hundreds of thousands of batches a day, few of which report a loss.
    __table_args__ = (
        Index(
            "ix_usage_batches_dropped",
            "received_at",
            sqlite_where=text("dropped > 0"),
            postgresql_where=text("dropped > 0"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(64))
    requests: Mapped[int] = mapped_column(BigInteger)
    dropped: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class _Counted:
    """`start`: the period's first second, since 1970 UTC. No foreign keys: what was used stays used."""

    model_id: Mapped[str] = mapped_column(String(127))
    start: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[str] = mapped_column(String(63))
    requests: Mapped[int] = mapped_column(BigInteger)


class _Requests(_Counted):
    caller_id: Mapped[str] = mapped_column(String(36))
    api_key_id: Mapped[str] = mapped_column(String(36))
    status: Mapped[int]
    reason: Mapped[str] = mapped_column(String(63))
    cache: Mapped[str] = mapped_column(String(10))


EVERYBODY = "*"
"""No model's id. Under it, and under no version, are the totals of all requests."""


class _Totals(_Counted):
    """`errors`: 5xx, `refused`: 4xx. `latencies`: what `usage.histogram` packs; NULL: of no request."""

    errors: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    cache_hits: Mapped[int] = mapped_column(BigInteger)
    cache_misses: Mapped[int] = mapped_column(BigInteger)
    # A row a bucket would be fifty times the rows, and those are what a sum of a hundred days costs.
    latencies: Mapped[str | None] = mapped_column(Text)


_AGE = "(start + 0)"
AGE: ColumnElement[int] = literal_column(_AGE, BigInteger)
"""`start`, by which old rows are removed and those of all models are read.

It has an index by this name only: by one of `start` PostgreSQL reads the rows of all models for ten of them.
"""


def _key(table: str, *others: str) -> tuple[PrimaryKeyConstraint, Index]:
    # The model first, then the time: that is how it is queried.
    return PrimaryKeyConstraint("model_id", "start", "version", *others), Index(f"ix_{table}_age", text(_AGE))


def _requests_key(table: str) -> tuple[PrimaryKeyConstraint, Index]:
    return _key(table, "caller_id", "api_key_id", "status", "reason", "cache")


class RequestsOfMinute(_Requests, Base):
    __tablename__ = "usage_requests_minute"
    __table_args__ = _requests_key(__tablename__)


class RequestsOfHour(_Requests, Base):
    __tablename__ = "usage_requests_hour"
    __table_args__ = _requests_key(__tablename__)


class RequestsOfDay(_Requests, Base):
    __tablename__ = "usage_requests_day"
    __table_args__ = (
        *_requests_key(__tablename__),
        # Three months of ten models lie in thousands of pages: PostgreSQL adds them up from this index alone.
        Index(
            f"ix_{__tablename__}_reasons",
            *("model_id", "start", "status", "reason"),
            postgresql_include=["requests"],
        ),
    )


class TotalsOfMinute(_Totals, Base):
    __tablename__ = "usage_totals_minute"
    __table_args__ = _key(__tablename__)


class TotalsOfHour(_Totals, Base):
    __tablename__ = "usage_totals_hour"
    __table_args__ = _key(__tablename__)


class TotalsOfDay(_Totals, Base):
    __tablename__ = "usage_totals_day"
    __table_args__ = _key(__tablename__)


class RolloutEvidence(Base):
    """What gateways counted of a rollout (decision 57), by names of `modelport_evidence.counters`.

    No foreign keys: counts may come before or after what they are of.
    """

    __tablename__ = "rollout_evidence"

    model_id: Mapped[str] = mapped_column(String(127), primary_key=True)
    rollout: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(15), primary_key=True)
    counter: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
