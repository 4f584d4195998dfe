"""Every setting of the control API, read from the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from modelport_control_api.settings.accounts import AccountsSettings
from modelport_control_api.settings.batch import BatchSettings
from modelport_control_api.settings.drift import DriftSettings
from modelport_control_api.settings.history import HistorySettings
from modelport_control_api.settings.models import ModelsSettings
from modelport_control_api.settings.types import ListSetting, NetworksSetting
from modelport_control_api.settings.usage import UsageSettings


class Settings(
    AccountsSettings, ModelsSettings, BatchSettings, DriftSettings, HistorySettings, UsageSettings
):
    """Each slice is handed its own part of them."""

    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
    )

    database_url: SecretStr
    """`postgresql://user:password@host/name` or `sqlite:////absolute/path`. Holds a password: no default."""

    internal_key: SecretStr | None = Field(
        default=None, min_length=16, validation_alias="MODELPORT_INTERNAL_KEY"
    )
    """What gateways and batch workers must show on the internal port, which models' pods reach too; the same
    there. Unless given, it tells nothing of drift references and batch pods, and takes no usage."""

    max_json_bytes: int = Field(default=65_536, ge=1024)
    """Largest JSON body accepted, in bytes. No call but an upload needs more."""

    trusted_proxies: NetworksSetting = Field(default=(), validation_alias="MODELPORT_TRUSTED_PROXIES")
    """Networks (`10.0.0.0/8,…`) whose `X-Forwarded-For` is believed. None: the peer is the client."""

    cors_origins: ListSetting = Field(default=(), validation_alias="MODELPORT_CORS_ORIGINS")
    """Origins (`https://app.example.com,…`) whose pages may call the API from a browser. None by default."""
