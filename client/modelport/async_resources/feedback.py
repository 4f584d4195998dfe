# Generated from resources/feedback.py by client/generate_async.py: make docs.
"""`client.feedback`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelport.calls.evaluation import feedback
from modelport.evaluation.feedback import FeedbackReport
from modelport.transport.asynchronous import AsyncTransport


class AsyncFeedback:
    """What turned out to be true of predictions (`/help/feedback`).

    Every method raises `ModelportError`. The model has to keep its predictions:
    `client.models.update(model_id, feedback={})`.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def tell(self, model_id: str, items: Sequence[Mapping[str, Any]]) -> FeedbackReport:
        """Tell what is known. To tell it again changes nothing.

        Args:
            items: `{"request_id": …, "label": …}` each, or `reward` in place of `label`; `row` is its place
                in a request of several rows, `at` when it was known, as text in RFC 3339. 8 MiB at most.

        Raises:
            InvalidRequest: Each item is wrong; of those that are wrong among others the report has the words.
        """
        return await self._transport.run(feedback.tell(model_id, items))

    async def send(
        self,
        model_id: str,
        path: str | Path,
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> FeedbackReport:
        """Tell a whole file, in pieces: an item a line, or CSV whose first line names the columns.

        Args:
            path: Of a file that ends in .csv, .jsonl or .ndjson.
            on_progress: Called with the bytes sent and the bytes in all.

        Raises:
            InvalidRequest: A piece of some megabytes had nothing that is right; those before it count.
        """
        return await self._transport.run(feedback.send(model_id, path, on_progress))

    async def forget(self, model_id: str) -> None:
        """Delete what was kept of the model's predictions, and what was told of them."""
        await self._transport.run(feedback.forget(model_id))
