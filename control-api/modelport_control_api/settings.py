"""Every setting of the control API, by subject; read from the environment. Each room is handed its own."""

from pathlib import Path
from typing import Annotated, Any, Literal

from modelport_http.client_address import Network, parse_networks
from modelport_process.internal_key import EXAMPLE_KEY
from modelport_store.store import Limit
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

EXAMPLE_DATABASE = "postgresql://user:password@host/name"


class HistorySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    history_max_rows: int = Field(default=100_000, ge=1)
    """Predictions kept of one model; beyond that the oldest go, whatever the model's retention says."""

    history_sweep_seconds: float = Field(default=60.0, gt=0)
    """Seconds between two removals of stored predictions that are too old or too many."""


class ServeSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True, frozen=True
    )

    listen: str = "0.0.0.0:8000"
    """Address and port for users."""

    internal_listen: str = "0.0.0.0:8001"
    """Address and port for the gateway and for init containers. Never routed from outside."""

    shutdown_delay_seconds: float = Field(default=5.0, ge=0)
    """Seconds that requests are still taken after SIGTERM, while the proxies hear that this replica goes."""


def _parse_limit(value: Any) -> Any:
    return Limit.parse(value) if isinstance(value, str) else value


def _parse_networks(value: Any) -> Any:
    return tuple(parse_networks(value)) if isinstance(value, str) else value


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


LimitSetting = Annotated[Limit, NoDecode, BeforeValidator(_parse_limit)]
NetworksSetting = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)]
ListSetting = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class AccountsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    signing_keys_dir: Path = Field(examples=["/etc/modelport/signing-keys"])
    """Folder of Ed25519 private keys (`<time>-<random>.pem`, mode 0600) that sign access tokens. Make the
    first one with `python -m modelport_control_api.signing_keys rotate DIR`."""

    signing_key_activation_seconds: int = Field(default=300, ge=0)
    """Seconds between a new key's publication and its first use. More than gateways keep the JWKS for."""

    access_token_seconds: int = Field(default=1800, ge=1)
    """Life of an access token, in seconds. Short: a gateway cannot know of a logout before it ends."""

    refresh_token_seconds: int = Field(default=30 * 86_400, ge=1)
    """Life of a refresh token, in seconds; each refresh starts it again."""

    registration: Literal["open", "invite", "closed"] = "open"
    """Who may make an account: everybody, those with a link from an administrator, or nobody."""

    user_max_api_keys: int = Field(default=100, ge=1)
    """API keys that a user may hold; those that have expired do not count."""

    bcrypt_rounds: int = Field(default=12, ge=4, le=18)
    """log2 of the work for one password check. Each step up doubles it for attackers and for us."""

    password_threads: int = Field(default=2, ge=1)
    """Threads that check passwords. Bounds the CPU that a flood of logins can take from all else."""

    limit_register: LimitSetting = Field(default=Limit(5, 3600), validation_alias="MODELPORT_LIMIT_REGISTER")
    """Registrations and changed e-mail addresses, per client address."""

    limit_login: LimitSetting = Field(default=Limit(10, 60), validation_alias="MODELPORT_LIMIT_LOGIN")
    """Wrong passwords for an account from one client address."""

    limit_login_elsewhere: LimitSetting = Field(
        default=Limit(100, 3600), validation_alias="MODELPORT_LIMIT_LOGIN_ELSEWHERE"
    )
    """Wrong passwords from client addresses where the account has not logged in within 30 days: per address,
    against guessing at many accounts; and ten times as many per account, against guessing from many
    addresses."""


class UploadSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    artifacts_url: str = Field(examples=["s3://bucket/prefix"])
    """Where model files are kept: an absolute path or `file://` URL of a folder that only this process uses,
    or `s3://bucket/prefix` (credentials as obstore reads them from the environment)."""

    scratch_dir: Path | None = None
    """Folder for uploads on their way to a remote artifact store; one in the system's temporary folder unless
    given. A local store collects them in itself, since a rename is atomic within one filesystem only."""

    disk_reserve_bytes: int | None = Field(default=None, ge=0, examples=[256_000_000])
    """Bytes that are left free on the disks of a local artifact store and of SQLite: below that uploads and
    jobs are refused with 507 and results wait, while logins, deletes and usage go on. Unless given: 256 MB,
    or a twentieth of a disk of less than 5 GB."""

    artifact_grace_seconds: float | None = Field(default=None, ge=0, examples=[300])
    """Age in seconds below which an unreferenced file is left alone: another process may be about to commit
    the row that names it. Unless given: 300, and 0 with SQLite, where there is one process."""

    upload_idle_seconds: float = Field(default=60, gt=0)
    """Seconds without a byte after which an upload is given up."""

    choose_environments: bool = False
    """Run a file in the environment of the version that saved it, where only that serves it and the upload
    names none. On one machine this is on; on Kubernetes the environments' images have to be there."""

    own_requirements: bool = False
    """Take uploads with requirements of their own, which are resolved here, against the package index that uv
    is set to (`UV_DEFAULT_INDEX`). On one machine this is on; on Kubernetes where the chart's
    `runtime.requirements.index` names an index, which their bundles are made from."""

    bundle_max_bytes: int = Field(default=5 * 1024**3, ge=1024**2)
    """Most bytes that the packages of one version's own requirements may have when they are unpacked. What an
    index says is more to fetch is refused at the upload."""

    max_upload_bytes: int = Field(default=100_000_000, ge=1, validation_alias="MODELPORT_MAX_UPLOAD_BYTES")
    """Largest model file accepted, in bytes."""

    max_reference_bytes: int = Field(default=50_000_000, ge=1)
    """Largest CSV file accepted as the reference of a version, in bytes."""

    limit_upload: LimitSetting = Field(default=Limit(10, 3600), validation_alias="MODELPORT_LIMIT_UPLOAD")
    """Uploads per user."""


