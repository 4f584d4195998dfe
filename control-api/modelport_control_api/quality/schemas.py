"""What the calls on quality return, as docs/api.md has it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.analytics.query import BucketName
from modelport_control_api.quality.rows import Task

MetricName = Literal[
    "accuracy", "f1_macro", "roc_auc", "log_loss", "brier", "calibration_error", "mae", "rmse", "r2", "bias",
    "reward",
]  # fmt: skip


ExpectedName = Literal["accuracy", "roc_auc", "brier"]


class Metric(BaseModel):
    value: float
    lower: float | None = Field(
        description="With `upper` the 95 % interval; null: fewer than 30 rows, or rows without any variance."
    )
    upper: float | None
    rows: int = Field(description="What it is computed of.")


class Expected(BaseModel):
    value: float
    lower: float | None = Field(
        description="With `upper`: where chance alone may let it end, if the probabilities are as calibrated."
    )
    upper: float | None
    rows: int = Field(description="Those whose truth is not known yet.")
    estimated: Literal[True] = True


class Part(BaseModel):
    predictions: int = Field(description="Rows that were predicted.")
    labels: int = Field(description="Of how many of them the truth is known.")
    rewards: int = Field(description="Of how many the reward is known.")
    metrics: dict[MetricName, Metric] = Field(description="Those that the rows allow.")
    expected: dict[ExpectedName, Expected] = Field(
        description="Estimates for all rows: by calibrated probabilities where the truth is not known yet, "
        "by the truth where it is. Empty once all truth is known, and without a calibration."
    )


class QualityPoint(Part):
    """One bucket that has predictions. It begins at `start`."""

    start: datetime


class ReliabilityBin(BaseModel):
    """Rows whose confidence, the probability of what was predicted, lies between `start` and `end`."""

    start: float
    end: float
    rows: int
    confidence: float = Field(description="The mean.")
    accuracy: float = Field(description="The share of them that was right.")
    lower: float = Field(description="With `upper` the accuracy's 95 % interval.")
    upper: float


class CalibrationAnswer(BaseModel):
    """By what probabilities are calibrated, for what is expected before labels come."""

    source: Literal["uploaded", "labels"]
    rows: int
    created_at: datetime | None = Field(description="null: it is fitted to the newest labels with each call.")


class UnknownClass(BaseModel):
    label: str
    rows: int


class VersionQuality(Part):
    version: str
    task: Task
    calibration: CalibrationAnswer | None = Field(description="null: nothing is expected before labels come.")
    series: list[QualityPoint] = Field(description="The buckets that have predictions, in order.")
    reliability: list[ReliabilityBin] = Field(
        description="Ten bins by confidence, without empty ones; empty without probabilities."
    )
    unknown_classes: list[UnknownClass] = Field(
        description="Labels of classes that the version does not know, so it was wrong. The 20 most frequent."
    )
    unreadable_labels: int = Field(description="Labels that are no number, of a regression: left out.")


class QualityAnswer(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    model: str
    from_: datetime = Field(alias="from", description="The beginning of the first bucket.")
    to: datetime = Field(description="The end of the last bucket, or now while that one runs.")
    bucket: BucketName
    timezone: str
    since: datetime | None = Field(
        description="Where the range has more rows than one response reads: of the first row that it covers, "
        "being of the newest. null: it covers all."
    )
    message: str = Field(description="What `since` means, or what is missing; empty: nothing.")
    versions: list[VersionQuality] = Field(description="Those that predicted in the range, by their numbers.")
