"""The settings of the process that does batch jobs. It gets no signing keys: it serves no requests."""

from modelport_process.internal_key import EXAMPLE_KEY
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from modelport_control_api.batch.formats.limits import Limits
from modelport_control_api.settings import EXAMPLE_DATABASE, NetworksSetting


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True, frozen=True
    )

    database_url: SecretStr = Field(examples=[EXAMPLE_DATABASE])
    """The control API's database."""

    artifacts_url: str = Field(examples=["s3://bucket/prefix"])
    """The control API's object store; inputs and results lie in it beside the model files."""

    disk_reserve_bytes: int | None = Field(default=None, ge=0, examples=[256_000_000])
    """Bytes that are left free on the disk of a local object store; below that jobs wait. Unless given:
    256 MB, or a twentieth of a disk of under 5 GB. Give the control API the same."""

    user_max_bytes: int = Field(default=20_000_000_000, ge=0)
    """Bytes that a user's files may have together; give the control API the same. Inputs and results that
    would pass it end their job."""

    internal_url: str = "http://127.0.0.1:8001"
    """The control API's internal port, or `unix:/path` of a socket: it knows where the pods are."""

    internal_key: SecretStr = Field(
        min_length=16, examples=[EXAMPLE_KEY], validation_alias="MODELPORT_INTERNAL_KEY"
    )
    """What the control API's internal port wants to be shown; the same there. A secret: no default."""

    worker_listen: str = "0.0.0.0:8002"
    """Where the worker serves `/healthz`, `/readyz` and `/metrics`; empty: nowhere."""

    worker_memory_bytes: int = Field(default=0, ge=0)
    """Most memory that the worker may take for its data, in bytes; 0: no limit of its own, as in a pod, which
    has one. `modelport up` gives it 1 GiB. An input that takes more to read ends its job."""

    batch_result_days: float = Field(default=7, gt=0)
    """Days for which the files of a finished job are kept."""

    batch_job_retention_days: float = Field(default=90, gt=0)
    """Days for which a job is still listed, without its results, when its files have gone."""

    event_retention_days: float = Field(default=90, gt=0)
    """Days for which events, and what was sent of them to webhooks, are kept."""

    webhook_allowed_networks: NetworksSetting = Field(default=(), examples=["10.0.0.0/8"])
    """Networks (`10.0.0.0/8,…`) that webhooks may be sent to beside the public internet. None by default:
    anyone who may submit a job could otherwise have the platform call its neighbors."""

    batch_max_bytes: int = Field(default=1_000_000_000, ge=1)
    """Largest input fetched for a batch job, in bytes; give the control API the same."""

    batch_max_cell_bytes: int = Field(default=4 << 20, ge=1024)
    """Most bytes that one value of a batch job's input may have when it is decoded. A longer one ends the
    job."""

    batch_max_job_bytes: int = Field(default=4_000_000_000, ge=1)
    """Most bytes that the rows of a batch job may take when they are decoded, and again its results. For a
    small file it is less: 256 MiB and a hundred times the file."""

    batch_input_allowed_networks: NetworksSetting = Field(default=(), examples=["10.0.0.0/8"])
    """Networks (`10.0.0.0/8,…`) that inputs (`input_uri`) may be fetched from beside the public internet.
    None by default: anyone who may submit a job could otherwise read what the platform's neighbors serve."""

    batch_lease_seconds: float = Field(default=15, ge=3)
    """Seconds after which the work of a worker that was killed is given to another one."""

    batch_pod_wait_seconds: float = Field(default=900, ge=1)
    """Longest time, in seconds, that a version's jobs wait for a ready pod of it; then they fail."""

    batch_request_seconds: float = Field(default=300, ge=1)
    """Longest time, in seconds, that a pod may take for the rows of one request. Then they are sent in
    halves; a row that takes longer alone becomes an error row."""

    batch_requests_per_pod: int = Field(default=3, ge=1, le=16)
    """Requests that a worker has at a pod at once: the model works on one while others are on their way."""

    @property
    def limits(self) -> Limits:
        return Limits(self.batch_max_cell_bytes, self.batch_max_job_bytes)
