"""Accounts, sessions and passwords."""

from pathlib import Path
from typing import Literal

from modelport_store.store import Limit
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from modelport_control_api.settings.types import LimitSetting


class AccountsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    signing_keys_dir: Path
    """Folder of Ed25519 private keys (`<time>-<random>.pem`, mode 0600) that sign access tokens. Make the
    first one with `python -m modelport_control_api.signing_keys rotate DIR`."""

    signing_key_activation_seconds: int = Field(default=300, ge=0)
    """Seconds between a new key's publication and its first use. More than gateways keep the JWKS for."""

    access_token_seconds: int = Field(default=1800, ge=1)
    """Life of an access token, in seconds. Short: a gateway cannot know of a logout before it ends."""

    refresh_token_seconds: int = Field(default=30 * 86_400, ge=1)
    """Life of a refresh token, in seconds; each refresh starts it anew."""

    registration: Literal["open", "invite", "closed"] = "open"
    """Who may make an account: everybody, who has a link from an administrator, or nobody."""

    user_max_api_keys: int = Field(default=100, ge=1)
    """API keys that a user may hold; those that have expired do not count."""

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
