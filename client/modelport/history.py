"""Requests and answers that the platform keeps of a model whose history is on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from modelport.transport import Transport

PATH = "/api/v1/predictions"


@dataclass(frozen=True)
class KeptPrediction:
    """`request` and `answer` are None where they were too long (`truncated`), or no JSON.

    `reason`: why it failed; empty for a prediction. `caller_id` None: nobody that is known.
    """

    id: str
    model_id: str
    version: str
    at: datetime
    caller_id: str | None
    request_id: str
    status: int
    reason: str
    cache: str
    seconds: float
    request: Any
    answer: Any
    truncated: bool
    raw: dict[str, Any] = field(repr=False, compare=False)
    """The whole answer."""

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "KeptPrediction":
        return cls(
            id=answer["id"],
            model_id=answer["model_id"],
            version=answer["version"],
            at=datetime.fromisoformat(answer["at"]),
            caller_id=answer.get("caller_id"),
            request_id=answer.get("request_id") or "",
            status=answer["status"],
            reason=answer.get("reason") or "",
            cache=answer.get("cache") or "",
            seconds=answer.get("seconds") or 0.0,
            request=answer.get("request"),
            answer=answer.get("answer"),
            truncated=bool(answer.get("truncated")),
            raw=answer,
        )


class HistoryCalls:
    """Part of `Modelport`. Only a model's owner may make these calls."""

    _transport: Transport

    def predictions(
        self,
        model_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        version: str | None = None,
    ) -> Iterator[KeptPrediction]:
        """Give what was kept, newest first, page by page as it is asked for.

        `start` and `end` have a time zone. `outcome`: `ok`, `error`, or one reason (`QueueFull`).
        """
        query = _query(model_id, start, end, outcome, version)
        return map(KeptPrediction.from_json, self._transport.items(PATH, query))

    def export_predictions(
        self,
        model_id: str,
        path: str | Path,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        version: str | None = None,
    ) -> None:
        """Write the same as CSV to a file, which is there once it is whole."""
        query = _query(model_id, start, end, outcome, version)
        self._transport.download(f"{PATH}/export", query, Path(path))

    def delete_predictions(self, model_id: str) -> None:
        """Forget all that was kept of a model."""
        self._transport.call("DELETE", PATH, params={"model_id": model_id}, repeatable=True)


def _query(
    model_id: str, start: datetime | None, end: datetime | None, outcome: str | None, version: str | None
) -> dict[str, str]:
    given = {
        "model_id": model_id,
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "outcome": outcome,
        "version": version,
    }
    return {name: value for name, value in given.items() if value is not None}
