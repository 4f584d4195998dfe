from collections.abc import Iterator

import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrate

from tests.support.control_api import spare_the_disk
from tests.support.nightly import at_night


@pytest.fixture(params=at_night(["postgres"], ["sqlite", "postgres"]))
def database_url(request: pytest.FixtureRequest) -> str:
    """On SQLite the standalone platform's tests run jobs all day."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


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
