"""What a database says when its disk is full, from the databases themselves."""

import pytest
from modelport_control_api.db.engine import is_full
from modelport_control_api.db.session import Database
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

_FILL = {
    # The engine's own limit, since a disk cannot be filled here; the error is the same.
    "sqlite": ["PRAGMA max_page_count = 1", "CREATE TABLE much AS SELECT zeroblob(10000000) AS bytes"],
    "postgresql": ["DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"],
}


def failure_of(database: Database, *statements: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as raised:
        run(database, *statements)
    return raised.value


def run(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_full_disk_is_distinguished_from_other_failures(database_url: str) -> None:
    database = Database(database_url)
    try:
        full = failure_of(database, *_FILL[database.engine.dialect.name])
        assert is_full(full)
        # The kind that becomes a response.
        assert isinstance(full, OperationalError)
        assert not is_full(failure_of(database, "SELECT * FROM nothing"))
    finally:
        database.close()
