"""The settings of the control API as a process of its own; on one machine it needs none of them."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True, frozen=True
    )

    listen: str = "0.0.0.0:8000"
    """Address and port for users."""

    internal_listen: str = "0.0.0.0:8001"
    """Address and port for the gateway and for init containers. Never routed from outside."""

    shutdown_delay_seconds: float = Field(default=5.0, ge=0)
    """Seconds that requests are still taken after SIGTERM, while the proxies hear that this replica goes."""
