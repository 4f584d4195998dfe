"""The bodies of the drift calls, as `docs/api.md` names them. A share is between 0 and 1."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.drift.records import Change

DataDriftState = Literal["no_reference", "collecting", "ok", "drift"]
BinKind = Literal["number", "category"]


class DataDriftSetting(BaseModel):
    """When live inputs count as drifted; null: the platform's own setting."""

    model_config = ConfigDict(extra="forbid")

    psi_threshold: float | None = Field(
        None, ge=0.01, le=10, description="The population stability index above which a feature may drift."
    )
    alpha: float | None = Field(
        None, gt=0, le=0.2, description="The chance of a false alarm in a window, over all features."
    )
    window_rows: int | None = Field(None, ge=50, le=100_000, description="The newest rows that are compared.")


class Thresholds(BaseModel):
    """What holds for the model: its own settings, else the platform's."""

    psi_threshold: float
    alpha: float
    window_rows: int


class Share(BaseModel):
    """`live` is null until a window is full."""

    reference: float
    live: float | None


class Bar(BaseModel):
    """One bin of a feature, for a chart: a category, or the numbers from `lower` to below `upper`."""

    label: str
    lower: float | None = None
    upper: float | None = None
    reference: float
    live: float | None


class FeatureAnswer(BaseModel):
    name: str
    kind: BinKind
    drifts: bool
    change: Change | None = Field(
        description='"small": certain (p_value below alpha), but below psi_threshold; "large": it drifts.'
    )
    psi: float | None
    p_value: float | None = Field(description="Adjusted for the number of features (Holm).")
    missing: Share
    unknown: Share = Field(description="Categories that it lacks or has once, or texts in place of numbers.")
    expected_change: float | None = Field(
        None,
        description="By how much accuracy is to change if it alone moves: -0.06 is six points less. "
        "null: the version's calibration has no rows with it.",
    )
    summary: str = Field(description="What it was and what it is, in words; empty where nothing changed.")
    bars: list[Bar]


class PredictionBar(BaseModel):
    """A class, or the numbers from `lower` to below `upper`."""

    label: str
    lower: float | None = None
    upper: float | None = None
    rows: int


class PredictionDistribution(BaseModel):
    kind: Literal["classes", "numbers"]
    rows: int
    bars: list[PredictionBar]


class ReferenceAnswer(BaseModel):
    """`unmatched`: features of the model that the reference has no column for; they are not watched."""

    rows: int
    features: int
    unmatched: list[str]
    time_column: str | None = Field(
        None,
        description="Live rows are compared with its rows of the same hours, on weekdays or weekends.",
    )
    created_at: datetime


class Window(BaseModel):
    """The newest minutes that hold enough rows; `end` is the end of the last of them."""

    start: datetime
    end: datetime
    rows: int


class VersionDataDrift(BaseModel):
    model: str
    version: str
    state: DataDriftState
    message: str = Field(description="The state in words, and what to do.")
    since: datetime | None = Field(description="Since when the state holds.")
    rows: int = Field(description="Sampled rows toward the next or in the last window.")
    thresholds: Thresholds
    reference: ReferenceAnswer | None
    window: Window | None
    features: list[FeatureAnswer] = Field(description="The worst first.")
    predictions: PredictionDistribution | None = Field(description="Of the window, or of what there is yet.")


class DriftingFeature(BaseModel):
    name: str
    psi: float
    p_value: float
    expected_change: float | None = Field(None, description="Of accuracy, if this feature alone moves.")
    summary: str


class DataDriftSummary(BaseModel):
    """In short, beside each version of a model."""

    state: DataDriftState
    message: str
    rows: int
    since: datetime | None
    features: list[DriftingFeature] = Field(description="Those that drift, the worst first; at most ten.")
