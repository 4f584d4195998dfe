"""The schema: up, down, and what the code says it is, on both databases."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from modelport_control_api.db import migrate
from modelport_control_api.db.engine import build_engine
from modelport_control_api.db.metadata import METADATA
from sqlalchemy import inspect


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def tables_of(url: str) -> set[str]:
    engine = build_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_an_upgrade_makes_exactly_the_tables_of_the_code(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert tables_of(empty_url) == {*METADATA.tables, "alembic_version"}


def test_autogenerate_finds_no_difference(database_url: str) -> None:
    engine = build_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)
    engine.dispose()
    assert differences == []


def test_down_to_nothing_and_up_again(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    assert tables_of(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert "users" in tables_of(empty_url)


def test_replicas_that_migrate_at_once_all_succeed(empty_url: str) -> None:
    failures: list[Exception] = []

    def upgrade() -> None:
        try:
            migrate.upgrade(empty_url)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test shows it
            failures.append(error)

    replicas = [threading.Thread(target=upgrade) for _ in range(4)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join()
    assert failures == []
    assert "users" in tables_of(empty_url)


def test_the_newest_file_is_the_newest_revision() -> None:
    """By its name a start knows that there is nothing to do."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_heads() == [migrate.newest_revision()]
