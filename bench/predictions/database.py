"""Times the query behind a list of models, apart from everything HTTP."""

import statistics
import time
from pathlib import Path

from modelport_control_api.accounts.tables import User
from modelport_control_api.db.session import Database
from modelport_control_api.identity import SCOPES, Caller, Origin, Principal
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.registry import repository, service
from modelport_control_api.registry.quotas import Limits

from bench.models.model import Model
from bench.predictions.measuring import Measuring

MODELS = 200
PAGES = 500


def pages(measuring: Measuring, folder: Path, _models: dict[str, Model]) -> None:
    """Fact `a page of 50 models in one transaction, p95 ms`."""
    p95 = statistics.quantiles(seconds_of_pages(folder), n=20)[-1] * 1000
    measuring.facts["database"] = {"a page of 50 models in one transaction, p95 ms": p95}
    print(f"database: a page of 50 models: p95 {p95:.1f} ms", flush=True)


def seconds_of_pages(folder: Path) -> list[float]:
    """Read the newest 50 of 200 models, each time in its own transaction; gives the seconds of each."""
    url = f"sqlite:///{folder / 'pages.db'}"
    migrate.upgrade(url)
    database = Database(url)
    try:
        owner = _fill(database)
        return [_seconds_of_page(database, owner) for _ in range(PAGES)]
    finally:
        database.close()


def _fill(database: Database) -> Principal:
    with database.transaction() as session:
        user = User(email="bench@example.com", password_hash="", full_name="")
        session.add(user)
        session.flush()
        owner = Principal(user.id, user.email, False, frozenset(SCOPES), "session", "bench")
        caller = Caller(owner, Origin("bench", "127.0.0.1"))
        limits = Limits(max_models=MODELS, max_bytes=10**9)
        for number in range(MODELS):
            version = service.NewVersion("sklearn", f"{number:064x}", 1000, None)
            service.create_model(
                session, caller, name=f"model {number}", description="", version=version, limits=limits
            )
    return owner


def _seconds_of_page(database: Database, owner: Principal) -> float:
    begin = time.perf_counter()
    with database.transaction(read_only=True) as session:
        [repository.to_record(row) for row in repository.page(session, owner, 50, None).items]
    return time.perf_counter() - begin
