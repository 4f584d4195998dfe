"""The gateway's settings, read from the environment: its own, and those of the gateway as a process of
its own.
"""

from typing import Annotated
from urllib.parse import urlsplit

from modelport_crds.names import DEFAULT_NAMESPACE
from modelport_http.client_address import parse_networks
from modelport_process.internal_key import EXAMPLE_KEY
from modelport_store.store import Limit
from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _http_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it must be http://<host>:<port>")
    return text


class ServeSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_GATEWAY_", use_attribute_docstrings=True, frozen=True
    )

    listen: str = "0.0.0.0:8080"
    """Address and port for predictions, health and metrics."""

    control_url: Annotated[str, AfterValidator(_http_address)] = Field(
        examples=["http://modelport-control-api-internal:8001"]
    )
    """The control API's internal port, e.g. `http://modelport-control-api-internal:8001`."""

    shutdown_delay_seconds: float = Field(default=5.0, ge=0)
    """Seconds that requests are still taken after SIGTERM, while the proxies hear that this replica goes."""


class Settings(BaseSettings):
    """Everything has a default that is safe on a laptop; nothing here is secret."""

    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_GATEWAY_",
        use_attribute_docstrings=True,
        populate_by_name=True,
        extra="ignore",
    )

    models_namespace: str = DEFAULT_NAMESPACE
    """Models here are served as /predict/<name>, those of other namespaces as /predict/<namespace>.<name>."""

    watch_all_namespaces: bool = False
    """Also serve models of other namespaces. Off: the gateway needs rights in one namespace only."""

    limit_predict: str = Field(default="100/minute", validation_alias="MODELPORT_LIMIT_PREDICT")
    """Requests of one caller to all models that set no limit of their own, e.g. 100/minute."""

    limit_failed_credentials: str = "60/minute"
    """Bad credentials from one client address before more are refused unread; each costs a call."""

    trusted_proxies: str = Field(
        default="", examples=["10.0.0.0/8"], validation_alias="MODELPORT_TRUSTED_PROXIES"
    )
    """Comma-separated networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8. Empty: none."""

    cors_origins: str = Field(default="", validation_alias="MODELPORT_CORS_ORIGINS")
    """Comma-separated origins that browsers may call from, e.g. https://app.example.com. Empty: none."""

    max_body_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    """Largest request body in bytes; a larger one gets 413."""

    max_answer_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    """Largest response taken from a model in bytes: a model is untrusted and may send without end."""

    cache_max_request_bytes: int = Field(default=256 * 1024, ge=0)
    """Larger request bodies, in bytes, bypass the cache: working out their key would hold up all others."""

    cache_max_answer_bytes: int = Field(default=1024 * 1024, ge=0)
    """Larger responses, in bytes, are not cached, so that a few of them cannot push out all others."""

    max_in_flight: int = Field(default=128, ge=1)
    """Requests sent to one replica of a model at a time; two batches of the default size keep it busy."""

    max_waiting: int = Field(default=512, ge=0)
    """Requests of one model that wait for a free place before further ones get 503 QueueFull."""

    connect_timeout_seconds: float = Field(default=1.0, gt=0)
    """Seconds to reach a replica before another one is tried."""

    endpoint_wait_seconds: float = Field(default=1.0, ge=0)
    """Seconds that a request waits for a replica to come back, often sooner than its caller would retry."""

    jwks_refresh_seconds: float = Field(default=60.0, gt=0)
    """Seconds between readings of the control API's signing keys; a withdrawn one is believed so long."""

    introspection_timeout_seconds: float = Field(default=2.0, gt=0)
    """Seconds to wait for the control API's word on an API key before a remembered one is used."""

    introspection_keep_seconds: int = Field(default=24 * 3600, ge=60)
    """Seconds that an API key's introspection stays in the store, for use while the control API is away."""

    drain_seconds: float = Field(default=30.0, ge=0)
    """Seconds that requests in flight are given to end when the gateway stops."""

    internal_key: SecretStr | None = Field(
        default=None, min_length=16, examples=[EXAMPLE_KEY], validation_alias="MODELPORT_INTERNAL_KEY"
    )
    """Shown to the control API, the same there: without it the gateway hears of no drift references and,
    where there is no Redis, its usage is not taken."""

    usage_max_lines: int = Field(default=100_000, ge=1000)
    """Lines of usage (one a minute, model, version, caller, key and outcome; about 500 bytes each) that wait
    while they cannot be written down. Of requests beyond only the number is kept."""

    history_rows_per_second: int = Field(default=20, ge=0)
    """Requests of one model that this gateway keeps for its history in a second, at most; reading and
    redacting them costs what serving them costs."""

    drift_rows_per_second: int = Field(default=50, ge=0)
    """Rows of one version with a reference that this gateway counts in a second, on average at most."""

    drift_refresh_seconds: float = Field(default=10.0, gt=0)
    """Seconds between questions to the control API which versions have a reference."""

    usage_stop_seconds: float = Field(default=5.0, ge=0)
    """Seconds that a gateway which stops waits until its last usage is written down."""

    @field_validator("limit_predict", "limit_failed_credentials")
    @classmethod
    def _is_a_limit(cls, text: str) -> str:
        Limit.parse(text)
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def cors_origin_list(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]
