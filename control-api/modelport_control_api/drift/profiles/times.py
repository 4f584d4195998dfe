"""Finds the column of times in a reference: rows are compared with those of the same hour of the day."""

from collections.abc import Sequence
from datetime import UTC, datetime

_MAX_COLUMNS = 100
"""Each column is counted once more for each hour."""
_SHORTEST = len("2026-01-01T00:00")


def time_column(sample: Sequence[Sequence[str]], columns: int) -> int | None:
    """Give the place of the first column whose every text is a date and time (ISO 8601)."""
    if columns > _MAX_COLUMNS:
        return None
    return next(
        (at for at in range(columns) if all(hour_of(row[at]) is not None for row in sample)),
        None,
    )


def hour_of(text: str) -> int | None:
    """Give the hour of the day, in UTC; a time that names no zone is one. None: it is no time."""
    text = text.strip()
    if len(text) < _SHORTEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).hour
