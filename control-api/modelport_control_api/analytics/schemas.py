"""What the analytics calls return, as docs/api.md has it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.drift.schemas import PredictionDistribution


class Totals(BaseModel):
    """Latencies in milliseconds, as the gateway saw them; null where nothing was counted."""

    requests: int
    errors: int = Field(description="Requests that ended with a 5xx.")
    refused: int = Field(description="Requests that ended with a 4xx.")
    cache_hits: int
    error_rate: float | None = Field(description="errors / requests; null without requests.")
    cache_hit_rate: float | None = Field(
        description="Hits among those that the cache could have served (hit or miss); null without any."
    )
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Point(Totals):
    """One bucket. It begins at `start` and ends where the next one begins."""

    start: datetime


class ReasonUsage(BaseModel):
    """`reason` is one of docs/reasons.md; empty for a response, and where a refusal has none."""

    status: int
    reason: str
    requests: int


class VersionUsage(Totals):
    version: str = Field(description="Empty: refused before a version was chosen.")


class VersionPoint(BaseModel):
    """A bucket of `series`, of one version."""

    start: datetime
    requests: int
    errors: int
    p95_ms: float | None


class VersionSeries(BaseModel):
    version: str
    series: list[VersionPoint]


class CallerUsage(BaseModel):
    """A caller by one credential."""

    caller_id: str | None = Field(description="null: anonymous, or refused.")
    email: str = Field(
        description="anonymous without a credential; empty for an account that is gone; refused, for all "
        "users together whom the model is not for: only administrators see who they are."
    )
    api_key_id: str | None = Field(description="null: an access token, or no credential.")
    api_key_name: str | None = Field(description="null also for a key that is gone.")
    api_key_prefix: str | None
    requests: int
    errors: int
    refused: int
    error_rate: float | None


class ModelUsage(Totals):
    id: str = Field(description="Empty: requests for a model that does not exist.")
    name: str | None = Field(description="null: it is gone, or was applied with kubectl.")


class _Analytics(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    from_: datetime = Field(alias="from", description="The beginning of the first bucket.")
    to: datetime = Field(description="The end of the last bucket, or now while that one runs.")
    bucket: str
    timezone: str
    totals: Totals
    previous: Totals = Field(description="Of the period of equal length before.")
    series: list[Point] = Field(description="Every bucket in order, those without requests too.")
    by_reason: list[ReasonUsage]


class Overview(_Analytics):
    by_model: list[ModelUsage] = Field(description="The 100 with most requests.")
    dropped: int | None = Field(
        description="Requests that gateways had to forget before they could be counted; for administrators."
    )


class ModelAnalytics(_Analytics):
    model: str
    by_version: list[VersionUsage]
    series_by_version: list[VersionSeries] = Field(
        description="Of the five versions with most requests, by name; empty unless several were called."
    )
    by_caller: list[CallerUsage] = Field(description="The 50 with most requests.")
    predictions: PredictionDistribution | None = Field(
        description="Of sampled requests in the range's last 24 hours; null: no version has a reference."
    )
