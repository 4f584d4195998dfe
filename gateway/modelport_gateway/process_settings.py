"""The settings of the gateway as a process of its own; on one machine it needs none of them."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _http_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be http://<host>:<port>")
    return text


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_GATEWAY_", use_attribute_docstrings=True, frozen=True
    )

    listen: str = "0.0.0.0:8080"
    """Address and port for predictions, health and metrics."""

    control_url: Annotated[str, AfterValidator(_http_address)]
    """The control API's internal port, e.g. `http://modelport-control-api-internal:8001`."""

    shutdown_delay_seconds: float = Field(default=5.0, ge=0)
    """Seconds that requests are still taken after SIGTERM, while the proxies hear that this replica goes."""
