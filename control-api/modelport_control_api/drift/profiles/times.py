"""Finds the column of times in a reference: rows are compared with those of the same hour.

Hours are those of UTC, and distinguished by the kind of day: 0 to 23 of Monday to Friday, 24 to 47 of
weekends.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

HOURS = 24
_SATURDAY = 5
_MAX_COLUMNS = 100
"""Each column is counted once more for each hour."""
_SHORTEST = len("2026-01-01T00:00")


def time_column(sample: Sequence[Sequence[str]], columns: int) -> int | None:
    """Return the place of the first column whose every text is a date and time (ISO 8601)."""
    if columns > _MAX_COLUMNS:
        return None
    return next(
        (at for at in range(columns) if all(slot_of(row[at]) is not None for row in sample)),
        None,
    )


def slot_of(text: str) -> int | None:
    """Return the hour that a text names; a time that names no zone is one of UTC. None: it is no time."""
    text = text.strip()
    if len(text) < _SHORTEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _slot(moment.astimezone(UTC) if moment.tzinfo else moment)


def slot_of_minute(minute: int) -> int:
    """Return the hour that a minute since 1970 is in."""
    return _slot(datetime.fromtimestamp(minute * 60, UTC))


def is_weekend(moment: datetime) -> bool:
    """Whether it is Saturday or Sunday in the time zone of `moment`."""
    return moment.weekday() >= _SATURDAY


def _slot(moment: datetime) -> int:
    return moment.hour + HOURS * is_weekend(moment)
