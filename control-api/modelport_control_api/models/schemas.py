"""The bodies of the model calls, as `docs/api.md` names them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Status = Literal["pending", "ready", "failed", "degraded"]


class RateLimitSetting(BaseModel):
    """A token bucket for each caller of the model."""

    model_config = ConfigDict(extra="forbid")

    requests: int = Field(ge=1, le=1_000_000)
    period_seconds: int = Field(60, ge=1, le=86_400)


class ModelChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description | None = None
    access: Literal["private", "authenticated", "public"] | None = Field(
        None, description="Who may predict: the owner, everyone with a credential, or everyone."
    )
    cache_ttl_seconds: int | None = Field(
        None, ge=0, le=604_800, description="How long an answer is kept; null or 0: answers are not kept."
    )
    rate_limit: RateLimitSetting | None = Field(
        None, description="For each caller; null: the platform's limit."
    )
    timeout_seconds: int | None = Field(None, ge=1, le=600)

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("must be printable characters only")
        return value

    @field_validator("description")
    @classmethod
    def _storable(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("must not hold a NUL character")
        return value

    @field_validator("name", "description", "access", "timeout_seconds", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; leave it out to keep it as it is")
        return value

    def changes(self) -> dict[str, Any]:
        """Give what was sent, as columns: null included, since null turns cache and limit off."""
        sent = self.model_dump(exclude_unset=True)
        if "cache_ttl_seconds" in sent:
            sent["cache_ttl_seconds"] = sent["cache_ttl_seconds"] or None
        if "rate_limit" in sent:
            limit = sent.pop("rate_limit") or {"requests": None, "period_seconds": 60}
            sent |= {f"rate_limit_{key}": value for key, value in limit.items()}
        return sent


class VersionAnswer(BaseModel):
    """`size` is in bytes; null where an MLModel applied with kubectl does not say. What
    only a loaded model tells is null until it has loaded."""

    name: str
    status: Status
    reason: str
    message: str
    framework: str
    sha256: str
    size: int | None
    sample: dict[str, Any] | None
    sample_answer: Any = Field(None, description="The version's answer to its sample, as /predict gives it.")
    signature: dict[str, Any] | None
    libraries: dict[str, Any] | None = Field(
        description="Library versions found in the file, and those here."
    )
    sandbox: dict[str, Any] | None = Field(description="How well the model's code is isolated.")
    traffic: int = Field(description="The share of requests that it gets now, in percent.")
    replicas: int
    restarts: int
    created_at: datetime


class DriftAnswer(BaseModel):
    """One field of the MLModel's spec that the cluster has otherwise than the API asked for."""

    field: str
    in_cluster: Any
    in_api: Any


class ModelAnswer(BaseModel):
    id: str
    name: str
    description: str
    framework: str
    status: Status
    reason: str
    message: str
    predict_url: str
    signature: dict[str, Any] | None
    access: Literal["private", "authenticated", "public"]
    cache_ttl_seconds: int | None
    rate_limit: RateLimitSetting | None
    timeout_seconds: int
    traffic: dict[str, int] = Field(
        description="What requests get now: version to percent; empty before that."
    )
    wanted_traffic: dict[str, int] = Field(description="What was asked for; traffic follows once it answers.")
    versions: list[VersionAnswer]
    owner_id: str | None
    managed_by: Literal["api", "kubectl"] = Field(
        description="kubectl: applied to the cluster by others; shown to admins, and read-only here."
    )
    drifted: bool = Field(
        description="It was changed in the cluster outside of the API, and is shown as it is there."
    )
    drift: list[DriftAnswer]
    created_at: datetime
    updated_at: datetime


class ModelPage(BaseModel):
    items: list[ModelAnswer]
    next_cursor: str | None
