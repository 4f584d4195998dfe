"""The settings of kept predictions; part of the control API's own."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class HistorySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    history_max_rows: int = Field(default=100_000, ge=1)
    """Predictions kept of one model; beyond that the oldest go, whatever the model's retention says."""

    history_sweep_seconds: float = Field(default=60.0, gt=0)
    """Seconds between two removals of kept predictions that are too old or too many."""
