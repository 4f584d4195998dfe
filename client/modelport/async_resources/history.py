# Generated from resources/history.py by client/generate_async.py: make docs.
"""`client.predictions`: what the platform keeps of requests to a model whose history is on."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from modelport.calls import kept
from modelport.history import KeptPrediction
from modelport.transport.asynchronous import AsyncTransport


class AsyncKeptPredictions:
    """Only a model's owner may make these calls. Every method raises `ModelportError`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def export(
        self,
        model_id: str,
        path: str | Path,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        version: str | None = None,
    ) -> None:
        """Write the same as `list` to a CSV file, which is there once it is whole."""
        query = kept.query_of(model_id, start, end, outcome, version)
        return await self._transport.download(kept.EXPORT, query, Path(path))

    async def delete(self, model_id: str) -> None:
        """Forget all that was kept of a model."""
        return await self._transport.run(kept.delete(model_id))

    def list(
        self,
        model_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        version: str | None = None,
    ) -> AsyncIterator[KeptPrediction]:
        """Iterate (`async for`) over what was kept, newest first; each page is fetched when it is reached.

        Args:
            start: With a time zone, as `end`.
            outcome: `ok`, `error`, or one reason (`QueueFull`).
        """
        query = kept.query_of(model_id, start, end, outcome, version)
        return self._transport.items(kept.listing(query))

    __call__ = list
