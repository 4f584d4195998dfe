"""What every process that serves requests reads from the environment beside its own settings."""

from typing import Annotated, Any

from modelport_process.logging import level_of
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from modelport_http.connections.timeouts import Patience


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class DoorSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_", use_attribute_docstrings=True, frozen=True)

    head_seconds: float = Field(default=Patience.head_seconds, gt=0)
    """Seconds for the head of a request to come whole, from the connection's start or the head's own."""

    silent_body_seconds: float = Field(default=Patience.silent_body_seconds, gt=0)
    """Seconds without a byte of a request's body after which its connection is closed."""

    body_bytes_per_second: int = Field(default=Patience.body_bytes_per_second, ge=0)
    """Least bytes a second of a request's body, on average over MODELPORT_SILENT_BODY_SECONDS; a connection
    that brings fewer is closed. 0: any number, so that a byte now and then holds it forever."""

    connections_per_address: int = Field(default=1000, ge=0)
    """Connections that one client address may hold at a process at once; 0: any number. Trusted proxies and
    unix sockets are not counted."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Host names (`models.example.com,…`) that `modelport up` accepts, with any port, beside those of this
    machine's loopback and MODELPORT_CONTROL_API_PUBLIC_URL. Unless given, it accepts every name where it
    listens on other addresses than loopback."""

    @property
    def patience(self) -> Patience:
        return Patience(self.head_seconds, self.silent_body_seconds, self.body_bytes_per_second)


def _as_level(value: object) -> object:
    return level_of(value) if isinstance(value, str) else value


class Settings(DoorSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_", use_attribute_docstrings=True, frozen=True)

    redis_url: SecretStr | None = None
    """`redis://[:password@]host:port/0`: limits and cached responses are kept there, shared by all replicas,
    and outlive a restart. Unless given, and while it does not respond, they are in each process's memory."""

    log_level: Annotated[str, BeforeValidator(_as_level)] = "INFO"
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""
