"""Every setting of the control API, read from the environment."""

from pathlib import Path
from typing import Annotated, Any, Literal

from modelport_http.client_address import Network, parse_networks
from modelport_store.limits import Limit
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from modelport_control_api.settings.history import HistorySettings
from modelport_control_api.settings.models import ModelsSettings
from modelport_control_api.settings.usage import UsageSettings


def _parse_limit(value: Any) -> Any:
    return Limit.parse(value) if isinstance(value, str) else value


def _parse_networks(value: Any) -> Any:
    return tuple(parse_networks(value)) if isinstance(value, str) else value


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# NoDecode: people write these as they say them, not as JSON.
LimitSetting = Annotated[Limit, NoDecode, BeforeValidator(_parse_limit)]
NetworksSetting = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)]
ListSetting = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(HistorySettings, ModelsSettings, UsageSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
    )

    database_url: SecretStr
    """`postgresql://user:password@host/name` or `sqlite:////absolute/path`. Holds a password: no default."""

    signing_keys_dir: Path
    """Folder of Ed25519 private keys (`<time>-<random>.pem`, mode 0600) that sign access tokens. Make the
    first one with `python -m modelport_control_api.signing_keys rotate DIR`."""

    internal_key: SecretStr | None = Field(
        default=None, min_length=16, validation_alias="MODELPORT_INTERNAL_KEY"
    )
    """What gateways and batch workers must show on the internal port, which models' pods reach too; the same
    there. Unless given, it tells nothing of drift references and batch pods, and takes no usage."""

    signing_key_activation_seconds: int = Field(default=300, ge=0)
    """Seconds between a new key's publication and its first use. More than gateways keep the JWKS for."""

    access_token_seconds: int = Field(default=1800, ge=1)
    """Life of an access token, in seconds. Short: a gateway cannot know of a logout before it ends."""

    refresh_token_seconds: int = Field(default=30 * 86_400, ge=1)
    """Life of a refresh token, in seconds; each refresh starts it anew."""

    registration: Literal["open", "invite", "closed"] = "open"
    """Who may make an account: everybody, who has a link from an administrator, or nobody."""

    bcrypt_rounds: int = Field(default=12, ge=4, le=18)
    """log2 of the work for one password check. Each step up doubles it for attackers and for us."""

    password_threads: int = Field(default=2, ge=1)
    """Threads that check passwords. Bounds the CPU that a flood of logins can take from all else."""

    limit_register: LimitSetting = Field(default=Limit(5, 3600), validation_alias="MODELPORT_LIMIT_REGISTER")
    """Registrations per client address."""

    limit_login: LimitSetting = Field(default=Limit(10, 60), validation_alias="MODELPORT_LIMIT_LOGIN")
    """Wrong passwords for an account from one client address."""

    limit_login_elsewhere: LimitSetting = Field(
        default=Limit(100, 3600), validation_alias="MODELPORT_LIMIT_LOGIN_ELSEWHERE"
    )
    """Wrong passwords from client addresses where the account has not logged in within 30 days: per address,
    against guessing at many accounts; and ten times as many per account, against guessing from many
    addresses."""

    limit_upload: LimitSetting = Field(default=Limit(10, 3600), validation_alias="MODELPORT_LIMIT_UPLOAD")
    """Uploads per user."""

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

    max_upload_bytes: int = Field(default=100_000_000, ge=1, validation_alias="MODELPORT_MAX_UPLOAD_BYTES")
    """Largest model file accepted, in bytes."""

    max_json_bytes: int = Field(default=65_536, ge=1024)
    """Largest JSON body accepted, in bytes. No call but an upload needs more."""

    max_reference_bytes: int = Field(default=50_000_000, ge=1)
    """Largest CSV file accepted as the reference of a version, in bytes."""

    drift_retention_days: int = Field(default=14, ge=1, le=365)
    """Days that counts of live rows are kept for drift: the oldest that a window may reach back to."""

    drift_window_rows: int = Field(default=500, ge=50, le=100_000)
    """Newest sampled rows of a version that are compared with its reference. A model may have its own."""

    drift_alpha: float = Field(default=0.01, gt=0, le=0.2)
    """Chance of a false alarm in a window of unchanged rows, over all features of a version."""

    drift_psi_threshold: float = Field(default=0.2, ge=0.01, le=10)
    """Population stability index that a feature must exceed to count as drifted, however sure the test is."""

    trusted_proxies: NetworksSetting = Field(default=(), validation_alias="MODELPORT_TRUSTED_PROXIES")
    """Networks (`10.0.0.0/8,…`) whose `X-Forwarded-For` is believed. None: the peer is the client."""

    cors_origins: ListSetting = Field(default=(), validation_alias="MODELPORT_CORS_ORIGINS")
    """Origins (`https://app.example.com,…`) whose pages may call the API from a browser. None by default."""
