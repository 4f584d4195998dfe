"""Everything behind the calls on jobs, built once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Self

from fastapi import Depends

from modelport_control_api.batch.storage.files import BatchFiles, open_batch_files
from modelport_control_api.http.context import provide
from modelport_control_api.settings import BatchSettings


@dataclass(frozen=True)
class BatchServices:
    files: BatchFiles
    max_bytes: int
    max_unfinished: int
    idle_seconds: float
    keep: timedelta
    input_prefixes: Sequence[str]

    @classmethod
    def build(cls, settings: BatchSettings) -> Self:
        """Return the services as the settings have them. No file and no network is touched yet."""
        return cls(
            files=open_batch_files(settings.artifacts_url),
            max_bytes=settings.batch_max_bytes,
            max_unfinished=settings.batch_max_unfinished,
            idle_seconds=settings.upload_idle_seconds,
            keep=timedelta(days=settings.batch_result_days),
            input_prefixes=settings.batch_input_prefixes,
        )


Batch = Annotated[BatchServices, Depends(provide(BatchServices))]
