"""A database of the release before, with a row in each of its tables, keeps every value over an upgrade."""

from datetime import datetime
from typing import Any

import pytest
from modelport_control_api.db.engine import build_engine
from modelport_control_api.migrations import upgrade as migrate
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    select,
)

from tests.support.releases import stored

_SCHEMA_BEFORE = stored.about(stored.newest())["schema"]
_NOW = datetime(2026, 1, 1)
_OF_TYPE: list[tuple[Any, Any]] = [
    (JSON, {"v1": 100}),
    (Boolean, True),
    (DateTime, _NOW),
    (Integer, 7),
    ((Float, Numeric), 0.5),
    (LargeBinary, b"\x00\xff"),
    (String, "é"),
]


def _value(column: Column[Any]) -> Any:
    kind = column.type
    return next((value for of, value in _OF_TYPE if isinstance(kind, of)), "x")


def _row(table: Table, parents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    row = {column.name: _value(column) for column in table.columns}
    for key in table.foreign_keys:
        row[key.parent.name] = parents[key.column.table.name][key.column.name]
    return row


def _fill(url: str) -> dict[str, dict[str, Any]]:
    engine, tables, rows = build_engine(url), MetaData(), dict[str, dict[str, Any]]()
    with engine.begin() as connection:
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows[table.name] = _row(table, rows)
                connection.execute(table.insert().values(rows[table.name]))
    engine.dispose()
    return _read(url, list(rows))


def _read(url: str, names: list[str]) -> dict[str, dict[str, Any]]:
    engine, tables = build_engine(url), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection, only=names)
        found = {name: dict(connection.execute(select(tables.tables[name])).one()._mapping) for name in names}
    engine.dispose()
    return found


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_every_value_of_every_table_is_there_after_the_upgrade(empty_url: str) -> None:
    migrate.upgrade(empty_url, _SCHEMA_BEFORE)
    before = _fill(empty_url)
    migrate.upgrade(empty_url)
    after = _read(empty_url, list(before))
    assert len(before) > 10
    assert {name: {column: after[name][column] for column in row} for name, row in before.items()} == before
