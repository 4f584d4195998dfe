"""What PostgreSQL does for one analytics call: EXPLAIN (ANALYZE, BUFFERS) of each of its statements."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event

from tests.support.control_api import build_control_plane

_OF_THE_LEDGER = "FROM usage_"


def plans_of(url: str, key: str, path: str, parameters: dict[str, str]) -> str:
    """Query once more, in this process, and explain what is sent to the ledger. Markdown."""
    return asyncio.run(_plans_of(url, key, path, parameters))


async def _plans_of(url: str, key: str, path: str, parameters: dict[str, str]) -> str:
    sent: list[tuple[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        plane = build_control_plane(url, Path(folder))
        engine = plane.context.database.engine
        event.listen(
            engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, values, *_: sent.append((statement, values)),
        )
        transport = httpx.ASGITransport(plane.public)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            response = await client.get(path, params=parameters, headers={"X-API-Key": key})
            response.raise_for_status()
        limits = [statement for statement, _ in sent if statement.startswith("SET LOCAL")]
        explained = [_explain(engine, limits, *each) for each in list(sent) if _OF_THE_LEDGER in each[0]]
        plane.accounts.passwords.close()
        plane.context.database.close()
    return "\n\n".join(explained)


def _explain(engine: Any, limits: list[str], statement: str, values: Any) -> str:
    with engine.connect() as connection:
        for limit in limits:
            connection.exec_driver_sql(limit)
        found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
        plan = "\n".join(row[0] for row in found)
    return f"```text\n{plan}\n```"
