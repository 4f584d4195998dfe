"""What every process that answers requests reads from the environment beside its own settings."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import SettingsConfigDict

from modelport_http.connections.settings import DoorSettings

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _as_level(value: object) -> object:
    if isinstance(value, str) and value.upper() not in _LEVELS:
        raise ValueError(f"must be one of {', '.join(_LEVELS)}")
    return value.upper() if isinstance(value, str) else value


class Settings(DoorSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_", use_attribute_docstrings=True, frozen=True)

    redis_url: SecretStr | None = None
    """`redis://[:password@]host:port/0`: limits and cached answers are kept there, shared by all replicas,
    and outlive a restart. Unless given, and while it does not answer, they are in each process's memory."""

    log_level: Annotated[str, BeforeValidator(_as_level)] = "INFO"
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""