class BatchSettings(UploadSettings):
    limit_batch: LimitSetting = Field(default=Limit(60, 3600), validation_alias="MODELPORT_LIMIT_BATCH")
    """Batch jobs submitted per user."""

    batch_max_bytes: int = Field(default=1_000_000_000, ge=1)
    """Largest input of a batch job accepted, in bytes."""

    batch_input_prefixes: ListSetting = ()
    """Where inputs of batch jobs may lie in buckets (`s3://bucket/folder,…`), for `input_uri`: the worker
    reads them with its own credentials for anyone who submits a job. None by default."""

    batch_result_days: float = Field(default=7, gt=0)
    """Days for which the files of a finished job are kept."""

    batch_max_unfinished: int = Field(default=20, ge=1)
    """Batch jobs that a user may have waiting or running at once."""

    batch_max_replicas: int = Field(default=2, ge=1, le=16)
    """Most pods that do the batch jobs of one version; each job requests one."""


class AlertsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    user_max_webhooks: int = Field(default=20, ge=0)
    """Webhooks that a user may have."""

    limit_webhook_test: LimitSetting = Field(
        default=Limit(60, 3600), validation_alias="MODELPORT_LIMIT_WEBHOOK_TEST"
    )
    """Test messages to webhooks per user."""


class DriftSettings(UploadSettings):
    drift_retention_days: int = Field(default=14, ge=1, le=365)
    """Days that counts of live rows are kept for drift: the oldest that a window may reach back to."""

    drift_window_rows: int = Field(default=500, ge=50, le=100_000)
    """Newest sampled rows of a version that are compared with its reference. A model may have its own."""

    drift_alpha: float = Field(default=0.01, gt=0, le=0.2)
    """Chance of a false alarm in a window of unchanged rows, over all features of a version."""

    drift_psi_threshold: float = Field(default=0.2, ge=0.01, le=10)
    """Population stability index that a feature must exceed to count as drifted, however sure the test is."""


class ModelsSettings(UploadSettings):
    user_max_models: int = Field(default=200, ge=0)
    """Models that a user may hold. An administrator can set another number for a user."""

    user_max_bytes: int = Field(default=20_000_000_000, ge=0)
    """Bytes that a user's files may have together: of models, with versions that get no requests, of batch
    jobs and of drift references. An administrator can set another number for a user."""

    models_namespace: str = "modelport-models"
    """Namespace that the platform's own MLModels are written to."""

    watch_all_namespaces: bool = False
    """Also show admins the models of other namespaces. Off: the control API needs rights in one only."""

    overwrite_outside_changes: bool = False
    """Every ten minutes make the cluster's models as the database has them. Off: what kubectl changed or
    deleted stays so, and is shown, until the model is next changed or redeployed through the API."""

    public_url: str | None = None
    """Address that users reach the platform at (`https://models.example.com`), for `predict_url` and
    invitations. Unless given they are paths, but for who calls the platform by a name of loopback."""


class UsageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    usage_minute_retention_days: int = Field(default=14, ge=1)
    """Days for which usage is kept by the minute. Charts of minutes reach back as far."""

    usage_hour_retention_days: int = Field(default=120, ge=1)
    """Days for which usage is kept by the hour. Beyond it days are those of UTC, whatever the time zone."""

    usage_day_retention_days: int = Field(default=800, ge=1)
    """Days for which usage is kept by the day."""


class Settings(
    AccountsSettings,
    AlertsSettings,
    ModelsSettings,
    BatchSettings,
    DriftSettings,
    HistorySettings,
    UsageSettings,
):
    """Each slice is handed its own part of them."""

    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
    )

    database_url: SecretStr = Field(examples=[EXAMPLE_DATABASE])
    """`postgresql://user:password@host/name` or `sqlite:////absolute/path`. Holds a password: no default."""

    internal_key: SecretStr | None = Field(
        default=None, min_length=16, examples=[EXAMPLE_KEY], validation_alias="MODELPORT_INTERNAL_KEY"
    )
    """What gateways and batch workers must show on the internal port, which models' pods reach too; the same
    there. Unless given, it serves nothing of drift references and batch pods, and takes no usage."""

    max_json_bytes: int = Field(default=65_536, ge=1024)
    """Largest JSON body accepted, in bytes. No call but an upload needs more."""

    trusted_proxies: NetworksSetting = Field(
        default=(), examples=["10.0.0.0/8"], validation_alias="MODELPORT_TRUSTED_PROXIES"
    )
    """Networks (`10.0.0.0/8,…`) whose `X-Forwarded-For` is believed. None: the peer is the client."""

    cors_origins: ListSetting = Field(default=(), validation_alias="MODELPORT_CORS_ORIGINS")
    """Origins (`https://app.example.com,…`) whose pages may call the API from a browser. None by default."""
