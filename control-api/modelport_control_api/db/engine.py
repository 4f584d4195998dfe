"""How SQLAlchemy connects, and why a database refuses: the two databases behave alike from here up."""

import sqlite3
import time
from typing import Any

from modelport_process.start import CannotStart
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

_POSTGRESQL_DISK_FULL = "53100"
# PostgreSQL takes both; hosting platforms give either, and SQLAlchemy knows the first alone.
_POSTGRESQL = ("postgresql", "postgres")


def is_full(error: DBAPIError) -> bool:
    """The database's disk has no room left."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind, the rest its details.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return getattr(cause, "pgcode", None) == _POSTGRESQL_DISK_FULL


# A writer waits this long for another one. SQLite has one at a time; every transaction here is short.
SQLITE_BUSY_MILLISECONDS = 15_000
BEGIN_OPTION = "modelport_begin"


def build_engine(url: str) -> Engine:
    """Connect lazily to `sqlite:///path` or `postgresql://…`. Values never reach logs or errors.

    Raises `CannotStart`.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _build_sqlite(url)
    if address.drivername in _POSTGRESQL:
        # The driver that we install; SQLAlchemy's own default is another one.
        address = address.set(drivername="postgresql+psycopg2")
    return create_engine(address, pool_pre_ping=True, pool_size=10, max_overflow=20, hide_parameters=True)


def _address(url: str) -> URL:
    """What the address holds is left out of the error: there is a password in it."""
    try:
        address = make_url(url)
        is_known = address.get_backend_name() in {*_POSTGRESQL, "sqlite"}
    except (ArgumentError, ValueError):
        is_known = False
    if not is_known:
        raise CannotStart(
            "MODELPORT_CONTROL_API_DATABASE_URL is no address of a PostgreSQL or SQLite database: write "
            "postgresql://user:password@host:5432/name or sqlite:////absolute/path."
        )
    return address


def _build_sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would start transactions on its own, too late and without the write lock.
    connection.isolation_level = None
    # First, since the next line may have to wait for another process.
    connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA foreign_keys = ON")


def _use_write_ahead_log(connection: Any) -> None:
    # SQLite does not wait (busy_timeout) for another process that makes the same change to a new file.
    deadline = time.monotonic() + SQLITE_BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer (SQLITE_BUSY_SNAPSHOT):
    # it must own the write lock from its beginning.
    mode = connection.get_execution_options().get(BEGIN_OPTION, "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")
