"""The bodies of the model calls, as `docs/api.md` names them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from modelport_crds.mlmodel import Acceleration, Engine, Sticky
from modelport_formats.ensembles.manifest import Join
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from modelport_control_api.drift.schemas import DataDriftSetting, DataDriftSummary
from modelport_control_api.http.bodies import Line
from modelport_control_api.http.responses import Compatibility
from modelport_control_api.registry.tables import (
    DEFAULT_FEEDBACK_RETENTION_DAYS,
    DEFAULT_HISTORY_MAX_ROW_BYTES,
    DEFAULT_HISTORY_RETENTION_DAYS,
)

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
FieldName = Annotated[Line, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=10_000)]


def _check_tag(text: str) -> str:
    # Commas separate tags in forms and commands; in the database each stands between quotes.
    if any(character in ',"\\' or not character.isprintable() for character in text):
        raise ValueError("must be printable characters without commas, quotes and backslashes")
    return text


Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=40),
    AfterValidator(_check_tag),
]
"""In small letters, so that Prod and prod are one."""
MOST_TAGS = 20
Status = Literal["pending", "ready", "failed", "degraded"]


class RateLimitSetting(BaseModel):
    """A token bucket for each caller of the model."""

    model_config = ConfigDict(extra="forbid")

    requests: int = Field(ge=1, le=1_000_000)
    period_seconds: int = Field(60, ge=1, le=86_400)


class HistorySetting(BaseModel):
    """Which requests and responses are kept for the model's owner to look at, and for how long."""

    model_config = ConfigDict(extra="forbid")

    percent: int = Field(ge=1, le=100, description="The share of requests; a busy gateway keeps fewer.")
    retention_days: int = Field(DEFAULT_HISTORY_RETENTION_DAYS, ge=1, le=365)
    redact_fields: list[FieldName] = Field(
        [], max_length=100, description="Fields whose values never leave the gateway, at any depth of a row."
    )
    max_row_bytes: int = Field(
        DEFAULT_HISTORY_MAX_ROW_BYTES,
        ge=1024,
        le=65_536,
        description="Of longer requests, with their responses, only that they were is kept.",
    )


class FeedbackSetting(BaseModel):
    """Which predictions are kept, to be compared with what turns out to be true, and for how long."""

    model_config = ConfigDict(extra="forbid")

    percent: int = Field(100, ge=1, le=100, description="The share of requests.")
    retention_days: int = Field(DEFAULT_FEEDBACK_RETENTION_DAYS, ge=1, le=730)
    id_field: FieldName | None = Field(
        None,
        description="The column whose value stands for a row when its truth is told; null: the request's id.",
    )


_NEVER_NULL = ("name", "description", "tags", "access", "timeout_seconds", "acceleration")


class ModelChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description | None = None
    tags: list[Tag] | None = Field(
        None, max_length=MOST_TAGS, description="By which you find it; [] removes all."
    )
    access: Literal["private", "authenticated", "public"] | None = Field(
        None, description="Who may predict: the owner, everyone with a credential, or everyone."
    )
    cache_ttl_seconds: int | None = Field(
        None, ge=0, le=604_800, description="How long a response is kept; null or 0: not at all."
    )
    rate_limit: RateLimitSetting | None = Field(
        None, description="For each caller; null: the platform's limit."
    )
    timeout_seconds: int | None = Field(None, ge=1, le=600)
    acceleration: Acceleration | None = Field(
        None,
        description="auto: NumPy kernels predict where they were proven to equal the model; off: never.",
    )
    sticky: Sticky | None = Field(
        None,
        description="What stays on one version of a split. session: requests with the same "
        "X-Modelport-Session; caller: such a session, or else the caller; null: each request is drawn.",
    )
    history: HistorySetting | None = Field(
        None, description="Requests and responses to keep; null: none. What was kept stays for its days."
    )
    feedback: FeedbackSetting | None = Field(
        None,
        description="Predictions to keep for what turns out to be true; null: none. "
        "What was kept stays for its days.",
    )
    data_drift: DataDriftSetting | None = Field(
        None, description="When live inputs count as drifted; null: as the platform has it."
    )

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

    @field_validator("tags")
    @classmethod
    def _each_once(cls, value: list[str] | None) -> list[str] | None:
        return None if value is None else sorted(set(value))

    @field_validator(*_NEVER_NULL, mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; leave it out to keep it as it is")
        return value

    def changes(self) -> dict[str, Any]:
        """Return what was sent, as columns: null included, which turns a setting off."""
        sent = self.model_dump(exclude_unset=True)
        if "cache_ttl_seconds" in sent:
            sent["cache_ttl_seconds"] = sent["cache_ttl_seconds"] or None
        if "rate_limit" in sent:
            limit = sent.pop("rate_limit") or {"requests": None, "period_seconds": 60}
            sent |= {f"rate_limit_{key}": value for key, value in limit.items()}
        if "history" in sent:
            # Off: the days stay, for what is there.
            history = self.history.model_dump() if self.history else {"percent": None}
            del sent["history"]
            sent |= {f"history_{key}": value for key, value in history.items()}
        if "feedback" in sent:
            feedback = self.feedback.model_dump() if self.feedback else {"percent": None}
            del sent["feedback"]
            sent |= {f"feedback_{key}": value for key, value in feedback.items()}
        if "data_drift" in sent:
            del sent["data_drift"]
            thresholds = (self.data_drift or DataDriftSetting.model_validate({})).model_dump()
            sent |= {f"drift_{key}": value for key, value in thresholds.items()}
        return sent


class VersionRetry(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    environment: str | None = Field(
        None, max_length=63, description="What it is to run in, such as sklearn-1.2."
    )
    sample: Any = Field(
        None, description='The row to predict first, bare or as {"input": row}; null: one is made up.'
    )


class ProofAnswer(BaseModel):
    """How NumPy kernels compared with the model before they predicted for it."""

    rows_compared: int
    largest_difference: float | None = Field(
        description="Between two probabilities or numbers of a response; null: nothing was compared."
    )
    detail: str = Field(
        description="Why the model itself predicts, how the kernels were proven, or what differed."
    )


class RequirementsAnswer(BaseModel):
    given: str = Field(description="As they were uploaded.")
    packages: list[str] = Field(description="What was locked of them, such as numpy==1.26.4.")


class MemberAnswer(BaseModel):
    """A member as it was when the ensemble was made: its model may be gone since."""

    model: str
    version: str
    framework: str
    name: str | None = Field(description="Of the column that its prediction becomes.")
    weight: float


class EnsembleAnswer(BaseModel):
    join: Join
    members: list[MemberAnswer]
    final: MemberAnswer | None
    passthrough: bool


class VersionAnswer(BaseModel):
    """`size` is in bytes; null where an MLModel applied with kubectl does not declare it. What
    only a loaded model reports is null until it has loaded."""

    name: str
    status: Status
    reason: str
    message: str
    framework: str
    environment: str | None = Field(
        None,
        description="What it runs in, such as sklearn-1.2, or own-… of its own requirements; null: the "
        "platform's own libraries.",
    )
    requirements: RequirementsAnswer | None = Field(None, description="Its own; null: it was sent none.")
    ensemble: EnsembleAnswer | None = Field(
        None, description="The versions that it was made of; null: it is a file that was uploaded."
    )
    sha256: str
    size: int | None
    sample: dict[str, Any] | None
    sample_answer: Any = Field(
        None, description="The version's response to its sample, as /predict returns it."
    )
    signature: dict[str, Any] | None
    libraries: dict[str, Any] | None = Field(
        description="Library versions found in the file, and those here."
    )
    sandbox: dict[str, Any] | None = Field(description="How well the model's code is isolated.")
    engine: Engine | None = Field(
        description="What computes its predictions: its own library, or NumPy kernels."
    )
    acceleration: ProofAnswer | None
    compatibility: Compatibility | None = Field(
        None, description="How it compares with the version whose requests it was to get; null: not compared."
    )
    data_drift: DataDriftSummary = Field(description="How live inputs compare with the reference.")
    traffic: int = Field(description="The share of requests that it gets now, in percent.")
    replicas: int
    restarts: int
    created_at: datetime


class FieldOutOfSync(BaseModel):
    """A field of the MLModel's spec whose value in the cluster is not the API's."""

    field: str
    in_cluster: Any
    in_api: Any


class ModelAnswer(BaseModel):
    id: str
    name: str
    description: str
    tags: list[str] = Field(description="In the order of the alphabet.")
    framework: str
    status: Status
    reason: str
    message: str
    predict_url: str = Field(
        description="A path where the platform's address is not set: of the address you called."
    )
    signature: dict[str, Any] | None
    access: Literal["private", "authenticated", "public"]
    cache_ttl_seconds: int | None
    rate_limit: RateLimitSetting | None
    timeout_seconds: int
    acceleration: Acceleration
    sticky: Sticky | None = Field(
        description="What stays on one version of a split; null: each request is drawn."
    )
    history: HistorySetting | None = Field(description="null: no requests or responses are kept.")
    feedback: FeedbackSetting | None = Field(description="null: no predictions are kept to be compared.")
    traffic: dict[str, int] = Field(
        description="What requests get now: version to percent; empty before that."
    )
    wanted_traffic: dict[str, int] = Field(
        description="What was requested; `traffic` follows once the version is ready."
    )
    rollout: int | None = Field(description="The number of the one that goes on; null: none does.")
    experiment: int | None = Field(description="Likewise.")
    versions: list[VersionAnswer]
    owner_id: str | None
    managed_by: Literal["api", "kubectl"] = Field(
        description="kubectl: applied to the cluster by others; shown to admins, and read-only here."
    )
    data_drift: DataDriftSetting = Field(description="When live inputs count as drifted.")
    out_of_sync: bool = Field(
        description="It was changed in the cluster outside of the API, and is shown as it is there."
    )
    sync: list[FieldOutOfSync] = Field(description="The fields that were changed; empty while in sync.")
    created_at: datetime
    updated_at: datetime


class SameName(BaseModel):
    """Another model of the account that is called alike."""

    id: str
    status: Status


class UploadedModel(ModelAnswer):
    same_name: list[SameName] = Field(
        description="Your other models of this name, newest first: the file may be meant as a version of one."
    )


class ModelPage(BaseModel):
    items: list[ModelAnswer]
    next_cursor: str | None
