"""Bringing a database to the schema of this release, and back.

Alembic is imported when there is something to do: at most starts there is not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from modelport_control_api.db.engine import build_engine

if TYPE_CHECKING:
    from alembic.config import Config

# Any number, the same in every replica and release.
_ADVISORY_LOCK = 7_306_091_001
_MIGRATIONS = Path(__file__).parent


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing. Several replicas may call it at once: one works, the others wait."""
    with _locked_connection(url) as connection:
        if revision == "head" and _is_at_head(connection):
            return
        from alembic import command

        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Undo what is newer than `revision`, in one transaction, with the data that only it can hold."""
    from alembic import command

    with _locked_connection(url) as connection:
        command.downgrade(_config(connection), revision)


def newest_revision() -> str:
    """Files are named like the revision in them, and numbered."""
    return max(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _is_at_head(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return list(found) == [newest_revision()]


@contextmanager
def _locked_connection(url: str) -> Iterator[Connection]:
    engine = build_engine(url)
    try:
        # One transaction around everything: both databases undo DDL, so a failure leaves the old schema.
        with engine.begin() as connection:
            _lock(connection)
            yield connection
    finally:
        engine.dispose()


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    # On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
