"""Database work from async code: in a thread, in one transaction, and with no session held while waiting."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from modelport_control_api.db.session import Database

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
