from collections.abc import Iterator

import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrate

from tests.support.control_api import spare_the_disk


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """With one user, `ann`, on both databases."""
    migrate.upgrade(database_url)
    database = Database(database_url)
    spare_the_disk(database.engine)
    with database.transaction() as session:
        session.add(User(id="ann", email="ann@example.com", password_hash="x"))
    yield database
    database.close()
