"""Every setting of the control API, read from the environment."""

from pathlib import Path
from typing import Annotated, Any

from modelport_edge.client_address import Network, parse_networks
from modelport_edge.limits import Limit
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from modelport_control_api.models.settings import ModelsSettings


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


class Settings(ModelsSettings):
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

    signing_key_activation_seconds: int = Field(default=300, ge=0)
    """Seconds between a new key's publication and its first use. More than gateways keep the JWKS for."""

    access_token_seconds: int = Field(default=1800, ge=1)
    """Life of an access token, in seconds. Short: a gateway cannot know of a logout before it ends."""

    refresh_token_seconds: int = Field(default=30 * 86_400, ge=1)
    """Life of a refresh token, in seconds; each refresh starts it anew."""

    bcrypt_rounds: int = Field(default=12, ge=4, le=18)
    """log2 of the work for one password check. Each step up doubles it for attackers and for us."""

    password_threads: int = Field(default=2, ge=1)
    """Threads that check passwords. Bounds the CPU that a flood of logins can take from all else."""

    limit_register: LimitSetting = Field(default=Limit(5, 3600), validation_alias="MODELPORT_LIMIT_REGISTER")
    """Registrations per client address."""

    limit_login: LimitSetting = Field(default=Limit(10, 60), validation_alias="MODELPORT_LIMIT_LOGIN")
    """Logins per client address, and per e-mail address against guessing from many addresses."""

    limit_upload: LimitSetting = Field(default=Limit(10, 3600), validation_alias="MODELPORT_LIMIT_UPLOAD")
    """Uploads per user."""

    max_upload_bytes: int = Field(default=100_000_000, ge=1, validation_alias="MODELPORT_MAX_UPLOAD_BYTES")
    """Largest model file accepted, in bytes."""

    max_json_bytes: int = Field(default=65_536, ge=1024)
    """Largest JSON body accepted, in bytes. No call but an upload needs more."""

    trusted_proxies: NetworksSetting = Field(default=(), validation_alias="MODELPORT_TRUSTED_PROXIES")
    """Networks (`10.0.0.0/8,…`) whose `X-Forwarded-For` is believed. None: the peer is the client."""

    cors_origins: ListSetting = Field(default=(), validation_alias="MODELPORT_CORS_ORIGINS")
    """Origins (`https://app.example.com,…`) whose pages may call the API from a browser. None by default."""
