# Generated from resources/quality.py by client/generate_async.py: make docs.
"""`client.quality`."""

from pathlib import Path

from modelport.calls.evaluation import quality
from modelport.evaluation.feedback import Quality
from modelport.transport.asynchronous import AsyncTransport
from modelport.usage import Bucket


class AsyncModelQuality:
    """How good a model's predictions were, of those whose truth is known (`/help/quality`).

    Every method raises `ModelportError`.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self,
        model_id: str,
        *,
        days: float = 30,
        bucket: Bucket = "day",
        timezone: str = "UTC",
        version: str | None = None,
    ) -> Quality:
        """Return accuracy, error and more of each version, in the last days and in each bucket.

        Args:
            days: 90 at most by day, 14 by hour.
            version: Only this one's.
        """
        return await self._transport.run(
            quality.of_model(model_id, days=days, bucket=bucket, timezone=timezone, version=version)
        )

    async def calibrate(self, model_id: str, version: str, path: str | Path, *, label: str = "label") -> int:
        """Upload rows with the version's probabilities and their truth, and return how many there are.

        What is expected before labels come is then by them.

        Args:
            path: Of a CSV, such as a batch job's results with probabilities, or of JSON Lines.
            label: The column that has the truth.

        Raises:
            InvalidRequest: The file lacks something, which the message names by its line.
        """
        return await self._transport.run(quality.calibrate(model_id, version, path, label))

    async def remove_calibration(self, model_id: str, version: str) -> None:
        """Forget them: the newest labels take their place."""
        await self._transport.run(quality.remove_calibration(model_id, version))

    __call__ = get
