"""Times as Kubernetes writes them: RFC 3339 in UTC, in whole seconds."""

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def write_time(time: datetime) -> str:
    """Return `2026-01-01T12:00:00Z`."""
    return time.astimezone(UTC).strftime(_FORMAT)


def read_time(written: str) -> datetime:
    """Return what `write_time` was given, without its fraction of a second."""
    return datetime.strptime(written, _FORMAT).replace(tzinfo=UTC)
