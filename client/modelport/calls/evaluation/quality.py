"""How good predictions were, and what their probabilities are calibrated by."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modelport.calls.paths import path_of
from modelport.evaluation.feedback import Quality
from modelport.steps import Flow, request, without_none
from modelport.uploads import opened
from modelport.usage import Bucket


def of_model(
    model_id: str, *, days: float, bucket: Bucket, timezone: str, version: str | None
) -> Flow[Quality]:
    """Return the last `days`."""
    since = datetime.now(UTC) - timedelta(days=days)
    query = without_none(
        **{"from": since.isoformat(), "bucket": bucket, "timezone": timezone, "version": version}
    )
    reply = yield from request("GET", path_of("models", model_id, "quality"), params=query)
    return Quality.from_json(reply.json())


def calibrate(model_id: str, version: str, path: str | Path, label: str) -> Flow[int]:
    """Return how many rows of the file count. Raises `InvalidRequest` for one that is of another kind."""
    with opened(Path(path)) as file:
        reply = yield from request(
            "PUT",
            _calibration(model_id, version),
            params={"label": label},
            content=file,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(os.fstat(file.fileno()).st_size),
            },
        )
    return int(reply.json()["rows"])


def remove_calibration(model_id: str, version: str) -> Flow[None]:
    """Forget what was uploaded. Raises `NotFound` where nothing was."""
    yield from request("DELETE", _calibration(model_id, version), repeatable=True)


def _calibration(model_id: str, version: str) -> str:
    return path_of("models", model_id, "versions", version, "calibration")
