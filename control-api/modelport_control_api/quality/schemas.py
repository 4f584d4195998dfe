"""What the calls on quality return, as docs/api.md has it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.quality.rows import Task

MetricName = Literal[
    "accuracy", "f1_macro", "roc_auc", "log_loss", "brier", "calibration_error", "mae", "rmse", "r2", "bias",
    "reward",
]  # fmt: skip


class Metric(BaseModel):
    value: float
    lower: float | None = Field(
        description="With `upper` the 95 % interval; null: fewer than 30 rows, or rows without any variance."
    )
    upper: float | None
    rows: int = Field(description="What it is computed of.")


class Part(BaseModel):
    predictions: int = Field(description="Rows that were predicted.")
    labels: int = Field(description="Of how many of them the truth is known.")
    rewards: int = Field(description="Of how many the reward is known.")
    metrics: dict[MetricName, Metric] = Field(description="Those that the rows allow.")


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


class UnknownClass(BaseModel):
    label: str
    rows: int


class VersionQuality(Part):
    version: str
    task: Task
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
    bucket: str
    timezone: str
    since: datetime | None = Field(
        description="Where the range has more rows than one response reads: of the first row that it covers, "
        "being of the newest. null: it covers all."
    )
    message: str = Field(description="What `since` means, or what is missing; empty: nothing.")
    versions: list[VersionQuality] = Field(description="Those that predicted in the range, by their numbers.")
