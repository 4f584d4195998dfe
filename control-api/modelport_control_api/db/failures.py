"""Why a database refuses: the two say it each in their own way."""

import sqlite3

from sqlalchemy.exc import DBAPIError

_POSTGRESQL_DISK_FULL = "53100"


def is_full(error: DBAPIError) -> bool:
    """The database's disk has no room left."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind, the rest its details.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return getattr(cause, "pgcode", None) == _POSTGRESQL_DISK_FULL
