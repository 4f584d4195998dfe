"""Bringing a database to the schema of this release, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from modelport_control_api.db.engine import build_engine

# Any number, the same in every replica and release.
_ADVISORY_LOCK = 7_306_091_001


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing. Several replicas may call it at once: one works, the others wait."""
    with _locked_config(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    with _locked_config(url) as config:
        command.downgrade(config, revision)


@contextmanager
def _locked_config(url: str) -> Iterator[Config]:
    engine = build_engine(url)
    try:
        # One transaction around everything: both databases undo DDL, so a failure leaves the old schema.
        with engine.begin() as connection:
            _lock(connection)
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            yield config
    finally:
        engine.dispose()


def _lock(connection: Connection) -> None:
    # On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
