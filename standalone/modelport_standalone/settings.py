"""What standalone reads from the environment beside the parts' own settings."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_", use_attribute_docstrings=True, frozen=True)

    redis_url: SecretStr | None = None
    """`redis://[:password@]host:port/0`: limits and cached answers are kept there and outlive a restart.
    Unless given, and while it does not answer, they are in this process's memory."""
