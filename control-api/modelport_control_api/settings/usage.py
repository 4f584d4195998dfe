"""The settings of the usage ledger; part of the control API's own."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class UsageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    usage_minute_retention_days: int = Field(default=14, ge=1)
    """Days for which usage is kept by the minute. Charts of minutes reach back as far."""

    usage_hour_retention_days: int = Field(default=120, ge=1)
    """Days for which usage is kept by the hour. Beyond it days are those of UTC, whatever the time zone."""

    usage_day_retention_days: int = Field(default=800, ge=1)
    """Days for which usage is kept by the day."""
