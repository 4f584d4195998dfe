"""The database of a job, which gets its address and no other secret, and may come up after the job."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from modelport_process.start import CannotStart
from sqlalchemy.exc import OperationalError

from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrations

DATABASE_URL = "MODELPORT_CONTROL_API_DATABASE_URL"
# An installation starts the database and its jobs together.
_WAIT_SECONDS = 60.0
_RETRY_SECONDS = 1.0


def migrate() -> str:
    with opened_database() as database:
        migrations.upgrade(database.engine.url.render_as_string(hide_password=False))
    return "The database has this release's schema."


@contextmanager
def opened_database() -> Iterator[Database]:
    """A database that answers. Raises `CannotStart` or what the last try raised."""
    url = os.environ.get(DATABASE_URL)
    if not url:
        raise CannotStart(f"{DATABASE_URL} is not set: give the database's address in it.")
    database = Database(url)
    try:
        _wait_for(database)
        yield database
    finally:
        database.close()


def _wait_for(database: Database) -> None:
    is_remote = database.engine.dialect.name != "sqlite"
    deadline = time.monotonic() + (_WAIT_SECONDS if is_remote else 0)
    while True:
        try:
            return database.ping()
        except OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
