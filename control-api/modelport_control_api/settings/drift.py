"""Data drift."""

from pydantic import Field

from modelport_control_api.settings.uploads import UploadSettings


class DriftSettings(UploadSettings):
    drift_retention_days: int = Field(default=14, ge=1, le=365)
    """Days that counts of live rows are kept for drift: the oldest that a window may reach back to."""

    drift_window_rows: int = Field(default=500, ge=50, le=100_000)
    """Newest sampled rows of a version that are compared with its reference. A model may have its own."""

    drift_alpha: float = Field(default=0.01, gt=0, le=0.2)
    """Chance of a false alarm in a window of unchanged rows, over all features of a version."""

    drift_psi_threshold: float = Field(default=0.2, ge=0.01, le=10)
    """Population stability index that a feature must exceed to count as drifted, however sure the test is."""
