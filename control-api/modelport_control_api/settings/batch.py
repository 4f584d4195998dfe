"""Batch jobs."""

from modelport_store.store import Limit
from pydantic import Field

from modelport_control_api.settings.types import LimitSetting, ListSetting
from modelport_control_api.settings.uploads import UploadSettings


class BatchSettings(UploadSettings):
    limit_batch: LimitSetting = Field(default=Limit(60, 3600), validation_alias="MODELPORT_LIMIT_BATCH")
    """Batch jobs submitted per user."""

    batch_max_bytes: int = Field(default=1_000_000_000, ge=1)
    """Largest input of a batch job accepted, in bytes."""

    batch_input_prefixes: ListSetting = ()
    """Where inputs of batch jobs may lie in buckets (`s3://bucket/folder,…`), for `input_uri`: the worker
    reads them with its own credentials for whoever submits a job. None by default."""

    batch_result_days: float = Field(default=7, gt=0)
    """Days for which the files of a finished job are kept."""

    batch_max_unfinished: int = Field(default=20, ge=1)
    """Batch jobs that a user may have waiting or running at once."""

    batch_max_replicas: int = Field(default=2, ge=1, le=16)
    """Most pods that do the batch jobs of one version; each job asks for one."""
