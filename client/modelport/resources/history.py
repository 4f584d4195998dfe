"""`client.predictions`: what the platform keeps of requests to a model whose history is on."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from modelport.calls import kept
from modelport.history import KeptPrediction
from modelport.transport.blocking import Transport


class KeptPredictions:
    """Only a model's owner may make these calls. Every method raises `ModelportError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def export(
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
        return self._transport.download(kept.EXPORT, query, Path(path))

    def delete(self, model_id: str) -> None:
        """Forget all that was kept of a model."""
        return self._transport.run(kept.delete(model_id))

    def list(
        self,
        model_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        version: str | None = None,
    ) -> Iterator[KeptPrediction]:
        """Iterate over what was kept, newest first; each page is fetched when it is reached.

        Args:
            start: With a time zone, as `end`.
            outcome: `ok`, `error`, or one reason (`QueueFull`).
        """
        query = kept.query_of(model_id, start, end, outcome, version)
        return self._transport.items(kept.listing(query))

    __call__ = list
