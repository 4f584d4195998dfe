"""The schema: up, down, and what the code says it is, on both databases."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from modelport_control_api.db.engine import build_engine
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.migrations.schema import METADATA
from sqlalchemy import Connection, MetaData, inspect, select, text

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def tables_of(url: str) -> set[str]:
    engine = build_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def add_model(url: str, model_id: str) -> None:
    """As the release before acceleration writes it."""
    user = {"id": "u1", "email": "ann@example.com", "password_hash": "x", "is_admin": False}
    model = {
        "id": model_id,
        "owner_id": "u1",
        "name": "Iris",
        "description": "",
        "access": "private",
        "rate_limit_period_seconds": 60,
        "timeout_seconds": 30,
        "traffic": {"v1": 100},
        "last_version": 1,
        "revision": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    with connected(url) as connection:
        tables = MetaData()
        tables.reflect(connection, only=["users", "models"])
        users, models = tables.tables["users"], tables.tables["models"]
        if connection.execute(select(users.c.id)).first() is None:
            connection.execute(users.insert().values(**user, created_at=NOW))
        connection.execute(models.insert().values(**model))


def accelerations_of(url: str) -> dict[str, str]:
    with connected(url) as connection:
        rows = connection.execute(text("SELECT id, acceleration FROM models"))
        return {row.id: row.acceleration for row in rows}


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = build_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_an_upgrade_makes_exactly_the_tables_of_the_code(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert tables_of(empty_url) == {*METADATA.tables, "alembic_version"}


# Of SQLite SQLAlchemy cannot read indexes over expressions; PostgreSQL's are compared.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
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


def test_models_of_before_are_accelerated_and_the_release_before_still_writes(empty_url: str) -> None:
    """Old and new control APIs run on the new schema while an upgrade rolls."""
    migrate.upgrade(empty_url, "0002_models")
    add_model(empty_url, "old-abcde")
    migrate.upgrade(empty_url)
    add_model(empty_url, "late-abcde")
    assert accelerations_of(empty_url) == {"old-abcde": "auto", "late-abcde": "auto"}
    migrate.downgrade(empty_url, "0002_models")
    add_model(empty_url, "back-abcde")
    migrate.upgrade(empty_url)
    assert set(accelerations_of(empty_url)) == {"old-abcde", "late-abcde", "back-abcde"}


def test_models_of_before_stick_to_nothing_and_the_release_before_still_writes(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0012_bytes_of_jobs")
    add_model(empty_url, "old-abcde")
    migrate.upgrade(empty_url)
    add_model(empty_url, "late-abcde")
    with connected(empty_url) as connection:
        assert set(connection.execute(text("SELECT id, sticky FROM models"))) == {
            ("old-abcde", None),
            ("late-abcde", None),
        }


def test_models_of_before_have_no_tags_and_the_release_before_still_writes(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0013_sticky")
    add_model(empty_url, "old-abcde")
    migrate.upgrade(empty_url)
    add_model(empty_url, "late-abcde")
    with connected(empty_url) as connection:
        tags = connection.execute(text("SELECT id, CAST(tags AS TEXT) FROM models"))
        assert set(tags) == {("old-abcde", "[]"), ("late-abcde", "[]")}


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


def test_new_sqlite_files_are_connected_to_by_many_at_once(tmp_path: Path) -> None:
    """Each switches the file to the write-ahead log, for which SQLite itself does not wait."""

    def connect(url: str) -> None:
        with connected(url):
            pass

    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            for waiting in [pool.submit(connect, f"sqlite:///{tmp_path}/{number}.db") for _ in range(4)]:
                waiting.result()


def test_the_newest_file_is_the_newest_revision() -> None:
    """By its name a start knows that there is nothing to do."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent))
    assert scripts.get_heads() == [migrate.newest_revision()]
