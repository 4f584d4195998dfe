"""Keeps rows of a reference for as long as it takes to compute with them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.db.base import new_id
from modelport_control_api.db.session import Transactions
from modelport_control_api.importance import repository
from modelport_control_api.importance.rows import sampled
from modelport_control_api.importance.tables import Source

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Samples:
    files: BatchFiles
    transactions: Transactions

    async def keep_reference(self, model_id: str, number: int, path: Path) -> None:
        """Have importance computed of some of the file's rows. Never raises: the reference stands without."""
        try:
            data, rows = await asyncio.to_thread(sampled, path)
            await self.begin(model_id, number, "reference", data, rows)
        except Exception as error:  # noqa: BLE001 - logged
            log.warning("importance_not_begun", model=model_id, version=f"v{number}", error=repr(error))

    async def begin(self, model_id: str, number: int, source: Source, data: bytes, rows: int) -> None:
        """Have it computed of these rows, once the version is ready."""
        job_id = new_id()
        await self.files.write_input(job_id, _pieces(data))
        former = await self.transactions.write(
            lambda session: repository.begin(
                session,
                model_id,
                number,
                source=source,
                job_id=job_id,
                input_format="csv" if source == "reference" else "jsonl",
                rows=rows,
            )
        )
        if former is not None:
            await self.files.remove(former)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data
