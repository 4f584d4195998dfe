"""The database and its transactions, from sync code and, in a thread, from async code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from modelport_control_api.db.engine import BEGIN_OPTION, build_engine


class Database:
    """One pool of connections. Safe to use from many threads; sessions are not."""

    def __init__(self, url: str) -> None:
        self.engine = build_engine(url)
        self._reader = self.engine.execution_options(**{BEGIN_OPTION: "DEFERRED"})

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Session]:
        """Commit when the block ends, roll back when it raises. `read_only` waits for no writer on SQLite."""
        engine = self._reader if read_only else self.engine
        # Rows stay readable after the commit: a response is built from them.
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def ping(self) -> None:
        """Raise `sqlalchemy.exc.SQLAlchemyError` if the database does not respond."""
        with self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))

    @property
    def folder(self) -> Path | None:
        """Of the database's own files, where it has any on this machine."""
        url = self.engine.url
        is_local = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        return Path(url.database).parent if is_local and url.database else None

    def close(self) -> None:
        self.engine.dispose()


T = TypeVar("T")


class Transactions:
    """`on_commit` is called on the event loop after each change that was committed."""

    def __init__(self, database: Database, on_commit: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._on_commit = on_commit

    async def read(self, work: Callable[[Session], T]) -> T:
        return await run_in_threadpool(self._run, work, True)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Commit when `work` returns; roll back and raise what it raises."""
        result = await run_in_threadpool(self._run, work, False)
        self._on_commit()
        return result

    def _run(self, work: Callable[[Session], T], read_only: bool) -> T:
        with self._database.transaction(read_only=read_only) as session:
            return work(session)
