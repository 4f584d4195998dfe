"""One publisher a model at a time, however many replicas there are.

Otherwise one that was slow could write an older state over a newer one, and nobody would look again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db.session import Database

# Any number that no other lock of ours has; the same in every replica and release.
_LOCKS = 7_306_091_002
_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:model_id, :locks))")


class LockLost(Exception):
    """The database let go of the lock: another replica may have published meanwhile."""


@asynccontextmanager
async def turn(database: Database, model_id: str) -> AsyncIterator[bool]:
    """Hold the model's turn; False: another replica has it. Raises `LockLost` at the end if it was lost."""
    if database.engine.dialect.name != "postgresql":
        # SQLite has one process.
        yield True
        return
    connection = await asyncio.to_thread(database.engine.connect)
    try:
        taken = await asyncio.to_thread(_take, connection, model_id)
        yield taken
        if taken:
            await asyncio.to_thread(_check, connection)
    finally:
        # The lock goes with the transaction, and so it does if this process dies.
        await asyncio.to_thread(connection.close)


def _take(connection: Connection, model_id: str) -> bool:
    return bool(connection.execute(_TAKE, {"model_id": model_id, "locks": _LOCKS}).scalar())


def _check(connection: Connection) -> None:
    try:
        connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise LockLost("the database connection broke") from error
